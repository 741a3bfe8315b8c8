-- Which incidents in Chicago became more or fewer: the last 28 complete days against the 28 before?
-- The newest days are still coming in: days within the measured reporting lag are left out.
WITH edge AS (
  SELECT (fetched_at - to_days($lag_days))::DATE AS day FROM positions WHERE dataset = 'chicago/crimes'
), counted AS (
  SELECT type, (SELECT day - 1 FROM edge) AS until,
    count(*) FILTER (occurred_local >= day - 28) AS last_28_days,
    count(*) FILTER (occurred_local < day - 28) AS the_28_before
  FROM chicago_crimes, edge WHERE occurred_local >= day - 56 AND occurred_local < day GROUP BY type
)
SELECT type, last_28_days, the_28_before,
  round(100.0 * (last_28_days - the_28_before) / nullif(the_28_before, 0), 1)::DOUBLE AS change_percent, until
FROM counted ORDER BY last_28_days DESC, type LIMIT 8
