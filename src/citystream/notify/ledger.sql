-- What was told, to whom, and what waits. One file beside the store, which only its one writer may open for writing.
CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL) STRICT;
-- Since which log offset the alerts of a dataset are told at a target, by these wishes.
CREATE TABLE IF NOT EXISTS switched (
  target TEXT NOT NULL, dataset TEXT NOT NULL, wishes TEXT NOT NULL, since INTEGER NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (target, dataset)) STRICT;
-- state: intended (nothing was sent yet), sending, sent, failed (it did not arrive, and is tried again), unknown (it may
-- have arrived, and is not sent again), given_up.
CREATE TABLE IF NOT EXISTS messages (
  key TEXT PRIMARY KEY, target TEXT NOT NULL, made_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('intended', 'sending', 'sent', 'failed', 'unknown', 'given_up')),
  attempts INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL, error TEXT NOT NULL DEFAULT '') STRICT;
-- One row for each thing that is told at a target, once. While message is NULL nobody tried to send it, and it may change.
CREATE TABLE IF NOT EXISTS notifications (
  target TEXT NOT NULL, alert_id TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('raised', 'withdrawn')),
  dataset TEXT NOT NULL, content TEXT NOT NULL, noticed_at TEXT NOT NULL, held INTEGER NOT NULL,
  message TEXT REFERENCES messages(key), PRIMARY KEY (target, alert_id, what)) STRICT;
CREATE INDEX IF NOT EXISTS by_message ON notifications(message);
