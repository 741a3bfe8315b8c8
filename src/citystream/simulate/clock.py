"""The time that holds inside the simulation."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class SimClock:
    """Runs *rate* simulated seconds per real second from *start*; ``rate=0`` stands still until it is stepped.

    Calling it gives the simulated time, aware UTC. Safe to use from several threads.
    """

    def __init__(self, start: datetime, rate: float = 0.0) -> None:
        self._start = start if start.tzinfo else start.replace(tzinfo=UTC)
        self._rate = rate
        self._real = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._real) * self._rate)

    def step(self, delta: timedelta) -> datetime:
        """Jump by *delta*; returns the new time."""
        with self._lock:
            self._start += delta
            return self._now()

    def set(self, when: datetime) -> None:
        """Jump to *when*."""
        with self._lock:
            self._start = when if when.tzinfo else when.replace(tzinfo=UTC)
            self._real = time.monotonic()

    def pace(self, rate: float) -> None:
        """Go on at another *rate*."""
        with self._lock:
            self._start = self._now()
            self._real = time.monotonic()
            self._rate = rate
