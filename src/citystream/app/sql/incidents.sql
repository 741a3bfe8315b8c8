-- One row for each incident of {table} that has a type and a time: as its record says that came first.
SELECT type, district, occurred_local::DATE AS day, epoch_us(occurred_at) // 1800000000 AS slot,
  epoch_us(first_seen_at) // 1800000000 AS seen, (epoch_us(occurred_local) // 1800000000) % 48 AS half_hour,
  time_precision NOT IN ('day', 'unknown') AS timed
FROM "{table}"
WHERE type IS NOT NULL AND occurred_local IS NOT NULL AND occurred_local >= DATE '{first}'
  AND occurred_local < DATE '{last}' + 1
{merged}
