"""Reading what rotas are made of: their versions, overrides, leave, requests; and who may know of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.oncall import rules
from allswell.oncall.models import CalendarLink, Leave, Override, Rota, RotaMember, RotaVersion, ShiftRequest
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may

EVER, NEVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def rotas() -> QuerySet[Rota]:
    """All rotas."""
    return Rota.objects.all()


def visible_to(actor: Actor) -> QuerySet[Rota]:
    """The rotas the actor may know: at the desk those of the teams within reach; a requester none."""
    if not may(actor, Act.SEE_DESK, INSTALLATION):
        return Rota.objects.none()
    return Rota.objects.filter(team__in=people.teams_visible_to(actor).values("pk"))


def decided_by(actor: Actor) -> QuerySet[Rota]:
    """The rotas the actor decides about: they lead the team, or administer its organization."""
    known = visible_to(actor).select_related("team")
    places = [(row.pk, people.team_facts(row.team)) for row in known]
    return Rota.objects.filter(
        pk__in=[pk for pk, place in places if may(actor, Act.LEAD, place) or may(actor, Act.SET_UP, place)]
    )


def by_ref(ref: int | str) -> Rota | None:
    """A rota by id or slug, its team loaded."""
    number = ref if isinstance(ref, int) else text.whole(ref)
    if isinstance(ref, str) and (len(ref) > 60 or not ref.isprintable()):
        return None
    rows = Rota.objects.select_related("team")
    return rows.filter(pk=number).first() if number is not None else rows.filter(slug=ref).first()


def versions(rota: int) -> QuerySet[RotaVersion]:
    """The versions of a rota, newest first."""
    return RotaVersion.objects.filter(rota=rota).select_related("created_by").order_by("-number")


def definition(rota: Rota) -> rules.Definition:
    """What the newest version of a rota says."""
    raw = RotaVersion.objects.values_list("definition", flat=True).get(rota=rota.pk, number=rota.number)
    return rules.Definition.parse(raw)


def versions_of(rota_ids: Collection[int]) -> dict[int, list[rules.Version]]:
    """Rota id -> its versions, as the rules know them."""
    found: dict[int, list[rules.Version]] = defaultdict(list)
    rows = RotaVersion.objects.filter(rota__in=rota_ids).order_by("rota", "number")
    for rota, number, effective_at, raw in rows.values_list("rota_id", "number", "effective_at", "definition"):
        found[rota].append(rules.Version(number, effective_at, rules.Definition.parse(raw)))
    return dict(found)


def counting_in(calendar: int) -> QuerySet[Rota]:
    """The rotas in use one of whose versions has its support hours from a calendar."""
    said = RotaVersion.objects.filter(rota=OuterRef("pk"), definition__calendar=calendar)
    return Rota.objects.filter(Exists(said), is_active=True)


def rotas_of(person: int) -> QuerySet[Rota]:
    """The rotas in use that name somebody, or have them in an override still to come."""
    named = RotaMember.objects.filter(rota=OuterRef("pk"), person=person)
    stands_in = Override.objects.filter(rota=OuterRef("pk"), person=person, cancelled_at=None)
    return Rota.objects.filter(Exists(named) | Exists(stands_in), is_active=True)


def members(rota: int) -> list[int]:
    """Ids of those named in a rota."""
    return sorted(RotaMember.objects.filter(rota=rota).values_list("person_id", flat=True))


def is_member(rota: int, person: int) -> bool:
    """Whether a rota names somebody."""
    return RotaMember.objects.filter(rota=rota, person=person).exists()


# what differs


def overrides(*rotas: int, since: datetime, until: datetime) -> QuerySet[Override]:
    """The overrides of rotas that touch a time and were not cancelled, in order."""
    rows = Override.objects.filter(rota__in=rotas, cancelled_at=None, ends_at__gt=since, starts_at__lt=until)
    return rows.select_related("person", "instead_of", "created_by").order_by("starts_at", "id")


def override(rota: int, override_id: int) -> Override | None:
    """An override of a rota, cancelled or not."""
    return Override.objects.filter(rota=rota, pk=override_id).first()


def overrides_of(rota_ids: Collection[int], *, since: datetime, until: datetime) -> dict[int, list[rules.Override]]:
    """Rota id -> its overrides, as the rules know them."""
    found: dict[int, list[rules.Override]] = defaultdict(list)
    rows = Override.objects.filter(rota__in=rota_ids, cancelled_at=None, ends_at__gt=since, starts_at__lt=until)
    columns = ("pk", "level", "starts_at", "ends_at", "person_id", "instead_of_id")
    for rota, *values in rows.values_list("rota_id", *columns):
        found[rota].append(rules.Override(*values))
    return dict(found)


def leaves(person_ids: Collection[int], *, since: datetime, until: datetime) -> QuerySet[Leave]:
    """The leave of people that touches a time and was not cancelled, in order."""
    rows = Leave.objects.filter(person__in=person_ids, cancelled_at=None, ends_at__gt=since, starts_at__lt=until)
    return rows.select_related("person").order_by("starts_at", "id")


def leave(leave_id: int) -> Leave | None:
    """A leave, cancelled or not."""
    return Leave.objects.select_related("person").filter(pk=leave_id).first()


def leave_of(person_ids: Collection[int], *, since: datetime, until: datetime) -> dict[int, list[rules.Span]]:
    """Person id -> when they are not there: leave, out of office, or no longer in use at all."""
    return presence(person_ids, since=since, until=until)[1]


def presence(
    person_ids: Collection[int], *, since: datetime, until: datetime
) -> tuple[dict[int, str], dict[int, list[rules.Span]]]:
    """(names, `leave_of`) of people, in one statement."""
    found: dict[int, list[rules.Span]] = defaultdict(list)
    names: dict[int, str] = {}
    away = Leave.objects.filter(person__in=person_ids, cancelled_at=None, ends_at__gt=since, starts_at__lt=until)
    rows = people.people().filter(pk__in=person_ids).values_list("pk", "name", "is_active", "away_from", "away_until")
    spans = away.order_by().values_list("person_id", Value(""), Value(True), "starts_at", "ends_at")
    for person, name, is_active, starts_at, ends_at in rows.union(spans, all=True):
        names[person] = name or names.get(person, "")
        if not is_active:
            found[person].append((EVER, NEVER))
        elif starts_at or ends_at:
            found[person].append((starts_at or EVER, ends_at or NEVER))
    return names, {person: sorted(spans) for person, spans in found.items()}


# asking one another


def shift_request(request_id: int) -> ShiftRequest | None:
    """A request, its rota and people loaded."""
    rows = ShiftRequest.objects.select_related("rota", "rota__team", "asked_by", "offered_to", "decided_by")
    return rows.filter(pk=request_id).first()


def requests(rota_ids: Iterable[int]) -> QuerySet[ShiftRequest]:
    """The requests of rotas, the newest first."""
    rows = ShiftRequest.objects.filter(rota__in=rota_ids)
    return rows.select_related("rota", "asked_by", "offered_to", "decided_by").order_by("-id")


def waiting_for(person: int, *, now: datetime) -> QuerySet[ShiftRequest]:
    """The open requests somebody may accept: offered to them, or to everybody in a rota that names them; the soonest first."""
    named = RotaMember.objects.filter(rota=OuterRef("rota"), person=person)
    mine = Q(offered_to=person) | Q(Exists(named), offered_to=None)
    rows = ShiftRequest.objects.filter(mine, state="open", ends_at__gt=now).exclude(asked_by=person)
    return rows.select_related("rota", "asked_by", "offered_to").order_by("starts_at", "id")


def outdated(now: datetime) -> QuerySet[ShiftRequest]:
    """Open requests whose time is over."""
    return ShiftRequest.objects.filter(state="open", ends_at__lte=now).order_by("id")


# secret addresses


def calendar_links(person: int) -> QuerySet[CalendarLink]:
    """The secret addresses of a person still in use."""
    return CalendarLink.objects.filter(person=person, revoked_at=None).select_related("rota").order_by("id")


def calendar_link(secret: str) -> CalendarLink | None:
    """What a secret address leads to, its person and rota loaded; None when it is not in use, or its person is not."""
    rows = CalendarLink.objects.select_related("person", "rota", "rota__team")
    return rows.filter(digest=people.digest(secret), revoked_at=None, person__is_active=True).first()
