-- Alerts whose count or status changed behind an offset, as they stand now.
SELECT a.* FROM alerts a
JOIN (SELECT DISTINCT r.detector, y.name AS type, d.name AS district, make_timestamp(r.pane * {width}::BIGINT) AS window_start
      FROM core.{t}_alerts r JOIN core.{t}_types y ON y.code = r.type JOIN core.{t}_districts d ON d.code = r.district
      WHERE r.up IS NULL AND r.off > {after}) c
  ON c.detector = a.detector AND c.window_start = a.window_start
  AND c.type IS NOT DISTINCT FROM a.type AND c.district IS NOT DISTINCT FROM a.district
WHERE a.dataset = {name}
