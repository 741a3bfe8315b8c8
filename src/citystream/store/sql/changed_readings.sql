-- What stations said, and what was taken back, between the offsets {first} and {until}, in that order: a version that
-- ends takes its values back before the one that replaces it says its own. A value that stands for none, or that cannot
-- be true, is none. Times are seconds since 1970 (UTC), slots half hours of the local day.
WITH moved AS (
  SELECT x.off AS at, true AS stands, x.* FROM core.{t}_versions x WHERE x.off >= {first} AND x.off < {until}
  UNION ALL
  SELECT least(x.valid_to, coalesce(c.valid_to, x.valid_to)) AS at, false AS stands, x.*
  FROM core.{t}_versions x LEFT JOIN core.{t}_closed c ON c.off = x.off
  WHERE least(x.valid_to, coalesce(c.valid_to, x.valid_to)) >= {first}
    AND least(x.valid_to, coalesce(c.valid_to, x.valid_to)) < {until})
SELECT v.at, m.type AS station, epoch_us(v.occurred_at) // 1000000 AS time,
  (epoch_us(v.occurred_local) // 1800000000) % 48 AS slot, {values}
FROM moved v JOIN core.{t}_meanings m ON m.code = v.meaning
WHERE v.occurred_at IS NOT NULL AND v.time_precision NOT IN (3, 4) AND m.type IS NOT NULL
ORDER BY v.at, v.stands
