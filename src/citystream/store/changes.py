"""From a batch of records and what stood before it to what changes: pure NumPy, before any transaction begins.

Every real change becomes a version, also inside a batch, so that the tables do not depend on where the log is
cut. The state of a record before a row is the row before it with the same id, or what the index remembers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citystream import panes
from citystream.ports import Booleans, Integers, PaneChanges

OPEN = 2**63 - 1
NEVER = np.iinfo(np.int64).min

INSERTED, REVISED, RETURNED = 0, 1, 2
DEAD = -1


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch in log order. *packed* is ``pane key << 1 | domestic``; *version* is `NEVER` where unknown."""

    k: Integers
    off: Integers
    h: npt.NDArray[np.uint64]
    gone: Booleans
    packed: Integers
    version: Integers | None
    fetched: Integers


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of ids, one entry per sorted unique id of the batch.

    *off*: offset of the version that stands (of the ``gone`` record for vanished ids), -1 for ids never seen;
    *packed* is `DEAD` for vanished ids; *first*: second of the first fetch.
    """

    off: Integers
    h: npt.NDArray[np.uint64]
    packed: Integers
    version: Integers
    first: Integers


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that a batch changes; `row_*` point into the batch, `*_off` are log offsets."""

    row: npt.NDArray[np.intp]
    """batch rows that become versions, ascending"""
    change: npt.NDArray[np.uint8]
    first: Integers
    valid_to: Integers
    closed_off: Integers
    closed_to: Integers
    gone_off: Integers
    gone_version: Integers
    gone_k: Integers
    gone_to: Integers
    gone_fetched: Integers
    touched_k: Integers
    touched_version: Integers
    pane_key: Integers
    pane_n: Integers
    pane_domestic: Integers
    timed: PaneChanges
    inserted: int
    revised: int
    returned: int
    vanished: int
    unchanged: int
    ids: Integers
    """ids whose standing changed, with the standing they have now"""
    standing: Standing
    touched_ids: Booleans
    """which of the sorted unique ids `ids` are"""


@dataclass(frozen=True, slots=True)
class _Ordered:
    """A batch sorted by id, then offset, without the rows that an already newer version makes stale."""

    row: npt.NDArray[np.intp]
    group: npt.NDArray[np.intp]
    first: Booleans
    last: Booleans
    highest: Integers
    """newest version of each id after the batch"""


def unique_ids(rows: Rows) -> tuple[Integers, npt.NDArray[np.intp]]:
    """The sorted unique ids of a batch, and the order that sorts it by id, then offset (a batch is in log order)."""
    order = np.argsort(rows.k, kind="stable")
    ids = rows.k[order]
    return ids[panes.run_starts(ids)], order


def compare(rows: Rows, order: npt.NDArray[np.intp], ids: Integers, before: Standing) -> Changes:
    """What *rows* change, given what stood *before* for their sorted unique *ids*."""
    it = _without_stale(rows, order, before)
    gone, h, off, packed = rows.gone[it.row], rows.h[it.row], rows.off[it.row], rows.packed[it.row]
    seen_before, was_alive, was_h, was_packed = _previous(it, gone, h, packed, before)
    changed = np.where(gone, was_alive, ~was_alive | (was_h != h))
    at = np.flatnonzero(changed)
    group = it.group[at]
    head = panes.run_starts(group)
    tail = _ends(group)
    ends_at = np.full(len(at), OPEN, np.int64)
    ends_at[~tail] = off[at[1:]][~tail[:-1]] if len(at) else off[:0]
    kind = np.where(was_alive[at], REVISED, np.where(seen_before[at], RETURNED, INSERTED)).astype(np.uint8)
    is_gone = gone[at]
    predecessor = np.where(head, before.off[group], np.roll(off[at], 1))
    first = _first_seen(rows, it, before, gone)
    known = before.off[group] >= 0
    closes = head & known
    standing, ids_changed = _standing_after(rows, it, at, before, first)
    version_at = at[~is_gone]
    by_offset = np.argsort(it.row[version_at], kind="stable")
    key, n, domestic, timed = _pane_changes(off[at], packed[at], ~is_gone, was_packed[at], was_alive[at])
    touched = _touched(rows, it, at, gone, before)
    counts = np.bincount(kind[~is_gone], minlength=3)
    return Changes(
        row=it.row[version_at][by_offset],
        change=kind[~is_gone][by_offset],
        first=first[it.group[version_at]][by_offset],
        valid_to=ends_at[~is_gone][by_offset],
        closed_off=before.off[group][closes],
        closed_to=off[at][closes],
        gone_off=off[at][is_gone],
        gone_version=predecessor[is_gone],
        gone_k=ids[group][is_gone],
        gone_to=ends_at[is_gone],
        gone_fetched=rows.fetched[it.row][at][is_gone],
        touched_k=ids[touched],
        touched_version=it.highest[touched],
        pane_key=key,
        pane_n=n,
        pane_domestic=domestic,
        timed=timed,
        inserted=int(counts[INSERTED]),
        revised=int(counts[REVISED]),
        returned=int(counts[RETURNED]),
        vanished=int(is_gone.sum()),
        unchanged=len(rows.k) - len(at),
        ids=ids[ids_changed],
        standing=standing,
        touched_ids=ids_changed,
    )


