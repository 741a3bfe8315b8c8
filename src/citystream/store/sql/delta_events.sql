-- Events that are new or changed behind an offset.
SELECT * FROM "{t}" WHERE log_offset > {after}
