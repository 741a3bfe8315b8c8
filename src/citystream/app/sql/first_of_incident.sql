-- True of a record that is the first of its incident to have come, if it is one of those that are asked for.
(incident_id IS NULL OR event_id IN (
  SELECT event_id FROM "{table}"
  WHERE type IS NOT NULL AND {where} IS NOT NULL AND occurred_at IS NOT NULL
    AND incident_id IN (SELECT incident_id FROM "{table}" WHERE {within})
  QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY first_seen_at, log_offset) = 1))
