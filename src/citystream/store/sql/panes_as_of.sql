SELECT m.type_code AS type, d.code AS district, v.time_precision <> 3 AS timed,
  ((epoch_us(v.occurred_at) + 134217728 * {width}::BIGINT) // {width} - 134217728)::INTEGER AS pane,
  1 AS n, coalesce(v.domestic, false)::INTEGER AS domestic
FROM ({versions}) v JOIN core.{t}_meanings m ON m.code = v.meaning
JOIN core.{t}_districts d ON d.name IS NOT DISTINCT FROM v.district
WHERE v.occurred_at IS NOT NULL
