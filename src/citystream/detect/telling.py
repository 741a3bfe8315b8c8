"""What detectors are told of spans: changes of panes, in the half hours of the clock in which they came."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

import numpy as np

from citystream.detect.changes import ARCHIVE, NEW, REVISED, PaneDeltas
from citystream.detect.local_days import LocalClock
from citystream.detect.pulses import Pulses
from citystream.detect.spans import Versions
from citystream.ports import Booleans, Integers

_SLOTS_A_DAY = 48
#: Records that claim to occur longer than this after they were fetched are not counted.
_AHEAD = 7 * _SLOTS_A_DAY
#: A record is of long ago if it was fetched so long after the lag; of so many together (also as a share of all before)
#: it is an archive that was loaded, not a publisher that is late.
_LONG_AGO = 30 * _SLOTS_A_DAY
_MANY, _SHARE = 500, 0.05
#: A visit that brings an archive is one for so long.
_LOADING = _SLOTS_A_DAY


def begins_a_year(slots: Integers, clock: LocalClock) -> Booleans:
    """Which half hours (since 1970) are the first of a year."""
    days, halves = clock(slots)
    dates = days.astype("datetime64[D]")
    return np.asarray((halves == 0) & (dates == dates.astype("datetime64[Y]").astype("datetime64[D]")))


def long_ago(slots: Integers, lag: int) -> Integers:
    """Before which slot a record that comes in each of *slots* is of long ago."""
    return slots - _LONG_AGO - lag


def archives(many: Integers, old: Integers, counted: int) -> Integers:
    """1 for each pulse that brought an archive, of *many* new records of which some are *old*: the first that brought
    anything, and those of which most are old; *counted* came before.
    """
    before = counted + np.cumsum(many) - many
    mostly = (old * 2 > many) & (old >= _MANY) & (old >= _SHARE * before)
    return np.asarray((many > 0) & ((before == 0) | mostly), np.int64)


def loads(pulses: Pulses, first: int, came: tuple[Integers, Integers], counted: int) -> Pulses:
    """*pulses* with their archives marked, from place *first* on; each of them but the last brought so many new and old
    records (*came*), and *counted* came before.

    A listing of years is read for hours: pulses that go on with an archive, of the same visit and with most records
    still of long ago, are one with it, so that it is learnt once. One that may go on in the last pulse stays open:
    pulses end with it then.
    """
    many, old = came
    brought = archives(many, old, counted)
    pulses = replace(pulses, archive=pulses.archive.copy())
    pulses.archive[first:-1] |= brought
    kept, after = np.ones(len(pulses), bool), first
    for begun in (np.flatnonzero(brought) + first).tolist():
        if begun < after:
            continue
        after = _loaded(pulses, begun, many[begun - first :], old[begun - first :])
        kept[begun + 1 : after] = False
    return pulses.take(np.flatnonzero(kept))


def _loaded(pulses: Pulses, begun: int, many: Integers, old: Integers) -> int:
    """The place after the pulses that are one with that at *begun*, from which on *many* records came, some *old*; of
    the last pulse it is not known yet how many, so it counts as one that goes on.
    """
    mostly = [*(np.cumsum(old) * 2 > np.cumsum(many)), True]
    if not mostly[0]:
        return begun + 1
    goes_on = (
        mostly[place - begun] and pulses.goes_on(place) and pulses.slot[place] - pulses.slot[begun] <= _LOADING
        for place in range(begun + 1, len(pulses))
    )
    return begun + 1 + len(list(takewhile(bool, goes_on)))


def told(found: Versions, pulses: Pulses, places: tuple[int, int], lag: int) -> PaneDeltas:
    """The changes that came in the pulses from *places*[0] to before *places*[1], by the spans *found*.

    A span that began and ended in one pulse was never seen. What came with an archive came when it was published.
    """
    first, until = (int(pulses.first[place]) for place in places)
    found = found.take(found.slot <= pulses.slot[pulses.of(found.off)] + _AHEAD)
    begun = pulses.of(found.off)
    ended = np.where(found.until < until, pulses.of(np.minimum(found.until, until)), len(pulses))
    found, begun, ended = found.take(begun != ended), begun[begun != ended], ended[begun != ended]
    published = found.slot + lag
    loaded = (pulses.archive[begun] == 1) & (published <= pulses.slot[begun])
    since = np.where(loaded, published, np.maximum(pulses.slot[begun], found.slot))
    origin = np.where(loaded, ARCHIVE, np.where(found.change == 0, NEW, REVISED))
    came = (found.off >= first) & (found.off < until)
    went = (found.until >= first) & (found.until < until)
    left = np.maximum(pulses.slot[np.minimum(ended, len(pulses) - 1)], since)
    one = np.ones(len(found), np.int64)
    parts = [
        PaneDeltas(found.slot, found.district, found.type, found.timed, sign * one, since, at, origin).take(which)
        for sign, at, which in ((1, since, came), (-1, left, went))
    ]
    return PaneDeltas.joined(parts)
