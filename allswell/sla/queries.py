"""Reading agreements and clocks."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Min, Q, QuerySet

from allswell.calendars import queries as calendars
from allswell.calendars.rules import Calendar
from allswell.database.rows import Prepared, PreparedModel
from allswell.journal import queries as journal
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound
from allswell.people import queries as people

from .models import Agreement, AgreementVersion, Clock, Revision
from .rules.shapes import OPEN_CLOCKS, Chosen, Passage, Segment
from .rules.story import Facts, Noted
from .rules.terms import Audience, Terms

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Offer:
    """An agreement with its versions, newest number first: (number, in force from, terms). `organizations` None: for everyone.

    It holds for tickets opened before `ended_at`.
    """

    id: int
    name: str
    audience: Audience
    organizations: frozenset[int] | None
    team: int | None
    versions: tuple[tuple[int, datetime, Terms], ...]
    ended_at: datetime | None = None

    def chosen(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """What it says of such a ticket; None when it does not fit."""
        if self.ended_at is not None and self.ended_at <= opened_at:
            return None
        if self.organizations is not None and facts.organization not in self.organizations:
            return None
        if self.team is not None and facts.team != self.team:
            return None
        for number, since, terms in self.versions:
            if since <= opened_at:
                fits = terms.fits(kind=facts.kind, service=facts.service, priority=facts.priority)
                return Chosen(self.id, number, terms, _why(self, terms)) if fits else None
        return None


def _why(offer: Offer, terms: Terms) -> str:
    """Which conditions made it fit, as words a page puts into a sentence."""
    named = {
        "organization": offer.organizations is not None,
        "team": offer.team is not None,
        "kind": bool(terms.kinds),
        "service": bool(terms.services),
        "priority": bool(terms.priorities),
    }
    return " ".join(name for name, is_named in named.items() if is_named) or "everyone"


@dataclass(slots=True)
class AgreementBook:
    """All agreements and calendars as of a revision."""

    revision: int
    offers: Sequence[Offer]
    _calendars: dict[tuple[str, int | None], Calendar] = field(default_factory=dict)

    def customer(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The first agreement with the customer that fits."""
        return self._first(Audience.CUSTOMER, facts, opened_at)

    def internal(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The first agreement between teams that fits the team."""
        return self._first(Audience.INTERNAL, facts, opened_at)

    def _first(self, audience: Audience, facts: Facts, opened_at: datetime) -> Chosen | None:
        for offer in self.offers:
            if offer.audience is audience and (found := offer.chosen(facts, opened_at)) is not None:
                return found
        return None

    def calendar(self, slug: str, number: int | None) -> Calendar:
        """A calendar as known at a version (None: the newest). Raises NotFound."""
        key = (slug, number)
        if key not in self._calendars:
            found = calendars.by_slug(slug)
            if found is None:
                raise NotFound("There is no such calendar.")
            self._calendars[key] = found if number is None else found.upto(number)
        return self._calendars[key]

    def said(self, agreement: int, number: int) -> tuple[datetime, Terms]:
        """Since when a version of an agreement is in force, and what it says."""
        offer = next(one for one in self.offers if one.id == agreement)
        return next((since, terms) for version, since, terms in offer.versions if version == number)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is promised to anybody."""
        return not self.offers


_REVISION = Prepared(lambda key: Revision.objects.filter(pk=key).values_list("number"))
_kept = threading.local()


def book() -> AgreementBook:
    """The agreements and calendars in force; read again only when something about them changed."""
    found = _REVISION.first(1)
    revision: int = found[0] if found else 0
    kept: AgreementBook | None = getattr(_kept, "book", None)
    if kept is None or kept.revision != revision:
        # before the first agreement there is no revision, and nothing to read
        kept = _kept.book = AgreementBook(revision, _offers() if revision else ())
    return kept


def _offers() -> list[Offer]:
    versions: dict[int, list[AgreementVersion]] = {}
    for version in AgreementVersion.objects.order_by("-number"):
        versions.setdefault(version.agreement_id, []).append(version)
    return [offer_of(row, versions.get(row.pk, [])) for row in agreements(is_active=None)]


def offer_of(row: Agreement, versions: Iterable[AgreementVersion]) -> Offer:
    """An agreement as the rules take it; `versions` with the newest number first."""
    audience = Audience(row.audience)
    inside = None if row.organization_id is None else frozenset(people.organization_and_below(row.organization_id))
    said = tuple((one.number, one.in_force_from, Terms.parse(one.definition, audience=audience)) for one in versions)
    return Offer(row.pk, row.name, audience, inside, row.team_id, said, row.ended_at)


def agreements(*, is_active: bool | None = True) -> QuerySet[Agreement]:
    """The agreements in the order in which they are asked (None: those out of use too)."""
    rows = Agreement.objects.select_related("organization", "team").order_by("position", "id")
    return rows if is_active is None else rows.filter(is_active=is_active)


def known_to(actor: Actor) -> QuerySet[Agreement]:
    """The agreements somebody of the desk may know of: those for everyone, and those that may hold for what they reach.

    The desk of one customer hears neither of other customers' nor of other teams'.
    """
    inside = people.reach(actor)
    if inside is None:
        return agreements(is_active=None)
    is_theirs = Q(organization__in=sorted(inside | set(people.own_and_above(actor)))) | Q(organization=None)
    return agreements(is_active=None).filter(is_theirs, Q(team=None) | Q(team__in=sorted(actor.teams)))


def agreement(slug: str) -> Agreement | None:
    """An agreement."""
    return agreements(is_active=None).filter(slug=slug).first()


def versions(agreement_id: int) -> list[AgreementVersion]:
    """The versions of an agreement, newest first."""
    return list(AgreementVersion.objects.filter(agreement=agreement_id).select_related("created_by").order_by("-number"))


def newest_numbers(agreement_ids: Iterable[int]) -> dict[int, int]:
    """Agreement -> the number of its newest version, for those that have one."""
    rows = AgreementVersion.objects.filter(agreement__in=list(agreement_ids)).order_by("number")
    return dict(rows.values_list("agreement", "number"))


def newest_definitions(agreement_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Agreement -> what its newest version says, for those that have one."""
    rows = AgreementVersion.objects.filter(agreement__in=list(agreement_ids)).order_by("number")
    return dict(rows.values_list("agreement", "definition"))


def first_in_force(agreement_id: int) -> datetime | None:
    """From when on an agreement says anything at all."""
    found: datetime | None = AgreementVersion.objects.filter(agreement=agreement_id).aggregate(first=Min("in_force_from"))[
        "first"
    ]
    return found


# -- clocks --------------------------------------------------------------------------------------------------------------------


def _of_ticket(number: int) -> QuerySet[Clock]:
    return Clock.objects.filter(ticket_id=number).order_by("started_at", "id")


_CLOCKS = PreparedModel(Clock, _of_ticket)
_LOCKED = PreparedModel(Clock, lambda number: _of_ticket(number).select_for_update())


def clocks(number: int, *, is_locked: bool = False) -> list[Clock]:
    """The clocks of a ticket, in the order of their starts. `is_locked` keeps the engine from them until the transaction ends."""
    return (_LOCKED if is_locked else _CLOCKS).records(number)


_SHOWN = PreparedModel(Clock, _of_ticket, related=("agreement", "team"))


def shown(number: int) -> list[Clock]:
    """The clocks of a ticket with their agreements and teams, in the order of their starts."""
    return _SHOWN.records(number)


def listed(number: int) -> QuerySet[Clock]:
    """The same as rows to choose from, for a list that is read page by page: a ticket has as many as it changed hands."""
    return Clock.objects.filter(ticket_id=number).select_related("agreement", "team")


def clocks_of(numbers: Iterable[int], *, is_locked: bool = False) -> dict[int, list[Clock]]:
    """Ticket number -> its clocks; `is_locked` as for one ticket."""
    wanted, found = list(numbers), dict[int, list[Clock]]()
    rows = Clock.objects.select_for_update() if is_locked else Clock.objects.all()
    for start in range(0, len(wanted), 900):
        for clock in rows.filter(ticket_id__in=wanted[start : start + 900]).order_by("started_at", "id"):
            found.setdefault(clock.ticket_id, []).append(clock)
    return found


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PASSAGES = {"r": Passage.RUNNING, "p": Passage.PAUSED, "s": Passage.STOPPED}


def segments(clock: Clock) -> list[Segment]:
    """The segments a clock was written with."""
    return [
        Segment(
            _PASSAGES[letter],
            _EPOCH + timedelta(microseconds=start),
            None if end is None else _EPOCH + timedelta(microseconds=end),
            entry,
            why,
        )
        for letter, start, end, entry, why in clock.segments
    ]


def tickets_counting_in(calendar: str, *, after: int) -> Any:
    """The numbers of the tickets beyond `after` with an open clock that counts in a calendar, in order."""
    rows = Clock.objects.filter(calendar=calendar, state__in=[state.value for state in OPEN_CLOCKS], ticket_id__gt=after)
    return rows.order_by("ticket_id").values_list("ticket_id", flat=True).distinct()


def noted(entry: Entry) -> Noted:
    """An entry of the journal as the rules take it."""
    return Noted(entry.pk, entry.verb, entry.happened_at, entry.recorded_at, entry.person_id, entry.action, entry.data)


def entries_of(number: int) -> list[Noted]:
    """A ticket's journal as the rules take it."""
    return [Noted(*row) for row in journal.told(number)]


def entries_of_many(numbers: Sequence[int]) -> dict[int, list[Noted]]:
    """The same for many tickets: number -> entries."""
    found: dict[int, list[Noted]] = {}
    for ticket, *columns in journal.told_of(numbers):
        found.setdefault(ticket, []).append(Noted(*columns))
    return found


def facts_of(ticket: Ticket) -> Facts:
    """How a ticket stands."""
    return Facts(
        kind=ticket.kind,
        state=ticket.state,
        priority=ticket.priority,
        waiting_on=ticket.waiting_on,
        service=ticket.service_id,
        organization=ticket.organization_id,
        team=ticket.team_id,
        restored_at=ticket.restored_at,
        merged_into=ticket.merged_into_id,
    )
