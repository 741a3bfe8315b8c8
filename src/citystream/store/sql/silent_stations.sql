-- Stations of {table} and when each of their measures was said last, with the gap that 99 of 100 of a station's gaps do
-- not exceed, by the {days} days before the newest reading.
WITH newest AS (SELECT max(observed_at) AS moment FROM "{table}" WHERE observed_at <= TIMESTAMP '{until}'),
lately AS (
  FROM "{table}" SELECT DISTINCT ON (station, observed_at) station, observed_at, {measures}
  WHERE observed_at > (SELECT moment FROM newest) - INTERVAL {days} DAY AND observed_at <= TIMESTAMP '{until}'
  ORDER BY station, observed_at, log_offset DESC),
gaps AS (
  SELECT *, epoch(observed_at) - epoch(lag(observed_at) OVER (PARTITION BY station ORDER BY observed_at)) AS gap
  FROM lately)
SELECT station, (SELECT moment FROM newest) AS newest, quantile_disc(gap, 0.99) AS longest, max(observed_at) AS said, {last}
FROM gaps WHERE station IS NOT NULL GROUP BY station ORDER BY station
