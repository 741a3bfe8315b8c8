-- Tables that all datasets share. Everything in schema core is private; the views of schema main are public.
CREATE SCHEMA IF NOT EXISTS core;
CREATE TABLE IF NOT EXISTS core.engine(version VARCHAR);
CREATE TABLE IF NOT EXISTS core.layout(number INTEGER);
CREATE TABLE IF NOT EXISTS core.datasets(
  dataset VARCHAR, city VARCHAR, title VARCHAR, kind VARCHAR, timezone VARCHAR, notice VARCHAR, lag INTERVAL,
  columns VARCHAR, fingerprint VARCHAR, definition VARCHAR);
CREATE TABLE IF NOT EXISTS core.positions(dataset VARCHAR, log_offset BIGINT, fetched_at TIMESTAMP);
CREATE TABLE IF NOT EXISTS core.ledger(
  dataset VARCHAR, received BIGINT, inserted BIGINT, revised BIGINT, unchanged BIGINT, rejected BIGINT,
  vanished BIGINT, returned BIGINT);
CREATE TABLE IF NOT EXISTS core.commits(dataset VARCHAR, off BIGINT, fetched_at TIMESTAMP);
CREATE TABLE IF NOT EXISTS core.fetches(
  dataset VARCHAR, source VARCHAR, mode VARCHAR, started_at TIMESTAMP, finished_at TIMESTAMP, received BIGINT,
  publisher_count BIGINT, publisher_updated_at TIMESTAMP, cursor VARCHAR, fingerprint VARCHAR, columns VARCHAR,
  drift VARCHAR, state VARCHAR, detail VARCHAR);
-- when visits ended, as the log has noted it: they move the clock of detectors too
CREATE TABLE IF NOT EXISTS core.visits(
  dataset VARCHAR, number BIGINT, off BIGINT, finished_at TIMESTAMP, whole BOOLEAN);
