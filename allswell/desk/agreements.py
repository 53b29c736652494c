"""The use cases of agreements: who is promised what, from when on, and which of those that fit counts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings

from allswell.calendars import queries as calendars
from allswell.calendars import rules as hours
from allswell.calendars.rules import NeverOpen
from allswell.database import alone
from allswell.journal.rules import Verb
from allswell.kernel import text
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound, Stale
from allswell.kernel.instants import sensible
from allswell.people import operations as people
from allswell.people import queries as people_queries
from allswell.people.rules import INSTALLATION, Act, may, place_of, require
from allswell.services import queries as services
from allswell.sla import operations as sla
from allswell.sla import queries
from allswell.sla.rules.story import Facts
from allswell.sla.rules.terms import Audience, Counting, Target, Terms, chosen_name
from allswell.tickets import queries as tickets
from allswell.tickets.rules import FINAL_STATES, State

from . import recounting
from .door import use_case
from .people import organization_for, team_for

if TYPE_CHECKING:
    from allswell.sla.models import Agreement, AgreementVersion
    from allswell.sla.queries import AgreementBook

#: these stand for other things in addresses
RESERVED = frozenset({"new", "start", "order"})
#: how many touched tickets are named
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Agreed:
    """A new version, and the open tickets for which it changes what was promised: how many, and the first of them that the actor sees."""

    version: AgreementVersion
    touched: int
    numbers: tuple[int, ...]


def visible_to(actor: Actor) -> list[Agreement]:
    """The agreements the actor may read, in the order in which they are asked, those out of use too. Raises NotAllowed."""
    if not (actor.is_system or actor.has_role(Role.ADMINISTRATOR, Role.AUDITOR)):
        raise NotAllowed("Your role does not allow this.")
    return [row for row in queries.agreements(is_active=None) if may(actor, Act.READ_SETUP, place_of(row.organization_id))]


def agreement_for(slug: str, act: Act, *, actor: Actor) -> Agreement:
    """The agreement, if the actor may do this to it. Raises NotFound, NotAllowed."""
    row = queries.agreement(slug)
    if row is None or not may(actor, Act.READ_SETUP, place_of(row.organization_id)):
        raise NotFound("There is no such agreement.")
    require(actor, act, place_of(row.organization_id))
    return row


@use_case
def create(
    *,
    name: str,
    actor: Actor,
    now: datetime,
    audience: str = Audience.CUSTOMER,
    organization: int | str | None = None,
    team: int | str | None = None,
    definition: Mapping[str, Any] | None = None,
    in_force_from: datetime | None = None,
    note: str = "",
) -> Agreement:
    """A new agreement, with an organization (and those below it), a team, or everyone. It says nothing until it has a version:
    give `definition` here, or `agree` later. Asked before those that are for more. Raises Invalid, NotAllowed."""
    row = create_step(name=name, audience=audience, organization=organization, team=team, actor=actor, now=now)
    if definition is not None:
        agree_step(row, definition, in_force_from=in_force_from, note=note, actor=actor, now=now)
    return row


def create_step(
    *, name: str, audience: str, organization: int | str | None, team: int | str | None, actor: Actor, now: datetime
) -> Agreement:
    """A new agreement without a version; for use cases that do more."""
    sla.one_at_a_time()
    if audience not in set(Audience):
        raise Invalid("Choose one of the list.", field="audience")
    columns: dict[str, Any] = {"name": chosen_name(name), "audience": audience}
    columns |= parties(audience, organization=organization, team=team, actor=actor)
    require(actor, Act.SET_UP, place_of(columns["organization_id"]))
    rows = queries.agreements(is_active=None)
    wanted = "agreement" if text.slug(columns["name"]) in RESERVED else columns["name"]
    slug = people.free_slug(rows, wanted, fallback="agreement")
    row = sla.new(slug=slug, **columns)
    order = list(rows)
    place = next((place for place, other in enumerate(order) if _is_wider(other, row)), len(order))
    row.position = place
    for position, other in enumerate(order):
        sla.change(other, {"position": position + (position >= place)}, actor=actor, now=now)
    sla.create(row, actor=actor, now=now)
    return row


def parties(audience: str, *, organization: int | str | None, team: int | str | None, actor: Actor) -> dict[str, Any]:
    """The columns that say whom an agreement is for. Raises Invalid."""
    if team not in (None, "") and audience != Audience.INTERNAL:
        raise Invalid("The whole desk keeps what is promised to customers. Choose a team only between teams.", field="team")
    try:
        place = None if organization in (None, "") else organization_for(organization or 0, Act.READ_SETUP, actor=actor).pk
    except DeskError as error:
        raise Invalid("There is no such organization.", field="organization") from error
    try:
        who = None if team in (None, "") else team_for(team or 0, Act.READ_SETUP, actor=actor).pk
    except DeskError as error:
        raise Invalid("There is no such team.", field="team") from error
    return {"organization_id": place, "team_id": who}


def _is_wider(other: Agreement, row: Agreement) -> bool:
    """Whether `other` holds for all that `row` is for, and more; then `row` has to be asked first."""
    if other.audience != row.audience:
        return False
    if row.team_id is not None and other.team_id is None:
        return True
    if row.organization_id is None or other.team_id is not None:
        return False
    above = people_queries.organization_and_above(row.organization_id)
    return other.organization_id is None or (other.organization_id != row.organization_id and other.organization_id in above)


@use_case
def change(agreement: str, *, actor: Actor, now: datetime, **changes: Any) -> Agreement:
    """Change its `name`, its `organization` or `team` (id, slug or None for all). What it says is changed by `agree`.

    Raises Invalid, NotFound, NotAllowed.
    """
    sla.one_at_a_time()
    return _change_step(agreement_for(agreement, Act.SET_UP, actor=actor), changes, actor=actor, now=now)


def _change_step(row: Agreement, changes: Mapping[str, Any], *, actor: Actor, now: datetime) -> Agreement:
    columns: dict[str, Any] = {}
    if unknown := changes.keys() - {"name", "organization", "team"}:
        raise Invalid("An agreement has no such field.", field=min(unknown))
    if "name" in changes:
        columns["name"] = chosen_name(changes["name"])
    # what stays may be out of use by now, or not the actor's to know
    whom = {name: changes.get(name) for name in ("organization", "team") if _is_another(changes, name, row)}
    if whom:
        found = parties(row.audience, organization=whom.get("organization"), team=whom.get("team"), actor=actor)
        columns |= {f"{name}_id": found[f"{name}_id"] for name in whom}
        require(actor, Act.SET_UP, place_of(columns.get("organization_id", row.organization_id)))
    if sla.change(row, columns, actor=actor, now=now) and columns.keys() - {"name"}:
        recounting.agreement_changed(row, actor=actor, now=now)
    return row


def _is_another(changes: Mapping[str, Any], name: str, row: Agreement) -> bool:
    return name in changes and str(changes[name] or "") != str(getattr(row, f"{name}_id") or "")


@use_case
def set_active(agreement: str, *, is_active: bool, actor: Actor, now: datetime) -> Agreement:
    """Offer an agreement, or no longer offer it: clocks that ran out or were met under it stay as they are."""
    sla.one_at_a_time()
    row = agreement_for(agreement, Act.SET_UP, actor=actor)
    verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
    if sla.change(row, {"is_active": is_active}, actor=actor, now=now, verb=verb):
        recounting.agreement_changed(row, actor=actor, now=now)
    return row


@use_case
def reorder(order: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Put the agreements (their slugs, all of them) into another order: of those that fit, the first counts."""
    require(actor, Act.SET_UP, INSTALLATION)
    sla.one_at_a_time()
    rows = {row.slug: row for row in queries.agreements(is_active=None)}
    if sorted(order) != sorted(rows):
        raise Invalid("Name every agreement once.", field="order")
    _place([rows[slug] for slug in order], actor=actor, now=now)


