"""The arrays that detectors learn in, and how they are kept between runs."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from citystream.ports import Integers

Floats = npt.NDArray[np.float64]
#: What a detector remembers: named arrays, everything that its later results depend on.
State = dict[str, npt.NDArray[np.generic]]

_T = TypeVar("_T", bound=np.generic)
_FEW = 100


def padded(array: Floats, shape: tuple[int, ...]) -> Floats:
    """*array* in the corner of zeros of a larger *shape*."""
    room = np.zeros(shape, array.dtype)
    room[tuple(slice(size) for size in array.shape)] = array
    return room


def inserted(array: npt.NDArray[_T], at: Integers, values: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """*array* with *values* put in before the ascending places *at*. For few values this is much cheaper than
    `numpy.insert`, which goes over the array with a mask.
    """
    if len(at) > _FEW:
        return np.insert(array, at, values)
    parts, before = [], 0
    for place, after in enumerate(at.tolist()):
        parts += [array[before:after], values[place : place + 1]]
        before = after
    return np.concatenate([*parts, array[before:]])


def rounded(array: Floats) -> Floats:
    """*array* in single precision: what is kept for long and must come back from its state with the same bits."""
    return array.astype(np.float32).astype(np.float64)


def within(state: State, name: str) -> State:
    """The part of *state* that was put under *name*."""
    head = f"{name}."
    return {key.removeprefix(head): value for key, value in state.items() if key.startswith(head)}


def under(state: State, name: str) -> State:
    """*state* as a part called *name*."""
    return {f"{name}.{key}": value for key, value in state.items()}


def copied(state: State) -> State:
    """*state* with arrays of its own."""
    return {name: array.copy() for name, array in state.items()}
