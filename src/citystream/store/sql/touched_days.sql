-- Local days of each district in which a version began or ended behind an offset.
SELECT DISTINCT district, timezone({timezone}, timezone('UTC', occurred_at))::DATE AS day
FROM (SELECT district, occurred_at FROM core.{t}_versions
      WHERE off > {after} OR (valid_to > {after} AND valid_to < 9223372036854775807)
      UNION ALL SELECT v.district, v.occurred_at FROM core.{t}_closed c JOIN core.{t}_versions v ON v.off = c.off
      WHERE c.valid_to > {after})
WHERE occurred_at IS NOT NULL
