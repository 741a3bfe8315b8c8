-- How far each dataset is, written in the same transaction as its rows.
CREATE TABLE delivered (
  dataset text PRIMARY KEY, position bigint NOT NULL, fingerprint text NOT NULL, delivered_at timestamptz NOT NULL,
  kind text NOT NULL, title text NOT NULL, notice text NOT NULL
);

COMMENT ON TABLE delivered IS 'What is here: how far the log of each dataset was read (position), what one row of it is (kind), and what its publisher wants to be said (notice).';
