-- The tables of one dataset, {t}. A version is never copied: revising a record appends its new version and the
-- closing of the old one; closings are folded into valid_to now and then. off is the position in the log.
CREATE TABLE IF NOT EXISTS core.{t}_versions({columns}, version BIGINT, h UBIGINT, change UTINYINT,
  first_seen_at TIMESTAMP, changed_at TIMESTAMP, off BIGINT, valid_to BIGINT);
CREATE TABLE IF NOT EXISTS core.{t}_closed(off BIGINT, valid_to BIGINT);
-- a record that a complete listing no longer had: since offset off, until it returned at valid_to
CREATE TABLE IF NOT EXISTS core.{t}_gone(
  k BIGINT, off BIGINT, version_off BIGINT, vanished_at TIMESTAMP, valid_to BIGINT);
-- newest version numbers of records that were touched without being changed
CREATE TABLE IF NOT EXISTS core.{t}_touched(k BIGINT, version BIGINT);
-- signed: sum(n) over a pane is the number of current records in it
CREATE TABLE IF NOT EXISTS core.{t}_panes(
  type USMALLINT, district USMALLINT, timed BOOLEAN, pane INTEGER, n INTEGER, domestic INTEGER);
-- Two sorts of rows. up is NULL: how an alert stood after the batch that ended at off; the newest one counts, older ones
-- are removed now and then. up is true or false: the record at off raised or withdrew it; these stay for ever.
CREATE TABLE IF NOT EXISTS core.{t}_alerts(
  detector VARCHAR, type USMALLINT, district USMALLINT, pane INTEGER, off BIGINT, up BOOLEAN, observed BIGINT,
  raised_at BIGINT, withdrawn_at BIGINT);
-- How the alerts of detectors that follow the store stood since offset off; rows are never changed. written: how far the
-- store was when a row was written.
CREATE TABLE IF NOT EXISTS core.{t}_episodes(detector VARCHAR, written BIGINT, {episode});
-- how far each of these detectors has come, and what it remembers
CREATE TABLE IF NOT EXISTS core.{t}_followed(
  detector VARCHAR, settings VARCHAR, clock BIGINT, state BLOB);
CREATE TABLE IF NOT EXISTS core.{t}_rejects(off BIGINT, reason VARCHAR, detail VARCHAR, value VARCHAR);
CREATE TABLE IF NOT EXISTS core.{t}_types(code USMALLINT, name VARCHAR);
CREATE TABLE IF NOT EXISTS core.{t}_districts(code USMALLINT, name VARCHAR);
CREATE TABLE IF NOT EXISTS core.{t}_meanings(
  code INTEGER, type_code USMALLINT, type VARCHAR, native_scheme VARCHAR, native_code VARCHAR,
  native_label VARCHAR, nibrs_code VARCHAR, confidence VARCHAR, category VARCHAR, crime_against VARCHAR,
  ucr_group VARCHAR, sensitive BOOLEAN);
