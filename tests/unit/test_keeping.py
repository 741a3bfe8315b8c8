"""What a detector remembers comes back bit by bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from citystream.detect.arrays import State
from citystream.detect.keeping import packed, unpacked

_KINDS = st.sampled_from(["<i8", "<i4", "<i2", "|i1", "<f8", "<f4", "|b1", "<U7", "<u8"])
_ARRAYS = arrays.arrays(_KINDS, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))


@given(st.dictionaries(st.text("abcé. ", min_size=1), _ARRAYS, max_size=8))
def test_states_come_back(state: State) -> None:
    found = unpacked(packed(state))
    assert list(found) == list(state)
    for name, array in state.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == np.ascontiguousarray(array).tobytes()


def test_the_same_state_gives_the_same_bytes() -> None:
    state: State = {"names": np.array(["a", "b"]), "counts": np.arange(6).reshape(2, 3).T}
    assert packed(state) == packed({name: array.copy() for name, array in state.items()})
