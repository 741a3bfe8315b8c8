-- What the log brought from offset {first} to before {until}: versions of records (what = 0), records that are gone (1),
-- and until when versions of these offsets stand that were closed and not folded yet (2).
SELECT 0 AS what, v.off, v.{incident} AS incident, v.k AS record, v.valid_to AS until,
  epoch_us(v.occurred_at) AS occurred, epoch_us(v.occurred_at) // 1800000000 AS slot,
  (v.time_precision NOT IN (3, 4))::BIGINT AS timed, v.change::BIGINT AS change, v.district, v.beat,
  (SELECT m.type FROM core.{t}_meanings m WHERE m.code = v.meaning) AS type
FROM core.{t}_versions v WHERE v.off >= {first} AND v.off < {until}
UNION ALL
SELECT 1, off, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM core.{t}_gone WHERE off >= {first} AND off < {until}
UNION ALL
SELECT 2, off, NULL, NULL, valid_to, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM core.{t}_closed WHERE off >= {first} AND off < {until}
