-- Alerts as they stood at offset {cut}: from every raising and withdrawal up to it, and the panes as known then.
SELECT s.detector, s.type, s.district, s.pane, coalesce(w.observed, 0) AS observed, s.raised_at,
  CASE WHEN s.raised THEN -1 ELSE s.withdrawn_at END AS withdrawn_at
FROM (SELECT detector, type, district, pane, max(off) FILTER (up) AS raised_at,
        max(off) FILTER (NOT up) AS withdrawn_at, arg_max(up, off) AS raised
      FROM core.{t}_alerts WHERE up IS NOT NULL AND off <= {cut} GROUP BY ALL) s
LEFT JOIN (SELECT type, district, pane - j AS pane, sum(n)::BIGINT AS observed
           FROM ({panes}) p, range({length}) r(j) WHERE timed GROUP BY ALL) w
  USING (type, district, pane)
