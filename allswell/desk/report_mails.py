"""Reports by mail: who asked for one gets its numbers every week or month, in their zone and language, of what they see then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.utils import dateformat, translation
from django.utils.translation import gettext as _

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotFound
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may
from allswell.reporting import operations, telling, wording
from allswell.reporting.queries import subscriptions
from allswell.reporting.queries.scope import Asked
from allswell.reporting.rules.counting import Period, next_sending, period_before
from allswell.sla import wording as promises

from .door import use_case
from .reports import require_desk

if TYPE_CHECKING:
    from allswell.reporting.models import Subscription

#: how many reports a person may get
MOST = 20
#: what Markdown would take for more than a letter
_SIGNS = frozenset("\\|`*_[]<>~!&#")
EVERY = ("week", "month")


@use_case
def subscribe(name: str, asked: Asked, *, every: str, actor: Actor, now: datetime) -> Subscription:
    """Get a report with these filters by mail, for the week or month that is over. Raises Invalid, Conflict, NotFound, NotAllowed."""
    require_desk(actor)
    telling.kind(name)
    if every not in EVERY:
        raise Invalid("Choose week or month.", field="every")
    if actor.person is None:
        raise Conflict("Only a person gets reports by mail.")
    mine = subscriptions.of_person(actor.person)
    if len(mine) >= MOST:
        raise Conflict("You get %(n)s reports already. End one of them first.", n=MOST)
    kept = {**asked.narrowing.chosen(), "by": asked.by}
    for row in mine:
        if (row.report, row.every, row.asked) == (name, every, kept):
            return row
    at = next_sending(every, zone=actor.time_zone, now=now)
    return operations.subscribe(actor.person, report=name, asked=kept, every=every, next_at=at, actor=actor, now=now)


@use_case
def unsubscribe(number: int, *, actor: Actor, now: datetime) -> None:
    """Get a report no longer. Raises NotFound for what is not one's own."""
    row = subscriptions.subscription(number, person=actor.person or 0)
    if row is None:
        raise NotFound("There is no such subscription.")
    operations.unsubscribe(row, actor=actor, now=now)


@use_case
def send_due(*, limit: int, actor: Actor, now: datetime) -> int:
    """Put the reports whose time has come into the outbox, once each however long nobody did; answers how many."""
    found = operations.due(now=now, limit=limit)
    for row in found:
        person = people.person(row.person_id)
        zone = "UTC"
        if person is not None:
            reader = people.actor_for(person, channel=Channel.EMAIL)
            zone = reader.time_zone
            if may(reader, Act.SEE_DESK, INSTALLATION):
                when = period_before(row.every, zone=zone, at=now)
                content = {
                    "subscription": row.pk,
                    "report": row.report,
                    "asked": row.asked,
                    "from": f"{when.first}",
                    "to": f"{when.last}",
                }
                about = ("person", row.person_id)
                data = {"kind": f"report {row.report}", "filters": sorted(row.asked)}
                entry = journal.record(Verb.EXPORTED, about=about, actor=actor, now=now, data=data)
                notifications.enqueue(entry, topic=Topic.REPORT, persons=[row.person_id], content=content, now=now)
        operations.sent(row, next_at=next_sending(row.every, zone=zone, now=now))
    return len(found)


@dataclass(frozen=True, slots=True)
class Written:
    """A report as a mail says it: a title, Markdown, and the page it leads to."""

    title: str
    body: str
    path: str


def written(content: Mapping[str, Any], *, actor: Actor, now: datetime) -> Written | None:
    """A report in words, for its reader as they may see it today; None when they may not, or there is no such report any more."""
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        return None
    name = str(content.get("report", ""))
    given = {**content.get("asked", {}), "from": content.get("from", ""), "to": content.get("to", "")}
    try:
        asked = telling.asked(name, given, zone=actor.time_zone, now=now)
        found = telling.tell(name, asked, actor=actor, now=now)
    except DeskError:
        return None
    with translation.override(actor.locale):
        title = f"{wording.title(name)}, {_days(asked.period)}"
        return Written(title, _markdown(found), f"/reports/{name}?{urlencode(asked.asked())}")


def _days(period: Period) -> str:
    return f"{dateformat.format(period.first, 'j M Y')} – {dateformat.format(period.last, 'j M Y')}"


def _markdown(found: telling.Report) -> str:
    """The numbers as a table, and how they are counted."""
    by = found.asked.by
    if found.is_empty:
        numbers = [_("There is nothing to count in this period with these filters.")]
    else:
        names = [wording.cut(by), *(wording.column(column.key) for column in found.columns)]
        numbers = [_row(names), _row(["---"] * len(names))]
        numbers += [_row([wording.line(by, line.key, line.name), *_numbers(found, line)]) for line in found.lines]
        numbers.append(_row([_("All"), *_numbers(found, found.total)]))
    return "\n".join([*numbers, "", *(f"- {sentence}" for sentence in wording.definition(found.name))])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """A name as it is: nothing in it is taken for Markdown."""
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in text)


def _numbers(found: telling.Report, line: telling.Line) -> list[str]:
    return [_number(column, line.values[column.key]) for column in found.columns]


def _number(column: telling.Column, value: telling.Value) -> str:
    if value is None:
        return "–"
    if column.what == "share":
        return f"{value} %"
    return promises.apart(timedelta(minutes=int(value) // 60_000)) if column.what == "time" else str(value)
