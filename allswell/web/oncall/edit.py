"""Making and changing a rota: what the change would move stands there before it is saved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from allswell.calendars import queries as calendars
from allswell.desk import rotas
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, Invalid, NotAllowed, Stale
from allswell.oncall import queries
from allswell.people import queries as people
from allswell.web import inputs
from allswell.web.account.profile import zones
from allswell.web.pages import PageRequest, SeeOther, desk_page, page, toast
from allswell.web.setup.calendar_pages import weekdays

from . import board, lanes, proof_words, rota, words
from .form import RotaForm

if TYPE_CHECKING:
    from allswell.desk.rotas import Preview
    from allswell.oncall.models import Rota
    from allswell.oncall.rules import Definition
    from allswell.people.models import Team

MOST_MOVES, MOST_GAPS = 40, 10


def teams_of(actor: Actor) -> list[Team]:
    """The teams whose rotas the actor decides about."""
    rows = people.teams_visible_to(actor).filter(is_active=True).order_by("name", "id")
    return [team for team in rows if rotas.may_edit(team, actor=actor)]


def written_names(person_ids: Iterable[int]) -> dict[int, str]:
    """How people stand in the form: by name, with their address where several are called like this."""
    names = {pk: row.name for pk, row in board.known(person_ids).items()}
    called: dict[str, set[int]] = {}
    for pk, name in people.people().filter(name__in=set(names.values())).values_list("pk", "name"):
        called.setdefault(name, set()).add(pk)
    shared = [pk for pk, name in names.items() if len(called.get(name, ())) > 1]
    addresses = people.primary_addresses(shared) if shared else {}
    return {pk: f"{name} <{addresses[pk]}>" if addresses.get(pk) else name for pk, name in names.items()}


class Resolver:
    """Whose number a typed line is. Those of the rota as it stands are known by the line the form showed for them."""

    def __init__(self, named: dict[int, str], *, actor: Actor) -> None:
        self.actor = actor
        self.known = {line: pk for pk, line in named.items()} | {f"#{pk}": pk for pk in named}

    def __call__(self, said: str, field: str) -> int:
        """The number. Raises Invalid on `field`."""
        if said not in self.known:
            self.known[said] = self._looked_up(said, field)
        return self.known[said]

    def _looked_up(self, said: str, field: str) -> int:
        asked = QueryDict(mutable=True)
        asked["person"] = said
        try:
            found = inputs.person(asked, "person", actor=self.actor)
        except Invalid as error:
            if "Several" in error.template:
                raise Invalid(
                    "Several people are called %(name)s. Add the e-mail address: %(name)s <name@example.org>",
                    field=field,
                    name=said[:60],
                ) from error
            raise Invalid(
                "Nobody is known as %(name)s. Write one name or e-mail address a line.", field=field, name=said[:60]
            ) from error
        if found is None:
            raise Invalid("Name who takes turns.", field=field)
        return found


@dataclass(frozen=True, slots=True)
class Moves:
    """A preview in words: what each person gains and loses, when it changes hands, what stays open, what is not good."""

    people: list[tuple[str, str, str]]
    moves: list[tuple[str, str, str, str]]
    more: int
    gaps: list[tuple[str, str]]
    gaps_more: int
    cautions: list[str]
    until: Any
    opens: list[tuple[str, str, int]]

    @classmethod
    def of(cls, preview: Preview) -> Moves:
        """What a preview says."""
        who = board.known(
            [
                *preview.changes,
                *(pk for moved in preview.moves for pk in (moved.before, moved.after)),
                *(one.person for one in preview.cautions),
            ]
        )
        names = {pk: row.name for pk, row in who.items()}
        changes = sorted(preview.changes.values(), key=lambda one: (one.loses - one.gains, names.get(one.person, "")))
        return cls(
            people=[
                (
                    names.get(one.person, f"#{one.person}"),
                    lanes.hours_text(one.gains),
                    lanes.hours_text(one.loses),
                )
                for one in changes
            ],
            moves=[
                (
                    lanes.span_text(moved.starts_at, moved.ends_at),
                    lanes.level_words(moved.level),
                    names.get(moved.before, "") if moved.before is not None else _("nobody"),
                    names.get(moved.after, "") if moved.after is not None else lanes.nobody_words(moved.why),
                )
                for moved in preview.moves[:MOST_MOVES]
            ],
            more=max(len(preview.moves) - MOST_MOVES, 0),
            gaps=[
                (
                    lanes.span_text(slot.starts_at, slot.ends_at),
                    f"{lanes.level_words(slot.level)}: {lanes.nobody_words(slot.why)}",
                )
                for slot in sorted(preview.gaps, key=lambda slot: slot.starts_at)[:MOST_GAPS]
            ],
            gaps_more=max(len(preview.gaps) - MOST_GAPS, 0),
            cautions=[words.caution(one, names) for one in preview.cautions],
            until=preview.until,
            opens=proof_words.opened(preview.opens[:MOST_GAPS]),
        )


def _show(request: PageRequest, form: RotaForm, *, row: Rota | None, preview: Preview | None, **context: Any) -> HttpResponse:
    known = calendars.calendars().order_by("name", "id").values_list("pk", "name", "is_active")
    return page(
        request,
        "oncall/edit.html",
        status=422 if form.errors else 200,
        form=form,
        row=row,
        preview=Moves.of(preview) if preview is not None else None,
        calendars=[(pk, name) for pk, name, is_active in known if is_active or str(pk) == form.calendar],
        weekdays=weekdays(),
        units=[("hour", _("hours")), ("day", _("days")), ("week", _("weeks"))],
        levels=[(level, f"{level}: {lanes.level_words(level)}") for level in range(1, 6)],
        on_leave=[("next", _("goes to the next in the order")), ("open", _("stays open: a gap"))],
        zones=zones(),
        zone=lanes.zone_name(),
        here="oncall",
        **context,
    )


@dataclass
class Editing:
    """One go at a form: what it says is previewed; saved only when it is what was previewed last."""

    request: PageRequest
    form: RotaForm
    resolve: Resolver
    row: Rota | None = None
    preview: Preview | None = None

    def handled(self) -> Rota | None:
        """Do what the button says; the rota when it is saved, None to show the form again."""
        form, sent = self.form, self.request.POST
        form.take(sent)
        if sent.get("do") == "add":
            form.add_row(timezone.localtime(self.request.now).date())
            return None
        try:
            return self._previewed_or_saved(is_saving=sent.get("do") == "save", marked=sent.get("mark", ""))
        except DeskError as error:
            if error.http in (403, 404):
                raise
            form.refused(error)
            return None

    def _previewed_or_saved(self, *, is_saving: bool, marked: str) -> Rota | None:
        form, now, actor = self.form, self.request.now, self.request.actor
        definition = form.definition(self.resolve)
        at = inputs.instant(self.request.POST, "effective_at")
        by: dict[str, Any] = {"effective_at": at, "actor": actor, "now": now}
        if not form.name:
            raise Invalid("This is needed.", field="name")
        whose: dict[str, Any] = {"rota": self.row.pk, "team": None} if self.row else {"rota": None, "team": form.team}
        self.preview = rotas.what_moves(definition=definition, **whose, **by)
        form.mark = form.marked(definition)
        if not is_saving or marked != form.mark:
            self._look_again(definition)
            return None
        if self.row is None:
            return rotas.create_rota(name=form.name, team=form.team, definition=definition, note=form.note, **by)
        try:
            seen = int(form.seen) if form.seen.isascii() and form.seen.isdigit() and len(form.seen) < 9 else 0
            return rotas.change_rota(self.row.pk, name=form.name, definition=definition, note=form.note, seen=seen, **by)
        except Stale:
            self._look_again(definition)
            if not form.errors:
                raise
            return None

    def _look_again(self, definition: dict[str, Any]) -> None:
        """Somebody was faster: say so, and preview against what they saved; the next save knows of it."""
        row = queries.by_ref(self.row.pk) if self.row else None
        if row is not None and self.form.seen != str(row.number):
            self.form.seen = str(row.number)
            self.form.mark = self.form.marked(definition)
            self.form.errors = {
                "": _(
                    "Somebody has changed this rota in the meantime. What you typed is kept; below stands what it would move now."
                )
            }


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def new(request: PageRequest) -> HttpResponse:
    """A new rota of a team the viewer decides about."""
    teams = teams_of(request.actor)
    if not teams:
        raise NotAllowed("Your role does not allow this.")
    wanted = request.GET.get("team", "")
    form = RotaForm(
        team=wanted if wanted in {team.slug for team in teams} else teams[0].slug,
        zone=request.actor.time_zone or settings.DEFAULT_TIME_ZONE,
    ).begin(timezone.localtime(request.now).date())
    editing = Editing(request, form, Resolver({}, actor=request.actor))
    if request.method == "POST" and (row := editing.handled()):
        toast(request, _("%(name)s is made. Its shifts are written thirteen weeks ahead.") % {"name": row.name})
        return SeeOther(f"/oncall/{row.slug}/")
    return _show(request, form, row=None, preview=editing.preview, teams=[(team.slug, team.name) for team in teams])


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def edit(request: PageRequest, slug: str) -> HttpResponse:
    """What a rota says, to be changed from an instant on."""
    row = rota.rota_for(slug, actor=request.actor)
    if not rotas.may_edit(row.team, actor=request.actor):
        raise NotAllowed("Your role does not allow this.")
    definition: Definition = queries.definition(row)
    named = written_names(definition.people)
    form = RotaForm(name=row.name, team=row.team.slug, seen=str(row.number)).say(definition, named)
    editing = Editing(request, form, Resolver(named, actor=request.actor), row)
    if request.method == "POST" and (saved := editing.handled()):
        toast(request, _("%(name)s is changed. Those whose shifts moved are told.") % {"name": saved.name})
        return SeeOther(f"/oncall/{saved.slug}/")
    return _show(request, form, row=row, preview=editing.preview, teams=[])
