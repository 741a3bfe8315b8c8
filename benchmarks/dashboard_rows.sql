-- {rows} made events of Chicago's shape: 25 years, skewed districts, types, premises and hours, hot spots. The versions
-- of a store, so that everything above it reads them as it reads real ones.
INSERT INTO core.chicago_crimes_versions BY NAME
WITH drawn AS (
  SELECT i, hash(i, 1) % 1000000 / 1e6 AS a, hash(i, 2) % 1000000 / 1e6 AS b, hash(i, 3) % 1000000 / 1e6 AS c,
    hash(i, 4) % 1000000 / 1e6 AS d, hash(i, 5) % 1000000 / 1e6 AS e, hash(i, 6) % 1000000 / 1e6 AS f
  FROM range({rows}) r(i)),
placed AS (
  SELECT *, (25 * a ** 1.3)::INTEGER % 25 AS area, (40000 * b ** 1.5)::INTEGER AS block,
    TIMESTAMP '2001-01-01' + to_seconds(((i + 0.002 * c * {rows}) * (787340000 / {rows}))::BIGINT) AS happened FROM drawn)
SELECT i AS k, 'JB' || i AS incident_id, (320 * c ** 2.2)::INTEGER % 320 + 1 AS meaning, happened AS occurred_local,
  happened + INTERVAL 6 HOUR AS occurred_at, (CASE WHEN d < 0.05 THEN 4 ELSE 0 END)::UTINYINT AS time_precision,
  (CASE WHEN d < 0.05 THEN 1 ELSE 0 END)::UTINYINT AS time_flags, lpad((area + 1)::VARCHAR, 3, '0') AS district,
  (area * 100 + 100 + (11 * b)::INTEGER)::VARCHAR AS beat, (3 * area + (3 * b)::INTEGER)::VARCHAR AS neighbourhood,
  0::UTINYINT AS derived_areas,
  CASE WHEN e > 0.01 THEN round(41.65 + (area // 5) * 0.07 + (block % 200) * 0.00035, 5) END AS lat,
  CASE WHEN e > 0.01 THEN round(-87.9 + (area % 5) * 0.07 + (block // 200) * 0.00035, 5) END AS lon,
  (CASE WHEN e > 0.01 THEN 1 ELSE 5 END)::UTINYINT AS place_precision,
  (CASE WHEN e > 0.01 THEN 0 ELSE 1 END)::UTINYINT AS place_reason,
  lpad((block // 10)::VARCHAR, 5, '0') || ' W MADE ST' AS address, f < 0.13 AS domestic, e < 0.25 AS arrest,
  'PREMISES ' || (150 * f ** 3)::INTEGER AS location_description, (area * 2)::BIGINT AS ward,
  (3 * area + (3 * b)::INTEGER)::BIGINT AS community_area, ((320 * c ** 2.2)::INTEGER % 26)::VARCHAR AS fbi_code,
  round(1100000 + block * 3.0, 0) AS x_coordinate, round(1800000 + area * 9.0, 0) AS y_coordinate,
  happened + INTERVAL 8 DAY AS updated_on, 0 AS version, i::UBIGINT AS h, 0::UTINYINT AS change, happened + INTERVAL 8 DAY AS first_seen_at,
  happened + INTERVAL 8 DAY AS changed_at, i AS off, 9223372036854775807 AS valid_to
FROM placed;
INSERT INTO core.chicago_crimes_meanings
SELECT i + 1, i // 10, 'TYPE ' || (i // 10), 'IUCR', lpad(i::VARCHAR, 4, '0'), 'LABEL ' || i, (100 + i // 10)::VARCHAR,
  'exact', 'category ' || (i // 20), ['person', 'property', 'society'][i % 3 + 1], ['violent', 'property', 'other'][i % 3 + 1],
  i % 20 = 0
FROM range(320) r(i);
INSERT INTO core.chicago_crimes_types SELECT i + 1, 'TYPE ' || i FROM range(32) r(i);
INSERT INTO core.chicago_crimes_districts SELECT i + 1, lpad((i + 1)::VARCHAR, 3, '0') FROM range(25) r(i);
INSERT INTO core.positions VALUES ('chicago/crimes', {rows}, TIMESTAMP '2026-01-10 06:00:00');
INSERT INTO core.commits VALUES ('chicago/crimes', {rows} - 1, TIMESTAMP '2026-01-10 06:00:00');
INSERT INTO core.ledger VALUES ('chicago/crimes', {rows}, {rows}, 0, 0, 0, 0, 0);