def _ends(groups: npt.NDArray[np.intp]) -> Booleans:
    ends = np.ones(len(groups), bool)
    ends[:-1] = groups[1:] != groups[:-1]
    return ends


def _without_stale(rows: Rows, order: npt.NDArray[np.intp], before: Standing) -> _Ordered:
    """Drop rows older than a version already seen; a row without a version is never stale."""
    group = np.cumsum(panes.run_starts(rows.k[order])) - 1
    highest = before.version
    if rows.version is not None and len(before.off) == len(order) and not (before.off >= 0).any():
        highest = rows.version[order]  # every id is new and comes once: nothing can be stale
    elif rows.version is not None:
        version = rows.version[order]
        running = _running_highest(group, version, before.version)
        fresh = (version == NEVER) | (version >= running)
        highest = before.version.copy()
        np.maximum.at(highest, group, version)
        order, group = order[fresh], group[fresh]
    return _Ordered(order, group, panes.run_starts(group), _ends(group), highest)


def _running_highest(group: npt.NDArray[np.intp], version: Integers, before: Integers) -> Integers:
    """The newest version of the id seen before each row of its sorted group."""
    if not len(group):
        return version
    values, rank = np.unique(np.concatenate([version, before]), return_inverse=True)
    span = len(values)
    first = panes.run_starts(group)
    seed = rank[len(version) :][group]
    previous = np.where(first, seed, np.roll(rank[: len(version)], 1))
    climbing = np.maximum.accumulate(np.maximum(previous, seed) + group * span)
    return np.asarray(values[climbing - group * span], np.int64)


def _previous(
    it: _Ordered,
    gone: Booleans,
    h: npt.NDArray[np.uint64],
    packed: Integers,
    before: Standing,
) -> tuple[Booleans, Booleans, npt.NDArray[np.uint64], Integers]:
    """Of each row: was its id ever seen, was it alive, with which hash and pane, just before it."""
    alive = (before.off >= 0) & (before.packed != DEAD)
    was_alive = np.where(it.first, alive[it.group], ~np.roll(gone, 1))
    was_h = np.where(it.first, before.h[it.group], np.roll(h, 1))
    was_packed = np.where(it.first, before.packed[it.group], np.roll(packed, 1))
    seen = np.cumsum(~gone)
    base: Integers = (seen - ~gone)[it.first]
    earlier = seen - ~gone - base[np.cumsum(it.first) - 1] if len(seen) else seen
    return (before.off[it.group] >= 0) | (earlier > 0), was_alive, was_h, was_packed


def _first_seen(rows: Rows, it: _Ordered, before: Standing, gone: Booleans) -> Integers:
    """For each id, the second in which it was first fetched."""
    first = before.first.copy()
    seen = np.flatnonzero(~gone)
    lead = seen[panes.run_starts(it.group[seen])]
    new = before.off[it.group[lead]] < 0
    first[it.group[lead[new]]] = rows.fetched[it.row[lead[new]]]
    return first


def _standing_after(
    rows: Rows, it: _Ordered, at: npt.NDArray[np.intp], before: Standing, first: Integers
) -> tuple[Standing, Booleans]:
    """The standing of every id that changed or whose version moved on."""
    off, h, packed = before.off.copy(), before.h.copy(), before.packed.copy()
    final = at[_ends(it.group[at])]
    group, row = it.group[final], it.row[final]
    off[group], h[group] = rows.off[row], rows.h[row]
    packed[group] = np.where(rows.gone[row], DEAD, rows.packed[row])
    moved = (off >= 0) & (it.highest > before.version)
    moved[group] = True
    return Standing(off[moved], h[moved], packed[moved], it.highest[moved], first[moved]), moved


def _touched(
    rows: Rows, it: _Ordered, at: npt.NDArray[np.intp], gone: Booleans, before: Standing
) -> npt.NDArray[np.intp]:
    """Ids whose newest version is not that of the row that stands: it must be written down beside."""
    if rows.version is None:
        return np.empty(0, np.intp)
    carried = before.version.copy()
    brought = at[~gone[at]]
    standing = brought[_ends(it.group[brought])]
    carried[it.group[standing]] = rows.version[it.row[standing]]
    known = before.off >= 0
    known[it.group[brought]] = True
    return np.flatnonzero(known & (it.highest > carried))


def _pane_changes(
    off: Integers, packed: Integers, added: Booleans, was: Integers, removed: Booleans
) -> tuple[Integers, Integers, Integers, PaneChanges]:
    """Net changes (key, records, domestic records) per pane, and the single ones of timed panes, sorted by key."""
    both = np.concatenate([was[removed], packed[added]])
    sign = np.concatenate([np.full(int(removed.sum()), -1), np.ones(int(added.sum()), np.int64)])
    offsets = np.concatenate([off[removed], off[added]])
    order = np.argsort(both)
    order = order[panes.has_day(both[order] >> 1)]
    key, sign, offsets, domestic = both[order] >> 1, sign[order], offsets[order], both[order] & 1
    at = np.flatnonzero(panes.run_starts(key))
    n = np.add.reduceat(sign, at) if len(at) else sign
    dom = np.add.reduceat(sign * domestic, at) if len(at) else sign
    net = (n != 0) | (dom != 0)
    timed = panes.is_timed(key)
    single = PaneChanges(key[timed], offsets[timed], sign[timed])
    return key[at][net], n[net], dom[net], single
