-- How many windows are above their rule, and how many were until late records or revisions changed the count?
-- A withdrawn alert is not deleted: it shows what was known then and is not so any more.
SELECT dataset, kind, detector, count(*) FILTER (status = 'active') AS active,
  count(*) FILTER (status = 'withdrawn') AS withdrawn, max(window_start) AS newest_window_utc
FROM alerts GROUP BY ALL ORDER BY dataset, detector
