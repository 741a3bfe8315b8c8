"""All series of a dataset of readings: one `sensor` for each station and measure, and what became of its alerts.

>>> import numpy as np
>>> hours = np.arange(24 * 20)
>>> values = 10.0 + hours % 24 + hours * 7 % 5 / 10
>>> values[470] += 30
>>> sensors = Sensors(3600)
>>> gone, stand = sensors.take((0, 0), Readings(hours * 3600, hours % 24 * 2, values))
>>> [(each.first // 3600, name_of(each.kind)) for each in stand][0]
(470, 'spike')
"""

from __future__ import annotations

import numpy as np

from citystream.detect.arrays import State
from citystream.detect.reading_episodes import Episode, Episodes, name_of
from citystream.detect.sensor import Readings, Sensor
from citystream.ports import Integers

__all__ = ["Sensors", "name_of"]

#: A series: the numbers of its station and its measure.
Series = tuple[int, int]


class Sensors:
    """Series of one *step* (seconds), made as their first reading with a value comes."""

    def __init__(self, step: int) -> None:
        self.step = step
        self._sensors: dict[Series, Sensor] = {}
        self._episodes: dict[Series, Episodes] = {}

    def due(self) -> int:
        """Each reading says something."""
        return -(1 << 40)

    def take(self, series: Series, readings: Readings) -> tuple[list[Episode], list[Episode]]:
        """Learn what came of one *series*; returns the episodes that are no more, and those that are new or changed."""
        if series not in self._sensors:
            if np.isnan(readings.value).all():
                return [], []
            self._sensors[series], self._episodes[series] = Sensor(self.step), Episodes()
        before, after = self._episodes[series].replace(self._sensors[series].take(_last_wins(readings)))
        self._episodes[series].settle(self._sensors[series].newest)
        stand = {(each.kind, each.first) for each in after}
        # not a number is not itself: what is said of each is compared in words
        known = {repr(each) for each in before}
        gone = [each for each in before if (each.kind, each.first) not in stand]
        return gone, [each for each in after if repr(each) not in known]

    def state(self) -> State:
        """Everything that later results depend on."""
        made: State = {"series": np.array(sorted(self._sensors), np.int64).reshape(-1, 2)}
        for place, series in enumerate(sorted(self._sensors)):
            for name, array in self._sensors[series].state().items():
                made[f"{place}.{name}"] = array
            made[f"{place}.episodes"] = self._episodes[series].state()
        return made

    def restore(self, state: State) -> None:
        """Take what `state` gave."""
        for place, (station, measure) in enumerate(state["series"].tolist()):
            sensor = Sensor(self.step)
            names = ("filter", "bound", "readings")
            sensor.restore({name: np.asarray(state[f"{place}.{name}"], np.float64) for name in names})
            self._sensors[station, measure] = sensor
            self._episodes[station, measure] = Episodes.of_state(np.asarray(state[f"{place}.episodes"], np.float64))


def _last_wins(readings: Readings) -> Readings:
    """One reading for each moment, the last that was told, by time."""
    time: Integers = readings.time[::-1]
    _, first = np.unique(time, return_index=True)
    kept = len(time) - 1 - first
    return Readings(readings.time[kept], readings.slot[kept], readings.value[kept])
