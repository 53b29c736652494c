"""Reading handovers: those still to be drafted, those that are open, and the tickets that stand in them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from allswell.kernel.actor import Actor
from allswell.oncall.models import Escalation, Handover, Page, Shift
from allswell.oncall.rules import Handing, OpenTicket, Turnover, ruling
from allswell.oncall.rules.definition import MOST_LEVELS
from allswell.oncall.rules.handing import BEFORE, LONGEST, OPEN, URGENT, HandoverState, Timer
from allswell.tickets import queries as tickets

from . import rows

#: tickets of a team that are looked at
_MOST_TICKETS = 1000
_LEVELS = range(1, MOST_LEVELS + 1)


def changes(now: datetime, *, limit: int = 200) -> list[tuple[Turnover, Handing]]:
    """The changes of shift between two people for which a handover is wanted and not drafted, the soonest first.

    Who took a shift at once has it already: there is nothing to accept. Changes longer ago than a handover may last are over.
    """
    after = Shift.objects.filter(rota=OuterRef("rota"), level=OuterRef("level"), starts_at=OuterRef("ends_at"))
    planned = after.exclude(override__created_at__gte=F("starts_at"))
    known = Handover.objects.filter(rota=OuterRef("rota"), level=OuterRef("level"), changes_at=OuterRef("ends_at"))
    known = known.exclude(state=HandoverState.LAPSED, ended_at__lt=F("changes_at"))
    ending = Shift.objects.filter(
        ~Exists(known),
        rota__hands_over=True,
        rota__is_active=True,
        level__in=_LEVELS,
        ends_at__gt=now - LONGEST,
        ends_at__lte=now + BEFORE,
        person__isnull=False,
    )
    ending = ending.annotate(following=Subquery(planned.values("person")[:1]), until=Subquery(planned.values("ends_at")[:1]))
    ending = ending.filter(following__isnull=False, until__gt=now).exclude(following=F("person")).order_by("ends_at", "pk")
    columns = ("rota_id", "level", "ends_at", "person_id", "following", "starts_at", "until")
    found = [Turnover(*values) for values in ending.values_list(*columns)[:limit]]
    versions = rows.versions_of({one.rota for one in found}) if found else {}
    wanted = []
    for one in found:
        holding = ruling(versions.get(one.rota, ()), one.changes_at, one.until)
        if holding and holding[0][2].handover.wanted:
            wanted.append((one, holding[0][2].handover))
    return wanted


def is_handover_due(now: datetime) -> bool:
    """Whether the timer of some handover is up."""
    return Handover.objects.filter(next_at__lte=now).exists()


def due_handovers(now: datetime, *, limit: int) -> list[Handover]:
    """Those whose timer is up, locked; what another engine holds is skipped."""
    due = Handover.objects.filter(next_at__lte=now).order_by("next_at", "pk").select_related("rota", "rota__team")
    return list(due.select_for_update(of=("self",), no_key=True, skip_locked=True)[:limit])


def handovers() -> QuerySet[Handover]:
    """All handovers, with their rota and people."""
    return Handover.objects.select_related(
        "rota", "rota__team", "outgoing", "incoming", "signed_by", "accepted_by", "escalated_to"
    )


def handovers_visible_to(actor: Actor) -> QuerySet[Handover]:
    """The handovers the actor may read: those of their teams, of rotas that name them, their own, of teams they decide about."""
    if actor.person is None:
        return Handover.objects.none()
    mine = Q(rota__team__in=actor.teams) | Q(outgoing=actor.person) | Q(incoming=actor.person)
    named = Q(rota__in=rows.rotas_of(actor.person).values("pk"))
    led = Q(rota__in=rows.decided_by(actor))
    return handovers().filter(mine | named | led, rota__in=rows.visible_to(actor).values("pk"))


def open_handovers(rota_ids: Collection[int], now: datetime) -> QuerySet[Handover]:
    """The handovers of rotas that wait to be taken, the longest waiting first."""
    return handovers().filter(rota__in=rota_ids, state__in=OPEN, lapses_at__gt=now).order_by("changes_at", "pk")


def handovers_of(person: int, now: datetime) -> QuerySet[Handover]:
    """The handovers somebody gives or takes that wait to be taken."""
    mine = Q(outgoing=person) | Q(incoming=person)
    return handovers().filter(mine, state__in=OPEN, lapses_at__gt=now).order_by("changes_at", "pk")


def handover(handover_id: int, *, is_locked: bool = False) -> Handover | None:
    """A handover with its rota and people; `is_locked` lets nobody else write it until the end."""
    found = handovers().filter(pk=handover_id)
    return (found.select_for_update(of=("self",), no_key=True) if is_locked else found).first()


def timer_of(row: Handover) -> Timer:
    """When what is to be done about a handover."""
    return Timer(
        row.state,
        row.changes_at,
        row.drafted_at,
        row.due_at,
        row.lapses_at,
        is_reminded=row.reminded_at is not None,
        has_passed_on=row.passed_on_at is not None,
    )


def calls_of(handover: int) -> QuerySet[Page]:
    """Who was called because nobody took a shift, in order."""
    return Page.objects.filter(handover=handover).select_related("person").order_by("pk")


def handover_calls_of(person: int) -> QuerySet[Page]:
    """What calls somebody now to take a shift, or because nobody has taken it; the newest first."""
    rows = Page.objects.filter(person=person, closed_at=None, acknowledged_at=None, handover__isnull=False)
    return rows.select_related("handover__rota", "handover__incoming").order_by("-pk")


def lapsed_handover(rota: int, level: int, changes_at: datetime) -> Handover | None:
    """The handover of a change of shift that was called off, and is wanted again."""
    return Handover.objects.filter(rota=rota, level=level, changes_at=changes_at).first()


def followed(rota_ids: Collection[int], now: datetime) -> list[Handover]:
    """The handovers an edit of rotas may concern, locked: open ones, and those accepted ahead of their time."""
    open_ones = Q(state__in=OPEN, lapses_at__gt=now) | Q(state=HandoverState.ACCEPTED, changes_at__gt=now)
    found = Handover.objects.filter(open_ones, rota__in=rota_ids).order_by("pk").select_related("rota", "rota__team")
    return list(found.select_for_update(of=("self",), no_key=True))


def as_planned(row: Handover, now: datetime) -> tuple[Shift | None, Shift | None]:
    """The shift that ends with a handover and the one that begins with it, or that runs now when it has begun."""
    shifts = Shift.objects.filter(rota=row.rota_id, level=row.level)
    if row.changes_at > now:
        return shifts.filter(ends_at=row.changes_at).first(), shifts.filter(starts_at=row.changes_at).first()
    return None, shifts.filter(starts_at__lte=now, ends_at__gt=now).first()


def open_tickets(team: int, turnover: Turnover, *, announced: Collection[int]) -> list[OpenTicket]:
    """The open tickets of a team that the next shift may have to know of; `announced` are those with an open announcement."""
    called = set(
        Escalation.objects.filter(ended_at=None, acknowledged_at=None, ticket__team=team, ticket__done_at=None).values_list(
            "ticket_id", flat=True
        )[:_MOST_TICKETS]
    )
    matters = Q(is_major=True) | Q(priority__in=URGENT) | Q(next_due_at__lt=turnover.until) | Q(asked_at__isnull=False)
    matters |= Q(waiting_until__lt=turnover.until) | Q(opened_at__gte=turnover.begun_at) | Q(pk__in=called | set(announced))
    found = tickets.all_tickets().filter(matters, team=team, done_at=None).order_by("queue_rank", "queue_at", "pk")
    columns = ("pk", "priority", "is_major", "restored_at", "state", "opened_at", "next_due_at", "waiting_until", "asked_at")
    return [
        OpenTicket(
            number=pk,
            priority=priority,
            is_major=is_major,
            is_restored=restored_at is not None,
            state=state,
            opened_at=opened_at,
            next_due_at=due_at,
            waiting_until=waiting_until,
            asked_at=asked_at,
            is_announced=pk in announced,
            is_called_for=pk in called,
        )
        for pk, priority, is_major, restored_at, state, opened_at, due_at, waiting_until, asked_at in found.values_list(*columns)[
            :_MOST_TICKETS
        ]
    ]