@use_case
def move(agreement: str, *, by: int, actor: Actor, now: datetime) -> Agreement:
    """Ask an agreement `by` places later (negative: earlier) than others of its kind; at an end it stays there."""
    require(actor, Act.SET_UP, INSTALLATION)
    sla.one_at_a_time()
    row = agreement_for(agreement, Act.SET_UP, actor=actor)
    rows = list(queries.agreements(is_active=None))
    alike = [one for one in rows if one.audience == row.audience]
    place = [one.pk for one in alike].index(row.pk)
    alike.insert(min(max(0, place + by), len(alike) - 1), alike.pop(place))
    turn = iter(alike)
    _place([next(turn) if one.audience == row.audience else one for one in rows], actor=actor, now=now)
    return row


def _place(rows: Sequence[Agreement], *, actor: Actor, now: datetime) -> None:
    moved = [row for position, row in enumerate(rows) if row.position != position]
    for position, row in enumerate(rows):
        sla.change(row, {"position": position}, actor=actor, now=now)
    firsts = {row.pk: first for row in moved if (first := queries.first_in_force(row.pk)) is not None}
    if firsts:
        row = next(row for row in moved if row.pk in firsts)
        recounting.agreement_changed(row, since=min(firsts.values()), actor=actor, now=now)


# versions


