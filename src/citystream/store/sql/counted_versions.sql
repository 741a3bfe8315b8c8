-- All versions before offset {until} of incidents of which one began or ended from offset {first} on.
WITH v AS (
  SELECT {incident} AS incident, x.k AS record, x.off, least(x.valid_to, coalesce(c.valid_to, x.valid_to)) AS until,
    x.occurred_at, x.time_precision, x.change, x.district, x.meaning
  FROM core.{t}_versions x LEFT JOIN core.{t}_closed c ON c.off = x.off
  WHERE x.off < {until} AND x.occurred_at >= ?),
touched AS (SELECT DISTINCT incident FROM v WHERE off >= {first} OR (v.until >= {first} AND v.until < {until}))
SELECT v.incident, v.record, v.off, v.until, epoch_us(v.occurred_at) // 1800000000 AS slot,
  (v.time_precision NOT IN (3, 4))::BIGINT AS timed, v.change::BIGINT AS change, v.district, m.type
FROM v {touched} JOIN core.{t}_meanings m ON m.code = v.meaning
WHERE v.district IS NOT NULL AND m.type IS NOT NULL
