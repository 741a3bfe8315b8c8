-- One row per window that was ever above the rule; observed is what the window holds now.
SELECT md5(concat_ws('|', a.detector, {name}, coalesce(y.name, ''), coalesce(d.name, ''),
    make_timestamp(a.pane * {width}::BIGINT)::VARCHAR)) AS alert_id,
  {name} AS dataset, a.detector, y.name AS type, d.name AS district,
  make_timestamp(a.pane * {width}::BIGINT) AS window_start,
  make_timestamp((a.pane + {length}) * {width}::BIGINT) AS window_end,
  a.observed, NULL::DOUBLE AS expected, NULL::DOUBLE AS score, NULL::DOUBLE AS recurrence_days,
  NULL::VARCHAR AS episode, CASE WHEN a.withdrawn_at < 0 THEN 'active' ELSE 'withdrawn' END AS status,
  a.raised_at AS raised_at_offset, nullif(a.withdrawn_at, -1) AS withdrawn_at_offset, {kind} AS kind
FROM ({alerts}) a
JOIN core.{t}_types y ON y.code = a.type JOIN core.{t}_districts d ON d.code = a.district
