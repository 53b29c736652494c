"""What became of the pages of a ticket, told from beginning to end: for its page, as a file, and for programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from . import escalations

if TYPE_CHECKING:
    from allswell.oncall.models import Escalation, Page, PageDelivery, PageEvent

#: a ticket is told by its newest runs and their newest pages
MOST_RUNS, MOST_PAGES = 20, 200


@dataclass(frozen=True, slots=True)
class PageStory:
    """A page: by which ways it was to go, and what happened."""

    page: Page
    deliveries: tuple[PageDelivery, ...]
    events: tuple[PageEvent, ...]

    @property
    def name(self) -> str:
        """Who, or which room, was called."""
        if self.page.person is not None:
            return self.page.person.name
        return self.page.room.label if self.page.room is not None else ""


@dataclass(frozen=True, slots=True)
class RunStory:
    """A run and its pages, in order."""

    run: Escalation
    pages: tuple[PageStory, ...]


def of_ticket(number: int) -> list[RunStory]:
    """The runs of a ticket with everything that became of their pages, the newest run first; four statements."""
    return _told(list(escalations.runs_of(number)[:MOST_RUNS]))


def _told(runs: list[Escalation]) -> list[RunStory]:
    pages = list(escalations.pages_of_runs([row.pk for row in runs]).order_by("-id")[:MOST_PAGES])[::-1] if runs else []
    stories: dict[int | None, list[PageStory]] = defaultdict(list)
    for one in _with_all(pages):
        stories[one.page.escalation_id].append(one)
    return [RunStory(row, tuple(stories[row.pk])) for row in runs]


def of_pages(ids: list[int]) -> list[PageStory]:
    """Pages with everything that became of them, in the order they are asked for; three statements."""
    pages = {page.pk: page for page in escalations.pages_called(ids)} if ids else {}
    return _with_all([pages[pk] for pk in ids if pk in pages])


def _with_all(pages: list[Page]) -> list[PageStory]:
    ids = [page.pk for page in pages]
    deliveries: dict[int, list[PageDelivery]] = defaultdict(list)
    events: dict[int, list[PageEvent]] = defaultdict(list)
    for delivery in escalations.deliveries_of(ids) if ids else ():
        deliveries[delivery.page_id].append(delivery)
    for event in escalations.ledger(ids) if ids else ():
        events[event.page_id].append(event)
    return [PageStory(page, tuple(deliveries[page.pk]), tuple(events[page.pk])) for page in pages]


#: the columns of the file
COLUMNS = (
    "run",
    "policy",
    "cause",
    "page",
    "called",
    "urgency",
    "turn",
    "at",
    "event",
    "channel",
    "delivery",
    "status",
    "detail",
)


def lines(stories: list[RunStory]) -> Iterator[tuple[str, ...]]:
    """One line for each thing that happened to a page, run by run in the order they began; instants in UTC."""
    for story in reversed(stories):
        run = story.run
        for one in story.pages:
            for event in one.events:
                delivery = event.delivery
                yield (
                    str(run.pk),
                    run.policy.slug if run.policy else "",
                    run.cause,
                    str(one.page.pk),
                    one.name,
                    one.page.urgency,
                    str(one.page.turn + 1),
                    _stamp(event.happened_at),
                    event.kind,
                    delivery.channel if delivery else "",
                    delivery.key if delivery else "",
                    str(event.status or ""),
                    event.detail,
                )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
