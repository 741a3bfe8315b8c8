-- How many records came for the first time from offset {first} to before {until}, by the pulses in which they did, and
-- how many of them occurred before the half hour that the pulse says.
SELECT p.place, count(*) AS many, count(*) FILTER (epoch_us(x.occurred_at) // 1800000000 < p.before) AS old
FROM core.{t}_versions x ASOF JOIN pulses p ON x.off >= p.first
WHERE x.change = 0 AND x.occurred_at IS NOT NULL AND x.off >= {first} AND x.off < {until}
GROUP BY p.place
