-- What moved the clock of {key} from offset {after} on: runs of records that were fetched together, which begin after
-- those before them, and visits. A run that was read together may span a visit, so they are in order of where they begin;
-- visits at one offset are in the order of the log.
SELECT off, "at", visit, whole FROM (
  SELECT greatest(coalesce(lag(off) OVER (ORDER BY off) + 1, 0), {after}) AS off, fetched_at AS "at", false AS visit,
    false AS whole, 0 AS number
  FROM core.commits WHERE dataset = {key} AND off >= {after}
  UNION ALL
  SELECT off, finished_at, true, whole, number FROM core.visits
  WHERE dataset = {key} AND off >= {after} AND off <= (SELECT coalesce(max(log_offset), 0) FROM core.positions WHERE dataset = {key})
)
ORDER BY off, visit DESC, number, "at"
