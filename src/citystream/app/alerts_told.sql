-- What may be news about one dataset: alerts raised from offset {since} on, about the last {days} days before its last
-- visit; sensitive: most codes of the type are sensitive, or none is listed.
WITH types AS (
  SELECT type, 2 * count(*) FILTER (coalesce(sensitive, true)) >= count(*) AS sensitive
  FROM ({meanings}) WHERE dataset = {name} GROUP BY type)
SELECT a.*, coalesce(t.sensitive, true) AS sensitive
FROM alerts a LEFT JOIN types t ON t.type IS NOT DISTINCT FROM a.type
WHERE a.dataset = {name} AND a.raised_at_offset >= {since}
  AND a.window_end > (SELECT max(finished_at) FROM fetches WHERE dataset = {name}) - INTERVAL {days} DAY
ORDER BY a.window_start, a.alert_id
