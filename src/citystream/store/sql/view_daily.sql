-- A pane never crosses local midnight, so days of 23 and 25 hours come out right.
SELECT {name} AS dataset, {kind} AS kind, d.name AS district, day,
  timezone('UTC', timezone({timezone}, day::TIMESTAMP)) AS window_start,
  timezone('UTC', timezone({timezone}, (day + 1)::TIMESTAMP)) AS window_end, total, domestic
FROM (SELECT district, timezone({timezone}, make_timestamptz(pane * {width}::BIGINT))::DATE AS day,
        sum(n)::BIGINT AS total, sum(domestic)::BIGINT AS domestic
      FROM ({panes}) GROUP BY ALL HAVING sum(n) <> 0) w
JOIN core.{t}_districts d ON d.code = w.district