@use_case
def agree(
    agreement: str,
    *,
    definition: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    in_force_from: datetime | None = None,
    note: str = "",
    seen: int | None = None,
) -> Agreed:
    """What an agreement says for tickets opened from an instant on (now unless given). An instant in the past is allowed; the
    answer says which open tickets it touches. `seen` is the number of the newest version, if it matters.

    Raises Invalid naming the field ("targets.2.within.amount"), Conflict when nothing differs, Stale, NotFound, NotAllowed.
    """
    sla.one_at_a_time()
    row = agreement_for(agreement, Act.SET_UP, actor=actor)
    _not_changed_since(row, seen)
    return agree_step(row, definition, in_force_from=in_force_from, note=note, actor=actor, now=now)


@use_case
def save(
    agreement: str,
    *,
    changes: Mapping[str, Any],
    definition: Mapping[str, Any] | None,
    actor: Actor,
    now: datetime,
    in_force_from: datetime | None = None,
    note: str = "",
    seen: int | None = None,
) -> Agreed | None:
    """What a form holds: `changes` as `change` takes them, and what it says from now on as `agree` does, unless that is None. Both
    are written, or nothing. Raises what those raise."""
    sla.one_at_a_time()
    row = agreement_for(agreement, Act.SET_UP, actor=actor)
    _not_changed_since(row, seen)
    _change_step(row, changes, actor=actor, now=now)
    if definition is None:
        return None
    return agree_step(row, definition, in_force_from=in_force_from, note=note, actor=actor, now=now)


def _not_changed_since(row: Agreement, seen: int | None) -> None:
    if seen is not None and seen != queries.newest_numbers([row.pk]).get(row.pk, 0):
        raise Stale("Somebody has changed this agreement in the meantime. Look at it again.")


def agree_step(
    row: Agreement,
    definition: Mapping[str, Any],
    *,
    in_force_from: datetime | None,
    note: str,
    actor: Actor,
    now: datetime,
) -> Agreed:
    """Write a version; for use cases that do more."""
    since = since_when(in_force_from, now=now)
    newest = next(iter(queries.versions(row.pk)), None)
    kept = newest.definition.get("services", ()) if newest is not None else ()
    terms = checked(definition, audience=Audience(row.audience), kept=kept, actor=actor, now=now)
    if newest is not None and newest.definition == terms.as_json() and newest.in_force_from <= since:
        raise Conflict("Nothing is different from the newest version.")
    before = queries.book()
    version = sla.add_version(
        row, terms, in_force_from=since, note=text.line(note, field="note", limit=200, required=False), actor=actor, now=now
    )
    numbers = touched(before, queries.book(), since=since)
    if numbers or alone.is_shared():  # an act that is not to be seen yet may have read what was agreed before
        recounting.agreement_changed(row, since=since, actor=actor, now=now)
    seen = tickets.at_the_desk(actor).filter(pk__in=numbers[: 10 * SHOWN]).order_by("pk")
    return Agreed(version, len(numbers), tuple(seen.values_list("pk", flat=True)[:SHOWN]))


def since_when(in_force_from: datetime | None, *, now: datetime) -> datetime:
    """From when on a version is to hold. Raises Invalid."""
    if in_force_from is not None and in_force_from.tzinfo is None:
        raise Invalid("Say in which time zone this is.", field="in_force_from")
    return (sensible(in_force_from, field="in_force_from") or now).astimezone(UTC)


