-- One row for each half hour in which an alert of the detector {detector} was raised, or went on to the newest window.
SELECT make_timestamp(clock * 1800000000) AS "time", type, district, replace(areas, ',', ' ') AS beats, recurrence_days,
  direction
FROM (
  SELECT *, lag(active) OVER (PARTITION BY alert_id ORDER BY off, clock) AS stood
  FROM core.{table}_episodes WHERE detector = {detector})
WHERE active AND (stood IS DISTINCT FROM true OR last_alarm = make_timestamp(clock * 1800000000))
ORDER BY off, clock, alert_id
