"""Writing policies, runs and pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from allswell.database.rows import insert_all, update_one
from allswell.journal import bulk
from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Stale
from allswell.notifications.rules import ContactKind, Planned, Urgency
from allswell.oncall.models import Escalation, EscalationPolicy, Page, PageDelivery, PageEvent, PolicyUse, PolicyVersion
from allswell.oncall.rules.escalating import Called, PageCause, Run
from allswell.oncall.rules.policies import Policy

ABOUT_POLICY = "policy"

# policies


def create_policy(*, name: str, slug: str, team: int, actor: Actor, now: datetime) -> EscalationPolicy:
    """A new policy, still without a version."""
    row = EscalationPolicy(name=name, slug=slug, team_id=team, created_at=now)
    journal.create(row, about=ABOUT_POLICY, actor=actor, now=now)
    return row


def add_policy_version(row: EscalationPolicy, said: Policy, *, note: str, actor: Actor, now: datetime) -> Entry:
    """Write the next version and make it the newest. Raises Stale when somebody just did."""
    number = row.number + 1
    version = PolicyVersion(
        policy=row, number=number, definition=said.as_json(), note=note, created_at=now, created_by_id=actor.person
    )
    try:
        version.save(force_insert=True)
    except IntegrityError as error:
        raise Stale("Somebody has changed this policy in the meantime. Look at it again.") from error
    row.number = number
    row.save(update_fields=["number"])
    return journal.record(Verb.POLICY_CHANGED, about=(ABOUT_POLICY, row.pk), actor=actor, now=now, data={"number": number})


def change_policy(row: EscalationPolicy, values: dict[str, Any], *, actor: Actor, now: datetime) -> Entry | None:
    """Rename a policy, or give it to another team; None when nothing differs."""
    return journal.change(row, values, about=ABOUT_POLICY, actor=actor, now=now)


def set_policy_active(row: EscalationPolicy, *, is_active: bool, actor: Actor, now: datetime) -> Entry | None:
    """Take a policy out of use, or back into it. Runs that follow it go on."""
    verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
    return journal.change(row, {"is_active": is_active}, about=ABOUT_POLICY, actor=actor, now=now, verb=verb)


def use_policy(policy: int | None, *, service: int | None = None, team: int | None = None, actor: Actor, now: datetime) -> None:
    """Make a policy that of a service, or a team's default; None: they have none."""
    of = {"service_id": service, "team_id": team}
    before = PolicyUse.objects.filter(**of).values_list("policy_id", flat=True).first()
    if before == policy:
        return
    PolicyUse.objects.filter(**of).delete()
    if policy is not None:
        PolicyUse.objects.create(policy_id=policy, **of)
    data = {"field": "service" if service else "team", "of": service or team, "from": before, "to": policy}
    about = (ABOUT_POLICY, policy or before or 0)
    journal.record(Verb.CHANGED, about=about, actor=actor, now=now, data=data)


# runs


