-- Events that vanished behind an offset and have not returned.
SELECT coalesce(v.event_id, v.k::VARCHAR) AS event_id
FROM core.{t}_gone g JOIN core.{t}_versions v ON v.off = g.version_off LEFT JOIN core.{t}_closed c ON c.off = g.off
WHERE g.off > {after} AND g.valid_to = 9223372036854775807 AND c.off IS NULL
