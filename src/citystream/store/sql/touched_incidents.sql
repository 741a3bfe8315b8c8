-- The incidents of which a version began or ended from offset {first} to before {until}.
SELECT {incident} AS incident FROM core.{t}_versions WHERE off >= {first} AND off < {until}
UNION
SELECT {incident} FROM core.{t}_versions WHERE valid_to >= {first} AND valid_to < {until}
UNION
SELECT {incident} FROM core.{t}_versions
SEMI JOIN (FROM core.{t}_closed c WHERE c.valid_to >= {first} AND c.valid_to < {until}) c USING (off)
