"""Reading calendars."""

from __future__ import annotations

from .rules import ALWAYS, Calendar


def by_slug(slug: str) -> Calendar | None:
    """A calendar with all its versions."""
    return ALWAYS if slug == ALWAYS.slug else None
