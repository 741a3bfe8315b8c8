-- All versions from offset {least} to before {until}, of the incidents that are asked for.
SELECT v.{incident} AS incident, v.k AS record, v.off, least(v.valid_to, coalesce(c.valid_to, v.valid_to)) AS until,
  epoch_us(v.occurred_at) // 1800000000 AS slot, (v.time_precision NOT IN (3, 4))::BIGINT AS timed,
  v.change::BIGINT AS change, v.{district} AS district, m.type
FROM core.{t}_versions v {touched} LEFT JOIN core.{t}_closed c ON c.off = v.off
JOIN core.{t}_meanings m ON m.code = v.meaning
WHERE v.off >= {least} AND v.off < {until} AND v.occurred_at >= ? AND v.{district} IS NOT NULL AND m.type IS NOT NULL
