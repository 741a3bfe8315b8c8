-- Alerts that changed behind an offset, as they stand now.
SELECT a.* FROM alerts a
JOIN (SELECT DISTINCT r.detector, y.name AS type, d.name AS district, make_timestamp(r.pane * {width}::BIGINT) AS window_start
      FROM core.{t}_alerts r JOIN core.{t}_types y ON y.code = r.type JOIN core.{t}_districts d ON d.code = r.district
      WHERE r.up IS NULL AND r.off > {after}) c
  ON c.detector = a.detector AND c.window_start = a.window_start
  AND c.type IS NOT DISTINCT FROM a.type AND c.district IS NOT DISTINCT FROM a.district
WHERE a.dataset = {name}
UNION ALL
SELECT a.* FROM alerts a SEMI JOIN (FROM core.{t}_episodes WHERE written > {after}) e USING (detector, alert_id)
WHERE a.dataset = {name}