def start(
    *,
    ticket: int,
    policy: int | None,
    number: int,
    definition: dict[str, Any],
    cause: str,
    reason: str = "",
    by: int | None,
    now: datetime,
) -> Escalation | None:
    """Begin a run whose first step is due now; None when the ticket has an open run of this policy already."""
    if policy is not None and Escalation.objects.filter(ticket=ticket, policy=policy, ended_at=None).exists():
        return None
    row = Escalation(
        ticket_id=ticket,
        policy_id=policy,
        number=number,
        definition=definition,
        cause=cause,
        reason=reason,
        started_at=now,
        started_by_id=by,
        next_step_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # somebody else began it at this moment
        return None
    return row


def hold_due(*, now: datetime, limit: int) -> list[Escalation]:
    """The runs that have something to do, the longest waiting first, that no other engine holds; for this act alone."""
    rows = Escalation.objects.select_for_update(skip_locked=True, of=("self",)).select_related("ticket")
    return list(rows.filter(next_step_at__lte=now).order_by("next_step_at")[:limit])


def hold(run_id: int) -> Escalation | None:
    """A run as it is now, for this act alone."""
    return Escalation.objects.select_for_update(of=("self",)).select_related("ticket", "policy").filter(pk=run_id).first()


def hold_open(ticket: int) -> list[Escalation]:
    """The runs of a ticket that may still call somebody, for this act alone."""
    rows = Escalation.objects.select_for_update(of=("self",)).select_related("policy")
    return list(rows.filter(ticket=ticket, ended_at=None).order_by("id"))


def keep(row: Escalation, run: Run, *, now: datetime, end_reason: str = "", **values: Any) -> None:
    """Write how a run stands. Raises Conflict when somebody else moved it since it was read."""
    columns = {**_columns(run, now=now, end_reason=end_reason), **values}
    guard = {"state": row.state, "turn": row.turn, "next_step_at": row.next_step_at}
    if not update_one(Escalation, row.pk, columns, guard=guard):
        raise Conflict("Somebody else moved this run on.")
    for name, value in columns.items():
        setattr(row, name, value)


def keep_all(stand: Iterable[tuple[Escalation, Run]], *, now: datetime, end_reason: str = "") -> None:
    """Write how runs stand that this act holds; those that stand alike in one statement. Raises Conflict when one is over."""
    alike: dict[Run, list[Escalation]] = defaultdict(list)
    for row, run in stand:
        alike[run].append(row)
    for run, rows in alike.items():
        columns = _columns(run, now=now, end_reason=end_reason)
        ids = [row.pk for row in rows]
        if Escalation.objects.filter(pk__in=ids, ended_at=None).update(**columns) != len(ids):
            raise Conflict("Somebody else moved this run on.")
        for row in rows:
            vars(row).update(columns)


def _columns(run: Run, *, now: datetime, end_reason: str) -> dict[str, Any]:
    columns = {
        "state": run.state.value,
        "position": run.position,
        "round": run.round,
        "turn": run.turn,
        "has_reached": run.has_reached,
        "next_step_at": run.next_at,
    }
    return columns if run.is_open else {**columns, "ended_at": now, "end_reason": end_reason or run.state.value}


def resume(row: Escalation, run: Run) -> bool:
    """Let a run that has ended go on; False when another of its policy calls for the ticket by now."""
    if (
        row.policy_id is not None
        and Escalation.objects.filter(ticket=row.ticket_id, policy=row.policy_id, ended_at=None).exists()
    ):
        return False
    values = {"state": run.state.value, "position": run.position, "next_step_at": run.next_at, "ended_at": None, "end_reason": ""}
    Escalation.objects.filter(pk=row.pk).exclude(ended_at=None).update(**values)
    for name, value in values.items():
        setattr(row, name, value)
    return True


def put_off(run_id: int, *, until: datetime) -> None:
    """Let a run that is not over wait: nothing could be done with it now."""
    Escalation.objects.filter(pk=run_id, ended_at=None).update(next_step_at=until)


# pages


@dataclass(frozen=True, slots=True)
class ToPage:
    """One that a step of a run is about to call, and by which ways when; `late_by`: seconds after the step was due.

    `is_unseen`: they may not know what it is about, so nothing is sent.
    """

    row: Escalation
    called: Called
    planned: tuple[Planned, ...]
    turn: int
    urgency: Urgency
    late_by: int
    is_unseen: bool = False


def write_pages(to: Sequence[ToPage], *, now: datetime) -> None:
    """Pages with their deliveries and the first lines of their ledgers. An alarm on the open desk is delivered by being there."""
    pages = [
        Page(
            escalation_id=one.row.pk,
            ticket_id=one.row.ticket_id,
            person_id=one.called.person,
            room_id=one.called.room,
            turn=one.turn,
            urgency=one.urgency.value,
            why=one.called.target.as_json(),
            created_at=now,
            late_by=one.late_by,
            closed_at=now if one.is_unseen else None,
        )
        for one in to
    ]
    _write(pages, [() if one.is_unseen else one.planned for one in to], now=now)


def write_page(
    person: int, planned: Sequence[Planned], *, cause: PageCause, urgency: Urgency, asked_by: int | None = None, now: datetime
) -> Page:
    """A page to one person that belongs to no run and no ticket. Whoever makes it sees to it that it is closed."""
    page = Page(person_id=person, cause=cause.value, urgency=urgency.value, asked_by_id=asked_by, created_at=now)
    _write([page], [planned], now=now)
    return page


def _write(pages: Sequence[Page], planned: Sequence[Sequence[Planned]], *, now: datetime) -> None:
    """Pages, the deliveries planned for each, and the first lines of their ledgers: what is planned, or why nothing is sent."""
    bulk.insert(pages)
    deliveries = [
        _delivery(page, way, place, now=now) for page, ways in zip(pages, planned, strict=True) for place, way in enumerate(ways)
    ]
    bulk.insert(deliveries)
    events = [PageEvent(page_id=made.page_id, delivery_id=made.pk, happened_at=now, kind="planned") for made in deliveries]
    for page, ways in zip(pages, planned, strict=True):
        if not ways:
            events.append(PageEvent(page_id=page.pk, happened_at=now, kind="unseen" if page.closed_at else "no_way"))
    note_events(events)


def _delivery(page: Page, way: Planned, place: int, *, now: datetime) -> PageDelivery:
    is_there = way.channel is ContactKind.DESK
    return PageDelivery(
        page_id=page.pk,
        contact_id=way.contact,
        channel=way.channel.value,
        destination=f"contact-{way.contact}" if way.contact else f"{way.channel.value}-of-{page.person_id}",
        key=f"page_{page.pk}_{place}",
        due_at=way.due_at,
        planned_at=way.due_at,
        settled_at=now if is_there else None,
        outcome="sent" if is_there else "",
    )


def call_for_handover(
    handover: int, to: Iterable[tuple[int, dict[str, Any], tuple[Planned, ...]]], *, turn: int, urgency: Urgency, now: datetime
) -> list[Page]:
    """Pages about a shift that nobody has taken: (person, why they, by which ways)."""
    called, cause = list(to), PageCause.HANDOVER.value
    pages = [
        Page(handover_id=handover, person_id=person, turn=turn, cause=cause, urgency=urgency.value, why=why, created_at=now)
        for person, why, _ in called
    ]
    _write(pages, [planned for _, _, planned in called], now=now)
    return pages


def close_page(page: Page, *, now: datetime) -> None:
    """Nothing more is sent of a page."""
    close([page.pk], now=now)
    page.closed_at = now


def close_calls(handover: int, *, now: datetime) -> None:
    """Nothing more is sent of the pages about a handover."""
    close(list(Page.objects.filter(handover=handover, closed_at=None).values_list("pk", flat=True)), now=now)


def note_events(events: Iterable[PageEvent]) -> None:
    """Add to the ledger."""
    insert_all(events)


def note(
    page: int, kind: str, *, now: datetime, delivery: int | None = None, detail: str = "", status: int | None = None
) -> None:
    """Add a line to the ledger of a page."""
    PageEvent.objects.create(page_id=page, delivery_id=delivery, happened_at=now, kind=kind, detail=detail[:300], status=status)


def close_pages(run_ids: Iterable[int], *, now: datetime) -> None:
    """Nothing more is sent of these runs' pages: what was not sent does not matter any more."""
    close(list(Page.objects.filter(escalation__in=list(run_ids), closed_at=None).values_list("pk", flat=True)), now=now)


def close(ids: list[int], *, now: datetime) -> None:
    """Nothing more is sent of these pages; what another engine is at is left to it."""
    if not ids:
        return
    Page.objects.filter(pk__in=ids).update(closed_at=now)
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    rows = list(PageDelivery.objects.filter(free, page__in=ids, settled_at=None).values_list("pk", "page_id"))
    PageDelivery.objects.filter(free, pk__in=[pk for pk, _ in rows], settled_at=None).update(settled_at=now, outcome="moot")
    note_events(PageEvent(page_id=page, delivery_id=pk, happened_at=now, kind="moot") for pk, page in rows)


def opened(page: Page, *, now: datetime) -> bool:
    """Note that its person looked at a page; False when they had before."""
    if not Page.objects.filter(pk=page.pk, opened_at=None).update(opened_at=now):
        return False
    page.opened_at = now
    note(page.pk, "opened", now=now)
    return True


def answer(page: Page, *, now: datetime, detail: str) -> bool:
    """Note that a page was answered; False when it had been before."""
    if not Page.objects.filter(pk=page.pk, acknowledged_at=None).update(acknowledged_at=now):
        return False
    page.acknowledged_at = now
    note(page.pk, "acknowledged", now=now, detail=detail)
    return True


def pass_on(page: Page, *, now: datetime) -> bool:
    """Note that its person leaves a page to others, and send no more of it; False when it is over already."""
    if not Page.objects.filter(pk=page.pk, acknowledged_at=None, closed_at=None).update(closed_at=now):
        return False
    close([page.pk], now=now)
    page.closed_at = now
    note(page.pk, "passed_on", now=now)
    return True


def hush(page: Page, *, now: datetime) -> bool:
    """Note that its person turned off the alarm of a page on the desk; False when they had before."""
    if PageEvent.objects.filter(page=page, kind="hushed").exists():
        return False
    note(page.pk, "hushed", now=now)
    return True
