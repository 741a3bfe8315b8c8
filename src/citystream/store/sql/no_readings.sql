-- The columns of `readings` in a store without any.
SELECT NULL::VARCHAR AS dataset, NULL::VARCHAR AS city, NULL::VARCHAR AS kind, NULL::VARCHAR AS station,
  NULL::VARCHAR AS measure, NULL::TIMESTAMP AS observed_local, NULL::TIMESTAMP AS observed_at, NULL::DOUBLE AS value,
  NULL::VARCHAR AS unit, NULL::DOUBLE AS lat, NULL::DOUBLE AS lon, NULL::VARCHAR AS flags,
  NULL::TIMESTAMP AS first_seen_at, NULL::TIMESTAMP AS changed_at, NULL::BIGINT AS log_offset
WHERE false
