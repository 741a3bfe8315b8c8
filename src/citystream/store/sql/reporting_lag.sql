-- How many events of the days from {first} to {last} were known n days after their day, for each n of {days}.
-- A day counts for n only if it is n days old too. Rows are counted per moment of fetching first, of which there are
-- few, so that clocks are asked for those alone.
SELECT n.days, sum(s.events) FILTER (s.age <= n.days)::BIGINT AS known, sum(s.events)::BIGINT AS final
FROM (SELECT day, events,
        greatest(0, timezone({zone}, timezone('UTC', first_seen_at))::DATE - day) AS age
      FROM (SELECT x.occurred_local::DATE AS day, x.first_seen_at, count(*) AS events
            FROM core.{t}_versions x LEFT JOIN core.{t}_closed c ON c.off = x.off
            WHERE x.valid_to = {open} AND c.off IS NULL
              AND x.occurred_local >= DATE '{first}' AND x.occurred_local < DATE '{last}' + 1
            GROUP BY ALL)) s
JOIN (SELECT unnest({days}) AS days) n ON s.day + n.days < DATE '{seen}'
GROUP BY n.days ORDER BY n.days