def checked(
    definition: Mapping[str, Any], *, audience: Audience, actor: Actor, now: datetime, kept: Collection[int] = ()
) -> Terms:
    """Terms that can be kept: every calendar and service exists, and every target has an instant that meets it.

    The zone is that of its calendars unless given, or else the installation's. Services may be given by id or slug; those `kept`
    from the version before need not be the actor's to know. Raises Invalid naming the field.
    """
    given = dict(definition)
    if not given.get("zone"):
        given["zone"] = _zone_of(given.get("targets"))
    if given.get("services"):
        given["services"] = _services(given["services"], kept=kept, actor=actor)
    terms = Terms.parse(given, audience=audience)
    known = calendars.by_slugs(terms.calendars())
    in_use = {calendars.BUILT_IN} | set(calendars.calendars().filter(is_active=True).values_list("slug", flat=True))
    for place, target in enumerate(terms.targets):
        slug = target.within.calendar
        if slug and slug not in known:
            raise Invalid("There is no such calendar.", field=f"targets.{place}.within.calendar")
        if slug and slug not in in_use:
            raise Invalid("This calendar is out of use.", field=f"targets.{place}.within.calendar")
        _can_be_met(target, place, known.get(slug), zone=terms.zone, now=now)
    return terms


def _zone_of(targets: Any) -> str:
    """The zone of the calendars these targets count in, where it is one; the installation's otherwise."""
    slugs = set()
    for target in targets if isinstance(targets, list | tuple) else ():
        within = target.get("within") if isinstance(target, Mapping) else None
        slugs.add(str(within.get("calendar") or "") if isinstance(within, Mapping) else "")
    rows = (
        calendars.calendars()
        .filter(slug__in=[slug for slug in slugs if slug.isprintable() and len(slug) <= 60])
        .values_list("zone", flat=True)
    )
    zones = set(rows)
    return str(zones.pop()) if len(zones) == 1 else settings.DEFAULT_TIME_ZONE


def _services(given: Any, *, kept: Collection[int], actor: Actor) -> list[int]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > 1000:
        raise Invalid("This is no list.", field="services")
    seen = services.visible_to(actor)
    found: list[int] = []
    for ref in given:
        row = services.by_ref(ref) if isinstance(ref, int | str) and not isinstance(ref, bool) else None
        if row is None or (row.pk not in kept and not seen.filter(pk=row.pk).exists()):
            raise Invalid("There is no such service.", field="services")
        found.append(row.pk)
    return found


def _can_be_met(target: Target, place: int, calendar: hours.Calendar | None, *, zone: str, now: datetime) -> None:
    within = target.within
    try:
        if within.counting is Counting.WORKING and calendar is not None:
            hours.add_working_time(calendar, now, within.budget)
        else:
            hours.add_days(
                calendar,
                now,
                within.amount,
                zone=zone,
                cutoff=within.cutoff,
                opening=within.opening,
                off_day=within.off_day,
            )
    except NeverOpen as error:
        raise Invalid(
            "No instant within %(years)s years would meet this: the calendar has too few open hours.",
            field=f"targets.{place}.within.amount",
            years=error.params["years"],
        ) from error


def touched(before: AgreementBook, after: AgreementBook, *, since: datetime) -> list[int]:
    """The open tickets, opened at `since` or later, to which another agreement or version applies after a change than before."""
    columns = ("pk", "opened_at", "kind", "priority", "service", "organization", "team")
    rows = tickets.all_tickets().filter(opened_at__gte=since).exclude(state__in=FINAL_STATES).order_by("pk")
    changes = sorted({start for book in (before, after) for offer in book.offers for _number, start, _terms in offer.versions})
    known: dict[tuple[Any, ...], bool] = {}  # very many tickets, few sorts of them
    found = []
    for number, opened_at, *sort in rows.values_list(*columns).iterator():
        key = (bisect_right(changes, opened_at), *sort)
        if key not in known:
            kind, priority, service, organization, team = sort
            facts = Facts(kind, State.NEW, priority, service=service, organization=organization, team=team)
            was = (before.customer(facts, opened_at), before.internal(facts, opened_at))
            known[key] = was != (after.customer(facts, opened_at), after.internal(facts, opened_at))
        if known[key]:
            found.append(number)
    return found
