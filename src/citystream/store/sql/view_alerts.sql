-- One row per alert that was ever raised: windows above the fixed rule, with what each holds now, and the episodes of the
-- detectors that follow the store.
SELECT md5(concat_ws('|', a.detector, {name}, coalesce(y.name, ''), coalesce(d.name, ''),
    make_timestamp(a.pane * {width}::BIGINT)::VARCHAR)) AS alert_id,
  {name} AS dataset, a.detector, y.name AS type, d.name AS district,
  make_timestamp(a.pane * {width}::BIGINT) AS window_start,
  make_timestamp((a.pane + {length}) * {width}::BIGINT) AS window_end,
  a.observed::DOUBLE AS observed, NULL::DOUBLE AS expected, NULL::DOUBLE AS score, NULL::DOUBLE AS recurrence_days,
  NULL::VARCHAR AS episode, CASE WHEN a.withdrawn_at < 0 THEN 'active' ELSE 'withdrawn' END AS status,
  a.raised_at AS raised_at_offset, nullif(a.withdrawn_at, -1) AS withdrawn_at_offset, {kind} AS kind,
  'more' AS direction, NULL::TIMESTAMP AS first_alarm, NULL::TIMESTAMP AS last_alarm, NULL::VARCHAR AS areas,
  NULL::DOUBLE AS lo95, NULL::DOUBLE AS hi95, NULL::DOUBLE AS completeness, NULL::VARCHAR AS feed_state,
  NULL::BOOLEAN AS provisional, NULL::VARCHAR AS reason
FROM ({alerts}) a
JOIN core.{t}_types y ON y.code = a.type JOIN core.{t}_districts d ON d.code = a.district
UNION ALL BY NAME
SELECT e.alert_id, {name} AS dataset, e.detector, e.type, e.district, e.window_start, e.window_end, e.observed,
  e.expected, e.score, e.recurrence_days, strftime(e.episode, '%Y-%m-%dT%H:%M') AS episode,
  CASE WHEN e.active THEN 'active' ELSE 'withdrawn' END AS status, e.raised_at AS raised_at_offset,
  e.withdrawn_at AS withdrawn_at_offset, {kind} AS kind, e.direction, e.first_alarm, e.last_alarm, e.areas, e.lo95,
  e.hi95, e.completeness, e.feed_state, e.provisional, e.reason
FROM core.{t}_episodes e WHERE e.off <= {last}
QUALIFY row_number() OVER (PARTITION BY e.detector, e.alert_id ORDER BY e.off DESC, e.clock DESC) = 1
