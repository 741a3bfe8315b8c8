-- `weekly` without the counts of 1 to 4, and without those that would tell them. Within a district and week the small
-- ones are told by the sum if there is one only, if all are least or all greatest, or if they sum up to less than 5.
-- Then cells go in pairs (three, if one is over) in an order that has nothing to do with their size, and a pair
-- with a small one is hidden whole; if that hides nothing but small ones, so is the first pair without.
WITH counted AS (
  SELECT *, total < {least} AS small, count(*) OVER one AS cells,
    count(*) FILTER (total < {least}) OVER one AS few, sum(total) FILTER (total < {least}) OVER one AS sum_of_few,
    row_number() OVER (PARTITION BY dataset, kind, district, week
      ORDER BY md5(concat_ws('|', dataset, district, week, category))) - 1 AS place
  FROM weekly WINDOW one AS (PARTITION BY dataset, kind, district, week)),
paired AS (
  SELECT *, least(place // 2, greatest(cells // 2, 1) - 1) AS pair,
    few > 0 AND (few = 1 OR sum_of_few < {least} OR sum_of_few IN (few, ({least} - 1) * few)) AS telling
  FROM counted),
touched AS (
  SELECT *, bool_or(small) OVER (PARTITION BY dataset, kind, district, week, pair) AS beside FROM paired),
chosen AS (
  SELECT *, small OR telling AND (beside OR
      NOT bool_or(beside AND NOT small) OVER one AND pair = min(pair) FILTER (NOT beside) OVER one) AS hidden
  FROM touched WINDOW one AS (PARTITION BY dataset, kind, district, week))
SELECT dataset, kind, district, week, category, CASE WHEN NOT hidden THEN total END AS total,
  CASE WHEN NOT hidden THEN total::VARCHAR
    WHEN bool_or(hidden AND NOT small) OVER (PARTITION BY dataset, kind, district, week) THEN '<{least} or hidden'
    ELSE '<{least}' END AS shown
FROM chosen
