-- Which incidents in Chicago became more or fewer: the last 28 settled days against the 28 before?
-- New days are still coming in: left out are three times the reporting lag, since stragglers outlast it and would look like a fall.
WITH edge AS (
  SELECT (fetched_at - to_days(3 * $lag_days))::DATE AS day FROM positions WHERE dataset = 'chicago/crimes'
), counted AS (
  SELECT type, (SELECT day - 1 FROM edge) AS until,
    count(*) FILTER (occurred_local >= day - 28) AS last_28_settled_days,
    count(*) FILTER (occurred_local < day - 28) AS the_28_before
  FROM chicago_crimes, edge WHERE occurred_local >= day - 56 AND occurred_local < day GROUP BY type
)
SELECT type, last_28_settled_days, the_28_before,
  round(100.0 * (last_28_settled_days - the_28_before) / nullif(the_28_before, 0), 1)::DOUBLE AS change_percent, until
FROM counted ORDER BY last_28_settled_days DESC, type LIMIT 8
