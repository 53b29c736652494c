"""A rota: who is on call in it and when, what differs from it, what it says; overrides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from allswell.calendars import queries as calendars
from allswell.desk import handovers as handovers_desk
from allswell.desk import rotas, shifts
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, Invalid, NotAllowed, NotFound
from allswell.oncall import queries
from allswell.people import queries as people
from allswell.web import inputs, show
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast, words_of_error

from . import board, lanes, sure, words
from .lanes import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allswell.oncall.models import Rota
    from allswell.oncall.rules import Definition

#: how far ahead overrides are listed
LISTED = timedelta(weeks=13)
MOST_LISTED = 30
NOBODY = "nobody"


def rota_for(slug: str, *, actor: Actor) -> Rota:
    """A rota the viewer may know, its team loaded, in one look. Raises NotFound."""
    row = queries.visible_to(actor).filter(slug=slug).select_related("team").first()
    if row is None:
        raise NotFound("There is no such rota, or you may not know it.")
    return row


def is_mine(row: Rota, definition: Definition, *, actor: Actor) -> bool:
    """Whether the viewer takes part in it: named in its newest version, of its team, or deciding about it."""
    if actor.person is None:
        return False
    return row.team_id in actor.teams or actor.person in definition.people or rotas.may_edit(row.team, actor=actor)


@require_safe
@desk_page
def rota(request: PageRequest, slug: str) -> HttpResponse:
    """A day, a week or two weeks of a rota, and what differs from it."""
    now, actor = request.now, request.actor
    row = rota_for(slug, actor=actor)
    definition = queries.definition(row)
    window = Window.asked(request.GET, now=now)
    since, until = now - board.COUNTED, now + board.COUNTED
    slots = queries.written([row.pk], min(since, window.since), max(until, window.until))
    answers = queries.on_call([row.pk], now).get(row.pk, {})
    who = board.known(
        [
            *definition.people,
            *(slot.person for slot in slots[row.pk]),
            *(pk for said in answers.values() for pk in (said.person, said.next_person, said.stands_for, said.held)),
        ]
    )
    names = {pk: person.name for pk, person in who.items()}
    overrides = queries.overrides(row.pk, since=now, until=now + LISTED)
    requests = queries.requests([row.pk]).filter(state="open", ends_at__gt=now)
    return page(
        request,
        "oncall/rota.html",
        row=row,
        definition=definition,
        calendar=calendars.calendars().filter(pk=definition.calendar).first() if definition.calendar else None,
        answers=[answers[level] for level in sorted(answers)],
        people=who,
        names=names,
        lanes=lanes.lanes([row], slots, window, names=names, now=now),
        gaps=board.gaps_of([row], slots, now=now),
        overrides=list(overrides[:MOST_LISTED]),
        requests=list(requests[:MOST_LISTED]),
        may_edit=rotas.may_edit(row.team, actor=actor),
        has_handovers=definition.handover.wanted and handovers_desk.may_read(row, actor=actor),
        may_take=row.is_active and is_mine(row, definition, actor=actor),
        has_shifts=any(slot.person == actor.person and slot.ends_at > now for slot in slots[row.pk]),
        fair=board.carried(slots, who, since=since, until=until),
        fair_since=since,
        fair_until=until,
        said=words,
        **lanes.said(window, now),
        here="oncall",
    )


# overrides


@dataclass(frozen=True, slots=True)
class Choice:
    """Who may be put on call with one click: those of the rota, of its team, and the viewer."""

    key: str
    name: str


def candidates(row: Rota, *, actor: Actor) -> list[Choice]:
    """The people of a rota and its team, by name."""
    known = people.people_visible_to(actor).filter(is_active=True)
    rows = (known.filter(pk__in=queries.members(row.pk)) | known.filter(memberships__team=row.team_id)).distinct()
    return [Choice(str(pk), name) for pk, name in rows.order_by("name", "id").values_list("pk", "name")]


def chosen_person(sent: QueryDict, name: str, *, actor: Actor) -> int | None:
    """The person of a form: typed in `<name>_other`, or chosen in `<name>`. Raises Invalid."""
    typed = inputs.person(sent, f"{name}_other", actor=actor)
    if typed is not None:
        return typed
    said = sent.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None


_OVERRIDE_FIELDS = ("level", "starts_at", "ends_at", "person", "person_other", "instead_of", "reason")


def _override_values(sent: QueryDict, *, now: datetime) -> dict[str, str]:
    """What stands in the form: what was typed, or what an address brought along."""
    values = {name: sent.get(name, "").strip()[:400] for name in _OVERRIDE_FIELDS}
    values["level"] = values["level"] or "1"
    values["starts_at"] = values["starts_at"] or show.for_input(now)
    return values


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
@sure.asks_first
def override(request: PageRequest, slug: str) -> HttpResponse:
    """Put somebody on call whatever the rota says, or nobody on purpose."""
    row = rota_for(slug, actor=request.actor)
    if not rotas.may_edit(row.team, actor=request.actor):
        raise NotAllowed("Your role does not allow this.")
    if request.method != "POST":
        return _show_override(request, row, _override_values(request.GET, now=request.now), {})
    try:
        made = _add_override(request, row)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        values = _override_values(request.POST, now=request.now)
        return _show_override(request, row, values, field_errors(error), status=error.http)
    toast(
        request,
        _("The override is made. Those whose shifts moved are told."),
        undo=f"/oncall/{row.slug}/overrides/{made}/cancel?sure=1",
    )
    return SeeOther(f"/oncall/{row.slug}/")


def _add_override(request: PageRequest, row: Rota) -> int:
    sent, actor = request.POST, request.actor
    starts_at, ends_at = inputs.instant(sent, "starts_at"), inputs.instant(sent, "ends_at")
    if starts_at is None or ends_at is None:
        raise Invalid("Give a date and a time.", field="ends_at" if starts_at else "starts_at")
    person = chosen_person(sent, "person", actor=actor)
    if person is None and sent.get("person") != NOBODY:
        raise Invalid("Choose somebody, or nobody on purpose.", field="person")
    instead_of = chosen_person(sent, "instead_of", actor=actor)
    with sure.watching(request, rotas=(row.pk,), since=starts_at, until=ends_at):
        made = shifts.add_override(
            row.pk,
            level=inputs.number(sent, "level") or 1,
            starts_at=starts_at,
            ends_at=ends_at,
            person=person,
            instead_of=instead_of,
            reason=sent.get("reason", ""),
            actor=actor,
            now=request.now,
        )
    return made.pk


def _show_override(
    request: PageRequest, row: Rota, values: Mapping[str, str], errors: dict[str, str], status: int = 200
) -> HttpResponse:
    return page(
        request,
        "oncall/override.html",
        status,
        row=row,
        values=values,
        errors=errors,
        candidates=[(one.key, one.name) for one in candidates(row, actor=request.actor)],
        levels=level_choices(row),
        nobody=NOBODY,
        zone=lanes.zone_name(),
        here="oncall",
    )


def level_choices(row: Rota) -> list[tuple[int, str]]:
    """The levels of a rota, to choose from."""
    return [(level, f"{level}: {lanes.level_words(level)}") for level in range(1, row.levels + 1)]


@require_POST
@desk_page
@sure.asks_first
def override_cancel(request: PageRequest, slug: str, override: int) -> HttpResponse:
    """Take an override back."""
    row = rota_for(slug, actor=request.actor)
    made = queries.override(row.pk, override)
    since, until = (made.starts_at, made.ends_at) if made else (None, None)
    try:
        with sure.watching(request, rotas=(row.pk,), since=since, until=until):
            shifts.cancel_override(row.pk, override, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        toast(request, words_of_error(error), is_bad=True)
    else:
        toast(request, _("The override is taken back. Those whose shifts moved are told."))
    return SeeOther(f"/oncall/{slug}/")


# in use or not


@require_POST
@desk_page
@sure.asks_first
def deactivate(request: PageRequest, slug: str) -> HttpResponse:
    """Take a rota out of use; one click undoes it."""
    with sure.watching(request, rotas=(rota_for(slug, actor=request.actor).pk,)):
        row = rotas.deactivate_rota(slug, actor=request.actor, now=request.now)
    said = _("%(name)s is out of use. Nobody is called by it from now on.") % {"name": row.name}
    toast(request, said, undo=f"/oncall/{row.slug}/activate")
    return SeeOther(f"/oncall/{row.slug}/")


@require_POST
@desk_page
def activate(request: PageRequest, slug: str) -> HttpResponse:
    """Take a rota back into use."""
    row = rotas.activate_rota(slug, actor=request.actor, now=request.now)
    toast(request, _("%(name)s is in use again.") % {"name": row.name})
    return SeeOther(f"/oncall/{row.slug}/")
