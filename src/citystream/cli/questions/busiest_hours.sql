-- At which hours do reported incidents in Chicago begin?
-- Midnight and noon exactly stand for "not known" in this dataset: they are counted apart, not as hours.
WITH timed AS (
  SELECT hour(occurred_local) AS hour, count(*) AS n FROM chicago_crimes
  WHERE time_precision IN ('second', 'half_hour', 'hour') GROUP BY 1
), untimed AS (
  SELECT count(*) AS n FROM chicago_crimes WHERE time_precision NOT IN ('second', 'half_hour', 'hour')
)
SELECT hour, incidents, percent_of_timed FROM (
  SELECT format('{:02d}:00 to {:02d}:00', hour, (hour + 1) % 24) AS hour, n AS incidents,
    round(100.0 * n / (SELECT sum(n) FROM timed), 1)::DOUBLE AS percent_of_timed, 0 AS part
  FROM timed ORDER BY n DESC LIMIT 5
) UNION ALL SELECT 'not known', n, NULL FROM untimed
