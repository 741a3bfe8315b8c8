-- Reported records per 1,000 residents in complete calendar years: one row per dataset and year, so that kinds never
-- meet. A year is complete if each of its 52 weeks from January 1 has records, and if the newest record was fetched
-- after its end and the dataset's lag. The denominator is the verified number of residents of the nearest year within
-- five, a census before an estimate; its year, kind and status are said. low and high are Byar's approximation of the
-- 95 % interval of a count.
CREATE TEMP VIEW rates AS
WITH years AS (
  SELECT dataset, kind, year(day) AS year, sum(total)::BIGINT AS total, count(DISTINCT day) AS days
  FROM daily GROUP BY ALL
  HAVING count(DISTINCT (dayofyear(day) - 1) // 7) FILTER (dayofyear(day) <= 364) = 52),
complete AS (
  SELECT y.*, d.city FROM years y JOIN core.datasets d USING (dataset) JOIN positions p USING (dataset)
  WHERE timezone(d.timezone, timezone('UTC', p.fetched_at)) >= make_date(y.year + 1, 1, 1) + d.lag),
per AS (
  SELECT c.dataset, c.kind, c.city, c.year, c.total, c.days, p.residents, p.year AS population_year,
    p.kind AS population_kind, p.status AS population_status
  FROM complete c JOIN populations p ON p.city = c.city AND p.status <> 'unverified' AND abs(p.year - c.year) <= 5
  QUALIFY row_number() OVER (PARTITION BY c.dataset, c.year
    ORDER BY abs(p.year - c.year), p.kind <> 'census', p.year) = 1)
SELECT * EXCLUDE (residents, population_year, population_kind, population_status),
  1000 * total / residents AS per_1000,
  1000 * total * (1 - 1 / (9 * total) - 1.96 / (3 * sqrt(total))) ** 3 / residents AS low,
  1000 * (total + 1) * (1 - 1 / (9 * (total + 1)) + 1.96 / (3 * sqrt(total + 1))) ** 3 / residents AS high,
  residents, population_year, population_kind, population_status
FROM per
