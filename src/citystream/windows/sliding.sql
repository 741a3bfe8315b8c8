-- What `sliding` is, in one statement over the current events: records per type and district in windows of $size
-- minutes that start every $slide minutes on the UTC axis; one that starts at s holds s <= t < s + size.
SELECT dataset, kind, type, district, window_start, window_start + to_minutes($size) AS window_end, count(*) AS total
FROM (SELECT dataset, kind, type, district, occurred_at,
        unnest(range(time_bucket(to_minutes($slide), occurred_at, TIMESTAMP '1970-01-01'),
          occurred_at - to_minutes($size), to_minutes(-$slide))) AS window_start
      FROM events
      WHERE dataset = $dataset AND occurred_at IS NOT NULL AND time_precision <> 'day')
GROUP BY ALL
