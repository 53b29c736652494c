"""Times in which nothing was watching, as pages say them: in the viewer's zone and language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import dateformat, timezone
from django.utils.translation import gettext as _

from allswell.notifications import blind_wording

if TYPE_CHECKING:
    from allswell.jobs.models import BlindTime


@dataclass(frozen=True, slots=True)
class Line:
    """A blind time: from when until when, what it was in a sentence, why, and which engine found it."""

    when: str
    text: str
    why: str
    node: str


def lines(rows: Iterable[BlindTime]) -> list[Line]:
    """The blind times in words."""
    found = []
    for row in rows:
        seconds = round((row.until_at - row.from_at).total_seconds())
        text = blind_wording.sentence({"seconds": seconds, "moved_seconds": row.moved_seconds})
        found.append(Line(_span(row.from_at, row.until_at), text, blind_wording.why(row.why), row.node))
    return found


def _span(from_at: datetime, until_at: datetime) -> str:
    """Mon 23 Nov 02:10 to 02:26."""
    begins, ends = timezone.localtime(from_at), timezone.localtime(until_at)
    end = f"{ends:%H:%M}" if begins.date() == ends.date() else dateformat.format(ends, "D j M H:i")
    return _("%(start)s to %(end)s") % {"start": dateformat.format(begins, "D j M H:i"), "end": end}
