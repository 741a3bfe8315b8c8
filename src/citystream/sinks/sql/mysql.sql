-- How far each dataset is, written in the same transaction as its rows.
CREATE TABLE IF NOT EXISTS delivered (
  dataset varchar(255) NOT NULL PRIMARY KEY, position bigint NOT NULL, fingerprint varchar(255) NOT NULL,
  delivered_at datetime(6) NOT NULL, kind varchar(32) NOT NULL, title mediumtext NOT NULL, notice mediumtext NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
COMMENT = 'What is here: how far the log of each dataset was read, what one row is, and the publisher''s notice.';
