-- Days whose counts may have changed behind an offset, as they are now.
SELECT w.* FROM daily w JOIN ({touched}) t ON t.day = w.day AND t.district IS NOT DISTINCT FROM w.district
WHERE w.dataset = {name}
