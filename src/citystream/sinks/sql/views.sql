-- One row per dataset, district and local day.
CREATE OR REPLACE VIEW crime_per_district_day AS
SELECT total AS total_crimes, domestic AS domestic_crimes, district, window_start, window_end, dataset, kind
FROM daily;

-- Windows above the rule as the counts stand now; a window ends after it begins.
CREATE OR REPLACE VIEW crimes_anomaly AS
SELECT observed AS total_crimes, type AS primary_type, district, window_start, window_end, dataset, kind
FROM alerts WHERE status = 'active' AND detector = 'threshold';
