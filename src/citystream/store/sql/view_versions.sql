-- Public columns of versions v, in public order.
SELECT {name} AS dataset, {city} AS city, {kind} AS kind, coalesce(v.event_id, v.k::VARCHAR) AS event_id,
  v.incident_id, v.occurred_local, v.occurred_at, v.occurred_end_local,
  ['second', 'half_hour', 'hour', 'day', 'unknown'][v.time_precision + 1] AS time_precision,
  nullif(concat_ws(',', CASE WHEN v.time_flags & 1 <> 0 THEN 'placeholder' END,
    CASE WHEN v.time_flags & 2 <> 0 THEN 'gap' END, CASE WHEN v.time_flags & 4 <> 0 THEN 'fold' END,
    CASE WHEN v.time_flags & 8 <> 0 THEN 'sentinel' END, CASE WHEN v.time_flags & 16 <> 0 THEN 'future' END,
    CASE WHEN v.time_flags & 32 <> 0 THEN 'after_report' END), '') AS time_flags,
  v.reported_at, m.type, m.native_code, m.native_scheme, m.native_label, m.nibrs_code, m.confidence, m.category,
  m.crime_against, m.ucr_group, v.district, v.beat, v.neighbourhood,
  nullif(concat_ws(',', CASE WHEN v.derived_areas & 1 <> 0 THEN 'district' END,
    CASE WHEN v.derived_areas & 2 <> 0 THEN 'beat' END,
    CASE WHEN v.derived_areas & 4 <> 0 THEN 'neighbourhood' END), '') AS derived_areas, v.lat, v.lon,
  ['exact', 'block', 'intersection', 'area', 'withheld', 'missing'][v.place_precision + 1] AS place_precision,
  v.address, v.domestic, v.arrest, v.status, v.first_seen_at, v.changed_at, v.off AS log_offset{more}
FROM ({versions}) v JOIN core.{t}_meanings m ON m.code = v.meaning
