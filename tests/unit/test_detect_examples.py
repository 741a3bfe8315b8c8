"""The examples in the detectors' documentation are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import citystream.detect

MODULES = sorted(each.name for each in pkgutil.iter_modules(citystream.detect.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"citystream.detect.{name}")).failed == 0
