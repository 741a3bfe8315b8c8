-- One row per target and dataset: since when it is told, what last, and what waits.
WITH each AS (
  SELECT n.*, m.state, m.at AS settled_at, m.error, json_extract(n.content, '$.title') AS title
  FROM notifications n LEFT JOIN messages m ON m.key = n.message),
last AS (
  SELECT *, row_number() OVER (PARTITION BY target, dataset ORDER BY settled_at DESC, noticed_at DESC) AS place
  FROM each WHERE state = 'sent'),
troubled AS (
  SELECT *, row_number() OVER (PARTITION BY target, dataset ORDER BY settled_at DESC) AS place
  FROM each WHERE state IN ('failed', 'unknown', 'given_up'))
SELECT s.target, s.dataset, substr(s.at, 1, 19), coalesce(substr(max(l.settled_at), 1, 19), ''), coalesce(max(l.title), ''),
  count(*) FILTER (WHERE e.state = 'sent'),
  count(*) FILTER (WHERE e.alert_id IS NOT NULL AND coalesce(e.state, 'failed') IN ('failed', 'intended', 'sending')),
  count(*) FILTER (WHERE e.state = 'unknown'), count(*) FILTER (WHERE e.state = 'given_up'), coalesce(max(t.error), '')
FROM switched s
LEFT JOIN each e ON e.target = s.target AND e.dataset = s.dataset
LEFT JOIN last l ON l.target = s.target AND l.dataset = s.dataset AND l.place = 1
LEFT JOIN troubled t ON t.target = s.target AND t.dataset = s.dataset AND t.place = 1
GROUP BY s.target, s.dataset, s.at ORDER BY s.target, s.dataset
