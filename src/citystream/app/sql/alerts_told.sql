-- What may be news about one dataset: alerts that were raised since it is told, or that were noticed already, about the
-- last days before its last visit. Overlapping windows of the fixed rule are one piece of news: the first of them stands
-- for all. sensitive: most codes of the type are, or none is listed.
WITH types AS (
  SELECT type, 2 * count(*) FILTER (coalesce(sensitive, true)) >= count(*) AS sensitive
  FROM ({meanings}) WHERE dataset = {name} GROUP BY type),
recent AS (
  SELECT *, lag(window_end) OVER (PARTITION BY detector, type, district, status ORDER BY window_start) AS ended
  FROM alerts
  WHERE dataset = {name}
    AND window_end > (SELECT max(finished_at) FROM fetches WHERE dataset = {name}) - INTERVAL {days} DAY)
SELECT a.*, a.kind <> 'reading' AND coalesce(t.sensitive, true) AS sensitive
FROM recent a LEFT JOIN types t ON t.type IS NOT DISTINCT FROM a.type
WHERE (a.raised_at_offset >= {since} OR a.alert_id IN ({known}))
  AND (a.detector <> 'threshold' OR a.status <> 'active' OR coalesce(a.ended < a.window_start, true))
ORDER BY a.window_start, a.alert_id
