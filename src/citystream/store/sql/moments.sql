-- What moved the clock of {dataset} from offset {after} on: runs of records that were fetched together, which begin after
-- those before them, and visits. A run that was read together may span a visit, so they are in order of where they begin.
SELECT greatest(coalesce(lag(off) OVER (ORDER BY off) + 1, 0), {after}) AS off, fetched_at AS "at", false AS visit,
  false AS whole
FROM core.commits WHERE dataset = {key} AND off >= {after}
UNION ALL
SELECT off, finished_at, true, whole FROM core.visits
WHERE dataset = {dataset} AND off >= {after} AND off <= {position}
ORDER BY off, visit DESC, "at", whole
