SELECT {name} AS dataset, received, inserted, revised,
  received - inserted - revised - rejected - vanished - returned AS unchanged, rejected, vanished, returned
FROM (SELECT {cut}::BIGINT + 1 AS received, count(*) FILTER (change = 0) AS inserted,
        count(*) FILTER (change = 1) AS revised, count(*) FILTER (change = 2) AS returned
      FROM core.{t}_versions WHERE off <= {cut}),
  (SELECT count(*) AS rejected FROM core.{t}_rejects WHERE off <= {cut}),
  (SELECT count(*) AS vanished FROM core.{t}_gone WHERE off <= {cut})
