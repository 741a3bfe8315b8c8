-- Public columns of readings, one row for what one station said at one moment; a position of the row's own comes first.
SELECT r.dataset, r.city, r.kind, r.event_id, r.type AS station, r.occurred_local AS observed_local,
  r.occurred_at AS observed_at, r.time_flags, r.district, coalesce(r.lat, s.lat) AS lat, coalesce(r.lon, s.lon) AS lon,
  CASE WHEN r.lat IS NULL AND s.lat IS NOT NULL THEN {precision} ELSE r.place_precision END AS place_precision,
  r.status, r.first_seen_at, r.changed_at, r.log_offset{attributes}
FROM ({versions}) r LEFT JOIN (VALUES {stations}) s(station, lat, lon) ON s.station = r.type
