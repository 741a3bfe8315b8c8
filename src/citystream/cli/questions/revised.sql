-- What did the publishers revise after they had published it?
-- One line for each dataset: kinds are never added up. Seen only since the first visit, as from any portal.
SELECT r.dataset, r.kind, count(DISTINCT r.event_id) AS revised,
  count(DISTINCT r.event_id) FILTER (r.type IS DISTINCT FROM e.type) AS other_type,
  count(DISTINCT r.event_id) FILTER (r.native_code IS DISTINCT FROM e.native_code) AS other_code,
  count(DISTINCT r.event_id) FILTER (r.arrest IS DISTINCT FROM e.arrest) AS arrest,
  count(DISTINCT r.event_id) FILTER (r.status IS DISTINCT FROM e.status) AS status,
  count(DISTINCT r.event_id) FILTER (r.occurred_local IS DISTINCT FROM e.occurred_local) AS other_time,
  count(DISTINCT r.event_id) FILTER (r.lat IS DISTINCT FROM e.lat OR r.lon IS DISTINCT FROM e.lon) AS other_place
FROM revisions r JOIN events e ON e.dataset = r.dataset AND e.event_id = r.event_id
GROUP BY ALL ORDER BY r.dataset
