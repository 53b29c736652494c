"""What happened to a ticket, in few words, and the clocks that follow from it; without a database."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from allswell.calendars.rules import ALWAYS, Calendar, Day, Definition, Hours, Version
from allswell.journal.rules import Verb
from allswell.kernel.errors import NotFound
from allswell.sla.queries import AgreementBook, Offer
from allswell.sla.rules.shapes import Chosen, Key, Solved
from allswell.sla.rules.solving import solve
from allswell.sla.rules.story import Facts, Noted, Step, story
from allswell.sla.rules.terms import Audience, Metric, Terms

ZURICH = "Europe/Zurich"
NINE_TO_FIVE: Hours = ((540, 1020),)
REQUESTER, AGENT = 7, 8
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


def instant(said: str, zone: str = ZURICH) -> datetime:
    """The instant of a local time ("2026-11-20 17:30"), the first of two."""
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local(at: datetime | None, zone: str = ZURICH) -> str:
    """An instant as the clock on the wall shows it; "never" for none."""
    return "never" if at is None else at.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M:%S").removesuffix(":00")


def week(hours: Hours, *days: str) -> tuple[Hours, ...]:
    """The same hours on some days, Monday to Friday unless named; closed on the others."""
    named = days or ("mon", "tue", "wed", "thu", "fri")
    return tuple(hours if day in named else () for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


def calendar(
    hours: Hours = NINE_TO_FIVE, *days: str, zone: str = ZURICH, holidays: Mapping[str, str] | None = None, slug: str = "office"
) -> Calendar:
    """A calendar of one version."""
    free = {date.fromisoformat(on): Day(name) for on, name in (holidays or {}).items()}
    return Calendar(zone, (Version(1, date(1970, 1, 1), Definition.checked(week(hours, *days), free)),), slug)


def then(before: Calendar, *, on: str, hours: Hours | None = None, holidays: Mapping[str, str] | None = None) -> Calendar:
    """The calendar with one more version, from a day on."""
    newest = max(before.versions, key=lambda version: version.number)
    said = newest.definition.week if hours is None else week(hours)
    free = dict(newest.definition.days) | {date.fromisoformat(day): Day(name) for day, name in (holidays or {}).items()}
    version = Version(newest.number + 1, date.fromisoformat(on), Definition.checked(said, free))
    return Calendar(before.zone, (*before.versions, version), before.slug)


def target(metric: str, amount: str, **more: Any) -> dict[str, Any]:
    """A target: "8 h", "90 min", "3 working days", "2 calendar days"; what goes into `within` may be among the rest."""
    number, _, unit = amount.partition(" ")
    within: dict[str, Any] = {"calendar": more.pop("calendar", "office")}
    match unit:
        case "h" | "min":
            within |= {"counting": "working", "amount": int(number) * (60 if unit == "h" else 1)}
        case "working days":
            within |= {"counting": "working_days", "amount": int(number)}
        case "calendar days":
            within = {"counting": "calendar_days", "amount": int(number)}
        case _:
            raise ValueError(unit)
    within |= {name: more.pop(name) for name in ("cutoff", "opening", "off_day") if name in more}
    return {"metric": metric, "within": within, **more}


@dataclass
class Book:
    """Agreements in the order in which they are asked, and calendars by slug."""

    offers: list[Offer] = field(default_factory=list)
    calendars: dict[str, Calendar] = field(default_factory=lambda: {"office": calendar(), "always": ALWAYS})

    def agree(
        self,
        *targets: dict[str, Any],
        zone: str = ZURICH,
        audience: Audience = Audience.CUSTOMER,
        team: int | None = None,
        organization: int | None = None,
        since: datetime = LONG_AGO,
        **conditions: Any,
    ) -> Book:
        """One more agreement."""
        given = {"zone": zone, "targets": [{"key": f"t{place}", **one} for place, one in enumerate(targets)], **conditions}
        terms = Terms.parse(given, audience=audience)
        inside = None if organization is None else frozenset({organization})
        offer = Offer(len(self.offers) + 1, "Agreement", audience, inside, team, ((1, since, terms),))
        self.offers.append(offer)
        return self

    def customer(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The first that fits."""
        return AgreementBook(1, self.offers).customer(facts, opened_at)

    def internal(self, facts: Facts, opened_at: datetime) -> Chosen | None:
        """The first between teams that fits."""
        return AgreementBook(1, self.offers).internal(facts, opened_at)

    def calendar(self, slug: str, number: int | None) -> Calendar:
        """A calendar as known at a version."""
        if slug not in self.calendars:
            raise NotFound("There is no such calendar.")
        return self.calendars[slug] if number is None else self.calendars[slug].upto(number)


def agreed(*targets: dict[str, Any], **more: Any) -> Book:
    """A book of one agreement."""
    calendars = more.pop("calendars", {})
    book = Book()
    book.calendars |= calendars
    return book.agree(*targets, **more)


