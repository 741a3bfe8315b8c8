-- Days that may have lost their last event behind an offset.
SELECT {name} AS dataset, {kind} AS kind, t.district, t.day
FROM ({touched}) t LEFT JOIN (SELECT district, day, true AS there FROM daily WHERE dataset = {name}) w
  ON t.day = w.day AND t.district IS NOT DISTINCT FROM w.district
WHERE w.there IS NULL
