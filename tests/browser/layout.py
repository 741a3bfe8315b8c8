"""What a careful eye looks for: texts that lie on each other, are cut off, or leave their card."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

_FIND = Path(__file__).with_name("layout.js").read_text(encoding="utf-8")


def troubles(page: Page) -> list[str]:
    """Everything of that sort on the page as it is now, in words."""
    return list(page.evaluate(_FIND))
