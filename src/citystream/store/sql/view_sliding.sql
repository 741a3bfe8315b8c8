-- A window that starts at pane s holds the panes s .. s + length - 1; starts lie on the slide's grid.
SELECT {name} AS dataset, {kind} AS kind, y.name AS type, d.name AS district,
  make_timestamp(start * {width}::BIGINT) AS window_start,
  make_timestamp((start + {length}) * {width}::BIGINT) AS window_end, total
FROM (SELECT type, district, pane - j AS start, sum(n)::BIGINT AS total
      FROM ({panes}) p, range({length}) r(j) WHERE timed AND (pane - j) % {step} = 0
      GROUP BY ALL HAVING sum(n) <> 0) w
JOIN core.{t}_types y ON y.code = w.type JOIN core.{t}_districts d ON d.code = w.district