class Tale:
    """A ticket and what happens to it, one local instant after the other: `Tale("2026-11-20 17:30").waits("2026-11-21 09:00")`."""

    def __init__(
        self, opened: str | datetime, *, zone: str = ZURICH, kind: str = "incident", priority: int = 3, **facts: Any
    ) -> None:
        self.zone, self.entries = zone, list[Noted]()
        self.facts = Facts(kind=kind, state="new", priority=priority, **{"team": 1, **facts})
        self.opened_at = self._at(opened)
        names = ("priority", "service", "organization", "team")
        verb = Verb.REQUEST_MADE if kind == "request" else Verb.INCIDENT_REPORTED
        self._note(verb, opened, REQUESTER, {name: getattr(self.facts, name) for name in names})

    def _at(self, said: str | datetime) -> datetime:
        return said if isinstance(said, datetime) else instant(said, self.zone)

    def _note(self, verb: Verb, said: str | datetime, person: int | None, data: dict[str, Any], **facts: Any) -> Tale:
        at = self._at(said)
        self.entries.append(Noted(len(self.entries) + 1, verb.value, at, at, person, uuid.uuid4(), data))
        self.facts = replace(self.facts, **facts)
        return self

    def _moved(self, verb: Verb, said: str | datetime, to: str, **data: Any) -> Tale:
        on = data.get("on", "")
        return self._note(verb, said, AGENT, {"from": self.facts.state, "to": to, **data}, state=to, waiting_on=on)

    def taken(self, at: str | datetime) -> Tale:
        """An agent takes it."""
        return self._moved(Verb.ACKNOWLEDGED, at, "in_progress")

    def answered(self, at: str | datetime) -> Tale:
        """The desk replies."""
        return self._note(Verb.REPLIED, at, AGENT, {"before": {"first_response_at": None}})

    def asked(self, at: str | datetime) -> Tale:
        """The requester says something."""
        return self._note(Verb.REPLIED, at, REQUESTER, {"before": {"asked_at": None}})

    def noted(self, at: str | datetime) -> Tale:
        """The desk writes an internal note."""
        return self._note(Verb.NOTED, at, AGENT, {"comment": 1})

    def waits(self, at: str | datetime, on: str = "requester") -> Tale:
        """It waits."""
        return self._moved(Verb.WAITED, at, "waiting", on=on)

    def goes_on(self, at: str | datetime) -> Tale:
        """It waits no more."""
        return self._moved(Verb.RESUMED, at, "in_progress")

    def restored(self, at: str | datetime, *, since: str | datetime | None = None) -> Tale:
        """The service works again."""
        works = self._at(since or at)
        return self._note(Verb.RESTORED, at, AGENT, {"restored_at": works.isoformat()}, restored_at=works)

    def resolved(self, at: str | datetime) -> Tale:
        """It is resolved."""
        verb, to = (Verb.FULFILLED, "fulfilled") if self.facts.kind == "request" else (Verb.RESOLVED, "resolved")
        return self._moved(verb, at, to)

    def closed(self, at: str | datetime) -> Tale:
        """It is closed."""
        return self._moved(Verb.CLOSED, at, "closed")

    def cancelled(self, at: str | datetime) -> Tale:
        """It is cancelled."""
        return self._moved(Verb.CANCELLED, at, "cancelled")

    def reopened(self, at: str | datetime) -> Tale:
        """It was not solved after all."""
        return self._moved(Verb.REOPENED, at, "in_progress")

    def rated(self, at: str | datetime, priority: int) -> Tale:
        """Another priority."""
        return self._note(Verb.PRIORITY_SET, at, AGENT, {"from": self.facts.priority, "to": priority}, priority=priority)

    def handed(self, at: str | datetime, team: int) -> Tale:
        """Another team has it."""
        return self._note(Verb.HANDED_OVER, at, AGENT, {"from": self.facts.team, "to": team}, team=team)

    def refiled(self, at: str | datetime, kind: str) -> Tale:
        """It was of another kind."""
        return self._note(Verb.REFILED, at, AGENT, {"from": self.facts.kind, "to": kind}, kind=kind)

    def served(self, at: str | datetime, service: int) -> Tale:
        """It is about another service."""
        data = {"from": {"service_id": self.facts.service}, "to": {"service_id": service}, "fields": ["service"]}
        return self._note(Verb.EDITED, at, AGENT, data, service=service)

    def merged(self, at: str | datetime, into: int) -> Tale:
        """It becomes part of another."""
        self.cancelled(at)
        action = self.entries[-1].action
        self._note(Verb.MERGED, at, AGENT, {"into": into}, merged_into=into)
        self.entries[-1] = replace(self.entries[-1], action=action)
        return self

    def unmerged(self, at: str | datetime) -> Tale:
        """It was something else after all."""
        return self._note(Verb.UNMERGED, at, AGENT, {"from": self.facts.merged_into}, state="in_progress", merged_into=None)

    def undone(self, at: str | datetime, *, state: str = "in_progress", **facts: Any) -> Tale:
        """The last act is taken back."""
        action = self.entries[-1].action
        return self._note(Verb.UNDONE, at, AGENT, {"action": str(action), "verbs": []}, state=state, waiting_on="", **facts)

    def steps(self) -> list[Step]:
        """Its steps."""
        return story(self.entries, now=self.facts, requester=REQUESTER, opened_at=self.opened_at)

    def clocks(
        self, book: Book, *, now: str | datetime | None = None, pins: Mapping[Key, tuple[datetime, int]] | None = None
    ) -> list[Solved]:
        """Its clocks (by then)."""
        by_then = self.entries[-1].happened_at if now is None else self._at(now)
        return solve(self.steps(), book, now=by_then, pins=pins)

    def clock(self, book: Book, metric: str = "resolution", **more: Any) -> Solved:
        """The last clock of a metric."""
        return [one for one in self.clocks(book, **more) if one.key.metric is Metric(metric)][-1]

    def due(self, book: Book, metric: str = "resolution", **more: Any) -> str:
        """When it is due, by the clock on the wall."""
        return local(self.clock(book, metric, **more).due_at, self.zone)


def pins_of(clocks: Iterable[Solved]) -> dict[Key, tuple[datetime, int]]:
    """What is kept of clocks that ended."""
    return {one.key: (one.stopped_at, one.calendar_number) for one in clocks if one.stopped_at is not None}


def hours(amount: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=amount)
