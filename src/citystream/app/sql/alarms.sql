-- One row for each half hour in which an alert of the detector {detector} was raised, or went on to the newest window.
SELECT make_timestamp(clock * 1800000000) AS "time", type, district, replace(areas, ',', ' ') AS beats, recurrence_days,
  direction
FROM (
  SELECT *, lag(active) OVER moments AS stood, lag(last_alarm) OVER moments AS newest
  FROM core.{table}_episodes WHERE detector = {detector}
  WINDOW moments AS (PARTITION BY alert_id ORDER BY off, clock))
WHERE active AND (stood IS DISTINCT FROM true OR {goes_on})
ORDER BY off, clock, alert_id
