"""Writing rotas and the shifts that come of them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from allswell.journal import operations as journal
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Stale
from allswell.oncall import rules
from allswell.oncall.models import CalendarLink, Leave, Override, Rota, RotaMember, RotaVersion, Shift, ShiftRequest
from allswell.oncall.rules import Slot
from allswell.people import queries as people

ABOUT = "rota"

# Whoever plans a rota anew holds its row, and those of the people named before it; so two edits come one after the other, and
# nobody plans past a leave that is being written.


def hold_people(person_ids: Collection[int]) -> None:
    """Let nobody change the leave of these people until the act ends."""
    list(people.people().select_for_update(no_key=True).filter(pk__in=person_ids).order_by("pk").values_list("pk"))


def hold(rota_ids: Collection[int]) -> list[Rota]:
    """The rotas, as they are now, for this act alone."""
    return list(
        Rota.objects.select_for_update(of=("self",), no_key=True).select_related("team").filter(pk__in=rota_ids).order_by("pk")
    )


# rotas


def create(*, name: str, slug: str, team: int, actor: Actor, now: datetime) -> Rota:
    """A new rota, still without a version."""
    row = Rota(name=name, slug=slug, team_id=team, created_at=now, planned_until=now)
    journal.create(row, about=ABOUT, actor=actor, now=now)
    return row


def add_version(
    row: Rota, definition: rules.Definition, *, effective_at: datetime, note: str, actor: Actor, now: datetime
) -> Entry:
    """Write the next version and make it the newest. Raises Stale when somebody just did."""
    version = RotaVersion(
        rota=row,
        number=row.number + 1,
        effective_at=effective_at,
        definition=definition.as_json(),
        note=note,
        created_at=now,
        created_by_id=actor.person,
    )
    try:
        version.save(force_insert=True)
    except IntegrityError as error:
        raise Stale("Somebody has changed this rota in the meantime. Look at it again.") from error
    data = {"number": version.number, "effective_at": effective_at.isoformat(), "people": sorted(definition.people)}
    row.number = version.number
    row.save(update_fields=["number"])
    return journal.record(Verb.ROTA_CHANGED, about=(ABOUT, row.pk), actor=actor, now=now, data=data)


def name_people(row: Rota, versions: Sequence[rules.Version], *, now: datetime) -> None:
    """Note who is named in what holds now or later, how many levels there are, whether shifts are handed over."""
    in_force = [definition for _, _, definition in rules.ruling(versions, now, datetime.max.replace(tzinfo=now.tzinfo))]
    wanted = {person for definition in in_force for person in definition.people}
    known = set(RotaMember.objects.filter(rota=row).values_list("person_id", flat=True))
    RotaMember.objects.filter(rota=row, person__in=known - wanted).delete()
    RotaMember.objects.bulk_create([RotaMember(rota=row, person_id=person) for person in sorted(wanted - known)])
    row.levels = max((definition.levels for definition in in_force), default=1)
    row.hands_over = any(definition.handover.wanted for definition in in_force)
    row.save(update_fields=["levels", "hands_over"])


def rename(row: Rota, name: str, *, actor: Actor, now: datetime) -> Entry | None:
    """Give it another name; None when it has it already."""
    return journal.change(row, {"name": name}, about=ABOUT, actor=actor, now=now)


def set_active(row: Rota, *, is_active: bool, actor: Actor, now: datetime) -> Entry | None:
    """Take a rota out of use, or back into it: its shifts go on from now."""
    verb = Verb.ACTIVATED if is_active else Verb.DEACTIVATED
    entry = journal.change(row, {"is_active": is_active}, about=ABOUT, actor=actor, now=now, verb=verb)
    if entry is not None and is_active:
        row.planned_until = now  # written with its shifts
    return entry


def hold_shortest(until: datetime) -> Rota | None:
    """One of the rotas whose shifts are not written up to `until` and that nobody else holds, for this act alone; None: there is none.

    Any one of them, so that one that cannot be planned does not hold up the others.
    """
    rows = Rota.objects.filter(is_active=True, planned_until__lt=until).order_by("?").select_related("team")
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=True).first()


# shifts


def plan_again(rota_ids: Iterable[int], *, now: datetime) -> int:
    """Let the shifts of rotas be written anew by the engine; until then who is on call is worked out."""
    return Rota.objects.filter(pk__in=list(rota_ids), planned_until__gt=now).update(planned_until=now)


def write_shifts(row: Rota, slots: Iterable[Slot], *, since: datetime, until: datetime) -> None:
    """Make the shifts from `since` on those of a plan; a shift that runs goes on when its person stays, and is cut when not.

    What was over before `since` is not touched.
    """
    rows = list(Shift.objects.filter(rota=row, ends_at__gt=since).order_by("level", "starts_at"))
    running = {shift.level: shift for shift in rows if shift.starts_at < since}
    wanted: dict[tuple[int, datetime], Slot] = {}
    for slot in slots:
        before = running.get(slot.level)
        if before is not None and slot.starts_at == since and (before.person_id, before.why) == (slot.person, slot.why or ""):
            slot = replace(slot, starts_at=before.starts_at)
            del running[slot.level]
        wanted[slot.level, slot.starts_at] = slot
    cut = list(running.values())
    Shift.objects.filter(pk__in=[shift.pk for shift in cut]).update(ends_at=since)
    known = {(shift.level, shift.starts_at): shift for shift in rows if shift not in cut}
    Shift.objects.filter(pk__in=[shift.pk for key, shift in known.items() if key not in wanted]).delete()
    Shift.objects.bulk_create([Shift(rota=row, **_columns(slot)) for key, slot in wanted.items() if key not in known])
    changed = [shift for key, shift in known.items() if key in wanted and _fit(shift, wanted[key])]
    Shift.objects.bulk_update(changed, _CHANGING, batch_size=200)
    row.planned_until = until
    row.save(update_fields=["planned_until"])


_CHANGING = ["ends_at", "person", "why", "layer", "turn", "override", "stands_for", "told_at"]


def _columns(slot: Slot) -> dict[str, Any]:
    return {
        "level": slot.level,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "person_id": slot.person,
        "why": slot.why.value if slot.why else "",
        "layer": slot.layer,
        "turn": slot.turn,
        "override_id": slot.override,
        "stands_for_id": slot.stands_for,
    }


def _fit(shift: Shift, slot: Slot) -> bool:
    """Give a shift the values of a slot; whether one differed."""
    columns = _columns(slot)
    if all(getattr(shift, name) == value for name, value in columns.items()):
        return False
    if shift.person_id != slot.person:
        shift.told_at = None
    for name, value in columns.items():
        setattr(shift, name, value)
    return True


def claim_starting(*, now: datetime, until: datetime, limit: int) -> list[Shift]:
    """The shifts that begin soon and of which nobody was told, marked as told; of several engines each gets others."""
    rows = Shift.objects.filter(person__isnull=False, told_at=None, starts_at__gt=now, starts_at__lte=until, rota__is_active=True)
    found = list(
        rows.order_by("starts_at", "pk").select_related("rota").select_for_update(of=("self",), skip_locked=True)[:limit]
    )
    Shift.objects.filter(pk__in=[shift.pk for shift in found]).update(told_at=now)
    return found


# what differs


def add_override(
    row: Rota,
    *,
    level: int,
    starts_at: datetime,
    ends_at: datetime,
    person: int | None,
    actor: Actor,
    now: datetime,
    instead_of: int | None = None,
    reason: str = "",
    request: int | None = None,
) -> tuple[Override, Entry]:
    """Somebody else than the rota says."""
    made = Override.objects.create(
        rota=row,
        level=level,
        starts_at=starts_at,
        ends_at=ends_at,
        person_id=person,
        instead_of_id=instead_of,
        reason=reason,
        request_id=request,
        created_at=now,
        created_by_id=actor.person,
    )
    span = {"level": level, "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    data = {"override": made.pk, **span, "to": person, "instead_of": instead_of, "request": request}
    kept = {name: value for name, value in data.items() if value is not None}
    return made, journal.record(Verb.ROTA_OVERRIDDEN, about=(ABOUT, row.pk), actor=actor, now=now, data=kept)


def cancel_override(made: Override, *, actor: Actor, now: datetime) -> Entry:
    """As if it had not been, from now on: what of it is over stays."""
    made.cancelled_at = now
    made.save(update_fields=["cancelled_at"])
    data = {"override": made.pk}
    return journal.record(Verb.ROTA_OVERRIDE_CANCELLED, about=(ABOUT, made.rota_id), actor=actor, now=now, data=data)


def add_leave(
    person: int, *, starts_at: datetime, ends_at: datetime, note: str, source: str, actor: Actor, now: datetime
) -> tuple[Leave, Entry]:
    """Somebody is not there."""
    row = Leave(
        person_id=person,
        starts_at=starts_at,
        ends_at=ends_at,
        note=note,
        source=source,
        created_at=now,
        created_by_id=actor.person,
    )
    return row, journal.create(row, about="leave", actor=actor, now=now)


def cancel_leave(row: Leave, *, actor: Actor, now: datetime) -> Entry:
    """They are there after all."""
    row.cancelled_at = now
    row.save(update_fields=["cancelled_at"])
    return journal.record(Verb.REMOVED, about=("leave", row.pk), actor=actor, now=now, data={"person_id": row.person_id})


# asking one another


def ask(
    rota: int,
    *,
    asked_by: int,
    offered_to: int | None,
    note: str,
    values: dict[str, Any],
    actor: Actor,
    now: datetime,
) -> tuple[ShiftRequest, Entry]:
    """Write down what somebody asks for; `values` are the columns of what is asked and given."""
    row = ShiftRequest(rota_id=rota, asked_by_id=asked_by, offered_to_id=offered_to, note=note, created_at=now, **values)
    row.save(force_insert=True)
    data = {"rota": rota, "kind": row.kind, "level": row.level, "offered_to": offered_to}
    return row, journal.record(Verb.SHIFT_ASKED, about=("shift_request", row.pk), actor=actor, now=now, data=data)


_SETTLED = {
    "accepted": Verb.SHIFT_ACCEPTED,
    "declined": Verb.SHIFT_DECLINED,
    "withdrawn": Verb.SHIFT_WITHDRAWN,
    "expired": Verb.SHIFT_EXPIRED,
}


def settle_request(row: ShiftRequest, state: str, *, actor: Actor, now: datetime) -> Entry:
    """Accept, decline, withdraw a request or let it expire. Raises Stale when somebody just did."""
    values = {"state": state, "decided_by": actor.person, "decided_at": now}
    if not ShiftRequest.objects.filter(pk=row.pk, state="open").update(**values):
        raise Stale("This request has been answered in the meantime.")
    row.state, row.decided_by_id, row.decided_at = state, actor.person, now
    return journal.record(_SETTLED[state], about=("shift_request", row.pk), actor=actor, now=now, data={"rota": row.rota_id})


# secret addresses


def make_calendar_link(person: int, rota: int | None, *, actor: Actor, now: datetime) -> tuple[CalendarLink, str]:
    """A new secret address: its row, and the secret, which is known this once only."""
    secret = secrets.token_urlsafe(32)
    row = CalendarLink.objects.create(person_id=person, rota_id=rota, digest=people.digest(secret), created_at=now)
    journal.record(Verb.CREATED, about=("calendar_link", row.pk), actor=actor, now=now, data={"person_id": person, "rota": rota})
    return row, secret


def revoke_calendar_link(row: CalendarLink, *, actor: Actor, now: datetime) -> None:
    """Nobody reads at this address any more."""
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    journal.record(Verb.REMOVED, about=("calendar_link", row.pk), actor=actor, now=now, data={"person_id": row.person_id})


def note_reading(row: CalendarLink, *, now: datetime) -> None:
    """A calendar program has read at this address."""
    CalendarLink.objects.filter(pk=row.pk).update(last_read_at=now)
