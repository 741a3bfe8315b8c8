"""The composition root: from settings to ready objects. The only room that opens adapters."""

from citystream.app.composition import App
from citystream.app.lock import LOCK
from citystream.app.outcome import Outcome, Watch, utc_now

__all__ = ["LOCK", "App", "Outcome", "Watch", "utc_now"]
