-- Of how much is it known where it happened?
-- Rows without a position stay in every count: withheld by the publisher, or missing.
SELECT dataset, kind, count(*) AS events,
  round(100.0 * count(*) FILTER (lat IS NOT NULL) / count(*), 1)::DOUBLE AS with_position_percent,
  round(100.0 * count(*) FILTER (lat IS NULL AND place_precision = 'area') / count(*), 1)::DOUBLE AS area_only_percent,
  round(100.0 * count(*) FILTER (place_precision = 'withheld') / count(*), 1)::DOUBLE AS withheld_percent,
  round(100.0 * count(*) FILTER (place_precision = 'missing') / count(*), 1)::DOUBLE AS missing_percent
FROM events GROUP BY ALL ORDER BY dataset
