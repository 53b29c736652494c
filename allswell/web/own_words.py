"""The installation's own words for states, codes and categories, kept for a few seconds in each process."""

from __future__ import annotations

from django.utils import translation

from allswell.kernel import clock
from allswell.tickets import setup_queries as tickets

KEPT_FOR = 5.0  # seconds until another process's change is seen
_kept: dict[str, tuple[float, dict[str, str]]] = {}


def of(subject: str) -> str:
    """The own word for a subject ("state.waiting") in the viewer's language; "" where ours is used."""
    language = translation.get_language() or "en"
    kept = _kept.get(language)
    if kept is None or clock.monotonic() - kept[0] > KEPT_FOR:
        kept = _kept[language] = (clock.monotonic(), tickets.labels(language))
    return kept[1].get(subject, "")


def forget() -> None:
    """Read them again: they were just changed here."""
    _kept.clear()
