-- All versions before offset {until} of incidents of which one began or ended from offset {first} on. What changed is
-- found first, so that only its incidents are looked for in the whole table: by their name, and those without by record.
WITH changed AS (
  SELECT k, {name} AS name FROM core.{t}_versions x WHERE x.off >= {first} AND x.off < {until}
  UNION
  SELECT k, {name} FROM core.{t}_versions x WHERE x.valid_to >= {first} AND x.valid_to < {until}
  UNION
  SELECT k, {name} FROM core.{t}_versions x
  SEMI JOIN (FROM core.{t}_closed c WHERE c.valid_to >= {first} AND c.valid_to < {until}) c ON c.off = x.off),
touched AS ({touched})
SELECT {incident} AS incident, v.k AS record, v.off, least(v.valid_to, coalesce(c.valid_to, v.valid_to)) AS until,
  epoch_us(v.occurred_at) // 1800000000 AS slot, (v.time_precision NOT IN (3, 4))::BIGINT AS timed,
  v.change::BIGINT AS change, v.district, m.type
FROM touched v LEFT JOIN core.{t}_closed c ON c.off = v.off JOIN core.{t}_meanings m ON m.code = v.meaning
WHERE v.off < {until} AND v.occurred_at >= ? AND v.district IS NOT NULL AND m.type IS NOT NULL
