-- One row per station, moment and measure with a published value. A value that stands for none is shown as none; one
-- that cannot be true is shown and flagged. The time's own word for a date that is none is not the value's.
SELECT dataset, city, kind, station, measure, observed_local, observed_at,
  CASE WHEN NOT list_contains(q.sentinels, w.value) THEN w.value END AS value, q.unit, lat, lon,
  nullif(concat_ws(',',
    CASE WHEN list_contains(q.sentinels, w.value) THEN 'sentinel'
      WHEN w.value < q.least OR w.value > q.greatest THEN 'implausible' END,
    replace(time_flags, 'sentinel', 'sentinel_time')), '') AS flags,
  first_seen_at, changed_at, log_offset
FROM (SELECT dataset, city, kind, station, observed_local, observed_at, time_flags, lat, lon, first_seen_at, changed_at,
        log_offset, {measures} FROM {rows}) UNPIVOT (value FOR measure IN ({measures})) w
JOIN (VALUES {rules}) q(measure, unit, least, greatest, sentinels) USING (measure)
