"""Handovers follow the shifts: drafted before a change, given to others when an edit moves it, told to whom they concern."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.incidents import queries as incidents
from allswell.kernel.actor import Actor
from allswell.notifications import bulk as notices
from allswell.notifications import queries as contacts
from allswell.notifications.rules import Urgency
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.operations import escalations as calling
from allswell.oncall.rules import Handing, HandoverState, Turnover
from allswell.oncall.rules.handing import drafted
from allswell.people import queries as people

from . import shift_notices

if TYPE_CHECKING:
    from allswell.journal.models import Entry
    from allswell.oncall.models import Handover, Rota

_MOMENT = timedelta(microseconds=1)


def collected(team: int, turnover: Turnover) -> dict[str, list[int]]:
    """What of a team's tickets the next shift has to know of now."""
    return drafted(queries.open_tickets(team, turnover, announced=incidents.announced_in(team)), turnover)


def turnover_of(row: Handover) -> Turnover:
    """The change of shift a handover is about."""
    return Turnover(row.rota_id, row.level, row.changes_at, row.outgoing_id, row.incoming_id, row.begun_at, row.until)


def begin(rota: Rota, turnover: Turnover, handing: Handing, *, actor: Actor, now: datetime) -> Handover:
    """Draft a handover and tell both. Whoever is on leave by then is not held back."""
    gone = queries.leave_of([turnover.outgoing], since=turnover.changes_at, until=turnover.changes_at + _MOMENT)
    is_held = handing.holds and turnover.outgoing not in gone
    draft = collected(rota.team_id, turnover)
    row, entry = rotas.draft_handover(turnover, draft, handing, is_held=is_held, actor=actor, now=now)
    step = "late" if now > row.changes_at else "drafted"
    tell(row, entry, step, [row.outgoing_id], actor=actor, now=now)
    if step == "late":
        tell(row, entry, "begins", [row.incoming_id], actor=actor, now=now)
    return row


def tell(row: Handover, entry: Entry, step: str, persons: Sequence[int | None], *, actor: Actor, now: datetime) -> None:
    """A notice of a handover to each of them but the actor."""
    content = {"handover": row.pk, "step": step, "other": _other(row, step), **shift_notices.about_handover(row)}
    who = [person for person in dict.fromkeys(persons) if person is not None and person != actor.person]
    notices.enqueue([notices.Notice(shift_notices.HANDOVER, person, entry, content) for person in who], now=now)


def _other(row: Handover, step: str) -> int:
    """Whom the notice names beside its reader."""
    return row.incoming_id if step in ("drafted", "late", "accepted", "escalated", "lapsed") else row.outgoing_id


def take(row: Handover, *, actor: Actor, now: datetime) -> None:
    """The incoming has taken the shift, and the others hear of it."""
    entry = rotas.accept_handover(row, actor=actor, now=now)
    told = [row.outgoing_id, row.escalated_to_id if row.escalated_at else None]
    tell(row, entry, "accepted", told, actor=actor, now=now)


def lead_for(row: Handover) -> int | None:
    """Who hears that nobody took the shift: the lead of the team, or the next above who has no part in it."""
    team = people.team(row.rota.team_id)
    chain = people.manager_chain(team) if team is not None else []
    return next((person for person in chain if person not in (row.outgoing_id, row.incoming_id)), next(iter(chain), None))


def follow(rows: Sequence[Rota], *, actor: Actor, now: datetime) -> None:
    """The handovers of rotas (held by this act) whose shifts may have moved: to others, or called off."""
    by_id = {row.pk: row for row in rows}
    for row in queries.followed(by_id, now):
        before, after = queries.as_planned(row, now)
        outgoing = row.outgoing_id if row.changes_at <= now else before.person_id if before else None
        incoming = after.person_id if after else None
        if row.changes_at <= now and incoming is None:
            continue  # nobody, on purpose or for want of somebody: whoever should have taken it still may
        if not by_id[row.rota_id].is_active or after is None or None in (outgoing, incoming) or outgoing == incoming:
            entry = rotas.lapse_handover(row, actor=actor, now=now)
            tell(row, entry, "called_off", [row.outgoing_id, row.incoming_id], actor=actor, now=now)
        elif (outgoing, incoming) != (row.outgoing_id, row.incoming_id):
            _give(
                row,
                outgoing or 0,
                incoming or 0,
                before.starts_at if before else row.begun_at,
                after.ends_at,
                actor=actor,
                now=now,
            )


def _give(
    row: Handover, outgoing: int, incoming: int, begun_at: datetime, until: datetime, *, actor: Actor, now: datetime
) -> None:
    is_other = outgoing != row.outgoing_id
    turnover = Turnover(row.rota_id, row.level, row.changes_at, outgoing, incoming, begun_at, until)
    entry = rotas.hand_to(row, turnover, actor=actor, now=now)
    if is_other:
        tell(row, entry, "drafted", [outgoing], actor=actor, now=now)
    if row.state != HandoverState.DRAFTED:
        tell(row, entry, "signed", [incoming], actor=actor, now=now)
    if row.state == HandoverState.ESCALATED and incoming != actor.person:
        call_incoming(row, now=now)


# calling


def others_for(row: Handover) -> list[int]:
    """Who is called when the incoming, called first, does not come: their lead, and whoever goes."""
    wanted = dict.fromkeys([lead_for(row), row.outgoing_id])
    return [person for person in wanted if person is not None and person != row.incoming_id]


def call_incoming(row: Handover, *, now: datetime) -> bool:
    """Call whoever has not taken their shift in time; False when there is no way to them."""
    return _call(row, [row.incoming_id], turn=0, now=now)


def pass_on(row: Handover, *, actor: Actor, now: datetime) -> None:
    """Call the others."""
    others = others_for(row)
    rotas.pass_on_handover(row, others, actor=actor, now=now)
    _call(row, others, turn=1, now=now)


def _call(row: Handover, persons: Sequence[int], *, turn: int, now: datetime) -> bool:
    """A page to each who is still in use; whether there is any way to any of them."""
    there = set(people.actors(persons))
    reach = contacts.reachable(there)
    to = [
        (person, {"kind": _part(row, person)}, reach[person].plan(Urgency.URGENT, now) if person in reach else ())
        for person in persons
        if person in there
    ]
    calling.call_for_handover(row.pk, to, turn=turn, urgency=Urgency.URGENT, now=now)
    return any(planned for _person, _why, planned in to)


def _part(row: Handover, person: int) -> str:
    return "incoming" if person == row.incoming_id else "outgoing" if person == row.outgoing_id else "lead"
