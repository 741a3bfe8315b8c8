-- What became of the alerts that were raised in a period, in all, by year and by type: from `replayed`, how each alert
-- stood at each moment of the clock. Revised: a window was shown with another count than before.
WITH states AS (
  SELECT *, make_timestamp(clock * 1800000000) AS moment,
    lag({'s': window_start, 'e': window_end, 'n': observed}) OVER (PARTITION BY alert_id ORDER BY clock) AS before
  FROM replayed),
became AS (
  SELECT any_value(type) AS type, min(moment) AS raised, arg_min(window_start, clock) AS begun,
    arg_min(provisional, clock) AS provisional,
    bool_or(NOT active AND NOT starts_with(coalesce(reason, ''), 'now part of')) AS withdrawn,
    bool_or(NOT active AND starts_with(coalesce(reason, ''), 'now part of')) AS joined,
    bool_or(coalesce(before.s = window_start AND before.e = window_end AND before.n <> observed, false)) AS revised
  FROM states GROUP BY alert_id)
SELECT CASE WHEN grouping(year(raised)) = 0 THEN 'year' WHEN grouping(type) = 0 THEN 'type' ELSE 'all' END AS what,
  coalesce(year(raised)::VARCHAR, type, '') AS name, count(*) AS alerts, count(*) FILTER (provisional) AS provisional,
  median(epoch(raised - begun) / 3600) AS delay_hours, count(*) FILTER (withdrawn) AS withdrawn,
  count(*) FILTER (joined) AS joined, count(*) FILTER (revised) AS revised
FROM became WHERE raised >= $first AND raised < $until
GROUP BY GROUPING SETS ((), (year(raised)), (type))
ORDER BY what, CASE WHEN what = 'type' THEN -count(*) ELSE 0 END, name
