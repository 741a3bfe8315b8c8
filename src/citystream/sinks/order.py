"""Who delivers: an older state must not be written over a newer one."""

from __future__ import annotations

from citystream.catalog.dataset import Dataset
from citystream.errors import SinkError
from citystream.ports import Delivered


def check_order(where: str, dataset: Dataset, have: Delivered | None, new: Delivered) -> None:
    """Raises `SinkError` if *where* has more of *dataset* than *new*, or by another definition: someone else delivered
    since it was asked how far it is.
    """
    if have and (have.fingerprint != new.fingerprint or have.position > new.position):
        raise SinkError(
            f"{where}: {dataset.name} was delivered by someone else up to offset {have.position} meanwhile",
            "let one data folder alone deliver a dataset there",
            passing=True,
        )
