-- What `daily` is, in one statement over the current events: records and domestic records per local day and
-- district. The tables are kept up by increments and must equal this at every offset of the log.
SELECT dataset, kind, district, occurred_local::DATE AS day,
  count(*) AS total, count(*) FILTER (WHERE domestic) AS domestic
FROM events
WHERE occurred_local IS NOT NULL
GROUP BY ALL
