"""What a detector remembers, as bytes and back."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa

from citystream.detect.arrays import State

_CODEC = "lz4"
_SIZE = 8


def packed(state: State) -> bytes:
    """*state* as bytes; the same state gives the same bytes."""
    raw = io.BytesIO()
    np.savez(raw, **state)  # type: ignore[arg-type]
    text = raw.getvalue()
    compressed: bytes = pa.compress(text, codec=_CODEC, asbytes=True)
    return len(text).to_bytes(_SIZE, "big") + compressed


def unpacked(text: bytes) -> State:
    """The state that `packed` was given."""
    raw: bytes = pa.decompress(text[_SIZE:], int.from_bytes(text[:_SIZE], "big"), codec=_CODEC, asbytes=True)
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        return dict(arrays)
