-- Current events per district, category and week of the local calendar; a week is named by its Monday.
SELECT dataset, kind, district, date_trunc('week', occurred_local)::DATE AS week, category, count(*)::BIGINT AS total
FROM ({events}) e
WHERE occurred_local IS NOT NULL
GROUP BY ALL
