"""What a detector remembers, as bytes and back."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from citystream.detect.arrays import State

_CODEC = "lz4"
_SIZE = 8


def packed(state: State) -> bytes:
    """*state* as bytes; the same state gives the same bytes.

    A list of names, types and shapes, then the arrays one after the other: a state has hundreds of small ones, for each
    of which a format made for files would cost more than its content.
    """
    names = [(name, array.dtype.str, array.shape) for name, array in state.items()]
    head = json.dumps(names).encode()
    parts = (np.ascontiguousarray(array).tobytes() for array in state.values())
    text = b"".join((len(head).to_bytes(_SIZE, "big"), head, *parts))
    compressed: bytes = pa.compress(text, codec=_CODEC, asbytes=True)
    return len(text).to_bytes(_SIZE, "big") + compressed


def unpacked(text: bytes) -> State:
    """The state that `packed` was given; its arrays must not be written to."""
    raw: bytes = pa.decompress(text[_SIZE:], int.from_bytes(text[:_SIZE], "big"), codec=_CODEC, asbytes=True)
    at = _SIZE + int.from_bytes(raw[:_SIZE], "big")
    state: State = {}
    for name, kind, shape in json.loads(raw[_SIZE:at]):
        count = int(np.prod(shape))
        state[name] = np.frombuffer(raw, kind, count, at).reshape(shape)
        at += state[name].nbytes
    return state
