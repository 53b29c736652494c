"""Practice pages: one goes the whole way a real page goes, by its person's own rules, to the button that answers it, for no ticket.

Whoever leads somebody may send them one, too; what is quiet for them stays quiet then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotAllowed
from allswell.notifications import queries as contacts
from allswell.notifications import rules
from allswell.notifications.rules import Urgency
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import ledger, practices
from allswell.oncall.queries.ledger import PageStory
from allswell.oncall.rules.escalating import PageCause
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may

from . import steps
from .contacts import oneself
from .door import use_case
from .rotas import may_edit
from .sign_in import TooMany

#: how many within an hour: to oneself, to one other person by anybody, and by one who sends them to others
MOST_TO_ONESELF, MOST_TO_ANOTHER, MOST_TO_OTHERS = 5, 2, 20
WITHIN = timedelta(hours=1)
#: one that nobody answers is over so long after its last message
OPEN_FOR = timedelta(minutes=15)
#: how long what became of them is told
TOLD_FOR = timedelta(hours=24)
_MOST_AT_ONCE = 200


@use_case
def send(*, urgency: str, person: int | str | None = None, actor: Actor, now: datetime) -> PageStory:
    """Send a practice page to oneself, or to `person` (id or address) of a team one leads; the former one is over then.

    Raises Invalid, TooMany, Conflict where no way leads to them, or it is quiet there and somebody else would wake them.
    """
    sender = oneself(actor)
    if urgency not in [one.value for one in Urgency]:
        raise Invalid("There is no such urgency.", field="urgency")
    asked = Urgency(urgency)
    called = sender if person is None else _led(person, actor=actor)
    _not_too_often(called, sender, now=now)
    reach = contacts.reachable([called])[called]
    if called != sender and asked is Urgency.URGENT and rules.after_quiet(now, reach.quiet, reach.zone) != now:
        raise Conflict(
            "It is quiet there now, and an urgent page would make noise. A normal one waits until the quiet hours end."
        )
    planned = reach.plan(asked, now)
    if not planned and called == sender:
        raise Conflict("There is no verified way to you yet.")
    if not planned:
        raise Conflict("There is no way to this person yet.")
    writing.close(practices.still_open(called), now=now)
    page = writing.write_page(called, planned, cause=PageCause.PRACTICE, urgency=asked, asked_by=sender, now=now)
    if called != sender:
        journal.record(Verb.CHANGED, about=("person", called), actor=actor, now=now, data={"practice_page": asked.value})
    return ledger.of_pages([page.pk])[0]


def _led(ref: int | str, *, actor: Actor) -> int:
    """Somebody of a team the actor leads or administers, to whom the desk is open. Raises Invalid, NotAllowed."""
    row = steps.person_within_reach(ref, actor=actor, field="person")
    if row.pk == actor.person:
        return row.pk
    if not any(may_edit(found.team, actor=actor) for found in people.memberships(row.pk)):
        raise NotAllowed("Only who leads this person may send them a practice page.")
    if not may(people.actor_for(row, channel=actor.channel), Act.SEE_DESK, INSTALLATION):
        raise Invalid("Pages do not go to this person.", field="person")
    return row.pk


def _not_too_often(called: int, sender: int, *, now: datetime) -> None:
    by_sender = practices.sent(asked_by=sender, since=now - WITHIN)
    if called == sender:
        is_enough = by_sender.filter(person=called).count() >= MOST_TO_ONESELF
    else:
        to_called = practices.sent(person=called, since=now - WITHIN).exclude(asked_by=called)
        is_enough = to_called.count() >= MOST_TO_ANOTHER or by_sender.exclude(person=sender).count() >= MOST_TO_OTHERS
    if is_enough:
        raise TooMany("Too many practice pages within an hour. Wait a little.")


def own(*, actor: Actor, now: datetime) -> list[PageStory]:
    """What became of the practice pages of the last day: those to the actor, and those they sent; the newest first. Raises NotAllowed."""
    person = oneself(actor)
    found = {
        page.pk
        for rows in (
            practices.sent(person=person, since=now - TOLD_FOR),
            practices.sent(asked_by=person, since=now - TOLD_FOR),
        )
        for page in rows.order_by("-id")[:_MOST_AT_ONCE]
    }
    return ledger.of_pages(sorted(found, reverse=True)[:_MOST_AT_ONCE])


def newest(person: int, *, now: datetime) -> PageStory | None:
    """What became of somebody's last practice page of the last day; for who may know by what they are reached."""
    page = practices.sent(person=person, since=now - TOLD_FOR).order_by("-id").first()
    return ledger.of_pages([page.pk])[0] if page is not None else None


def newest_of(persons: list[int], *, now: datetime) -> dict[int, PageStory]:
    """The same of several people."""
    found = practices.sent(since=now - TOLD_FOR).filter(person__in=persons).order_by("id")
    by_person = {page.person_id: page.pk for page in found[:_MOST_AT_ONCE]}
    return {told.page.person_id: told for told in ledger.of_pages(list(by_person.values())) if told.page.person_id}


@use_case
def tidy(*, actor: Actor, now: datetime) -> int:
    """Practice pages nobody answered are over once their messages have been there for a while: an open desk rings no more."""
    ids = practices.stale(before=now - OPEN_FOR)[:_MOST_AT_ONCE]
    writing.close(ids, now=now)
    return len(ids)
