"""Browsing as a member of the cast, and the desk of the table of who may what."""

from __future__ import annotations

from tests.web.conftest import at_world_time, browser, fresh_words
from tests.web.test_who_may import stage

__all__ = ["at_world_time", "browser", "fresh_words", "stage"]
