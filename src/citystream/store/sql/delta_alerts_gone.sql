-- An alert never goes away: it is withdrawn.
SELECT alert_id FROM alerts WHERE false
