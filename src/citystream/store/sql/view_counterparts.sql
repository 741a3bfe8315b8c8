-- Events of two datasets that agree in time, district, rounded position and category: the n-th of one with the n-th of the other.
SELECT {name} AS dataset, a.event_id, {other} AS other_dataset, b.event_id AS other_event_id, a.occurred_local, a.district, a.category
FROM (SELECT event_id, occurred_local, district, category, round(lat, {decimals}) AS lat, round(lon, {decimals}) AS lon,
        row_number() OVER (PARTITION BY occurred_local, district, category, round(lat, {decimals}), round(lon, {decimals})
          ORDER BY event_id) AS n
      FROM "{table}" WHERE occurred_local::DATE BETWEEN '{first}' AND '{last}') a
JOIN (SELECT event_id, occurred_local, district, category, round(lat, {decimals}) AS lat, round(lon, {decimals}) AS lon,
        row_number() OVER (PARTITION BY occurred_local, district, category, round(lat, {decimals}), round(lon, {decimals})
          ORDER BY event_id) AS n
      FROM "{other_table}" WHERE occurred_local::DATE BETWEEN '{first}' AND '{last}') b
ON a.occurred_local = b.occurred_local AND a.n = b.n AND a.district IS NOT DISTINCT FROM b.district
  AND a.category IS NOT DISTINCT FROM b.category
  AND a.lat IS NOT DISTINCT FROM b.lat AND a.lon IS NOT DISTINCT FROM b.lon
