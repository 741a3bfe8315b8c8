"""The first Ctrl-C asks, and waiting ends."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from citystream.cli.stopping import Stopping


def test_the_first_signal_sets_a_flag_and_ends_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Stopping() as stopping:
        assert not stopping()
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        stopping.sleep(20)
        assert time.monotonic() - began < 5
        assert stopping()
    assert signal.getsignal(signal.SIGINT) is before
    assert "once more ends at once" in capsys.readouterr().err
