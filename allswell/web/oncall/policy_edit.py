"""Making and changing an escalation policy."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from allswell.calendars import queries as calendars
from allswell.desk import coverage, policies, replaying, rotas
from allswell.desk.coverage import Edit, Opened
from allswell.desk.replaying import Other
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError, NotAllowed, Stale
from allswell.notifications import queries as notifications
from allswell.oncall import queries
from allswell.oncall.queries import escalations
from allswell.oncall.rules.policies import PRIORITIES, Policy, Target, TargetKind
from allswell.people import queries as people
from allswell.web.pages import PageRequest, SeeOther, desk_page, page, toast

from . import edit, ladders, lanes, proof_words
from .edit import Resolver
from .ladders import Names
from .policies import versions_of
from .policy_form import PolicyForm, key_of
from .replay import Compared, compared, last_night

if TYPE_CHECKING:
    from allswell.oncall.models import EscalationPolicy

#: the managers above a lead that can be chosen
MANAGERS = (1, 2)
#: days back that a draft can be played again for; else it is last night
REPLAYED_DAYS = ("7", "30")
_Options = list[tuple[str, str]]


def targets_for(actor: Actor, known: Policy | None) -> list[tuple[str, _Options]]:
    """What a step may call as far as the editor may know it, by kind; what the policy names already stays."""
    teams = list(people.teams_visible_to(actor).filter(is_active=True).order_by("name", "id").values_list("pk", "name"))
    rotas_seen = queries.visible_to(actor).filter(is_active=True).order_by("name", "id").values_list("pk", "levels")
    rooms = notifications.rooms().filter(team__in=[pk for pk, _name in teams], removed_at=None, verified_at__isnull=False)
    webhooks = notifications.webhooks().filter(is_active=True).order_by("name", "id").values_list("pk", flat=True)
    offered = {
        _("On call"): [Target(TargetKind.ROTA, pk, level) for pk, levels in rotas_seen for level in range(1, levels + 1)],
        _("Teams"): [Target(TargetKind.TEAM, pk) for pk, _name in teams],
        _("Leads and managers"): [
            target
            for pk, _name in teams
            for target in (Target(TargetKind.LEAD, pk), *(Target(TargetKind.MANAGER, pk, level) for level in MANAGERS))
        ],
        _("Rooms"): [Target(TargetKind.ROOM, pk) for pk in rooms.order_by("id").values_list("pk", flat=True)],
        _("Webhooks"): [Target(TargetKind.WEBHOOK, pk) for pk in webhooks],
    }
    kept = {target for step in known.steps for target in step.targets if target.kind is not TargetKind.PERSON} if known else set()
    missing = kept.difference(*offered.values())
    if missing:
        offered[_("Named so far, but out of use or out of reach")] = sorted(missing, key=key_of)
    names = Names.of(target for found in offered.values() for target in found)
    return [(kind, [(key_of(target), names.target(target)) for target in found]) for kind, found in offered.items() if found]


@dataclass
class _Editing:
    """One go at a form."""

    request: PageRequest
    form: PolicyForm
    resolve: Resolver
    row: EscalationPolicy | None = None
    opens: tuple[Opened, ...] = ()
    sure: str = ""
    replayed: Compared | None = None

    def handled(self) -> EscalationPolicy | None:
        """Do what the button says; the policy when it is saved, None to show the form again."""
        self.form.take(self.request.POST)
        if self.form.turned(self.request.POST.get("do", "")):
            return None
        try:
            if self.request.POST.get("do") == "replay":
                self._replay()
                return None
            return self._saved()
        except Stale:
            row = escalations.policy_by_ref(self.row.pk) if self.row else None
            self.form.seen = str(row.number) if row else self.form.seen
            said = _("Somebody has changed this policy in the meantime. What you typed is kept; saving it again replaces theirs.")
            self.form.errors = {"": said}
        except DeskError as error:
            if error.http in (403, 404):
                raise
            self.form.refused(error)
        return None

    def _saved(self) -> EscalationPolicy | None:
        form = self.form
        by: dict[str, Any] = {"actor": self.request.actor, "now": self.request.now}
        definition = form.definition(self.resolve)
        if self.row is None:
            return policies.create_policy(name=form.name, team=form.team, definition=definition, note=form.note, **by)
        if self._leaves_open(Policy.parse(definition)):
            return None
        seen = int(form.seen) if form.seen.isascii() and form.seen.isdigit() and len(form.seen) < 9 else 0
        return policies.change_policy(self.row.pk, name=form.name, definition=definition, note=form.note, number=seen, **by)

    def _replay(self) -> None:
        """Play the runs of the last days again under what is typed. Nothing is saved."""
        by: dict[str, Any] = {"actor": self.request.actor, "now": self.request.now}
        other = Other(self.row.pk if self.row else None, definition=self.form.definition(self.resolve))
        said = self.request.POST.get("replay_days", "")
        days = int(said) if said in REPLAYED_DAYS else 0
        since, until = last_night(self.request.now) if not days else (by["now"] - timedelta(days=days), by["now"])
        self.replayed = compared(replaying.replay(other, since=since, until=until, **by))

    def _leaves_open(self, said: Policy) -> bool:
        """Whether services would be left without cover, which is said once before it is saved all the same."""
        self.sure = hashlib.sha256(json.dumps(said.as_json()).encode()).hexdigest()
        if self.row is None or self.request.POST.get("sure") == self.sure:
            return False
        asked = Edit(policies={self.row.pk: said})
        self.opens = coverage.what_opens(asked, actor=self.request.actor, now=self.request.now)
        return bool(self.opens)


def _show(
    request: PageRequest, form: PolicyForm, *, row: EscalationPolicy | None, said: Policy | None, **more: Any
) -> HttpResponse:
    named = {int(one.hours.partition("-")[2]) for one in form.rows if one.hours.partition("-")[2].isdigit()}
    rows = calendars.calendars().order_by("name", "id").values_list("pk", "name", "is_active")
    known = [(pk, name) for pk, name, is_active in rows if is_active or pk in named]
    hours = [(f"in-{pk}", _("Only within %(hours)s") % {"hours": name}) for pk, name in known]
    hours += [(f"out-{pk}", _("Only outside %(hours)s") % {"hours": name}) for pk, name in known]
    return page(
        request,
        "oncall/policy_edit.html",
        status=422 if form.errors else 200,
        form=form,
        row=row,
        targets=targets_for(request.actor, said),
        hours=hours,
        units=[("second", _("seconds")), ("minute", _("minutes")), ("hour", _("hours"))],
        repeats=[(0, _("No, once is enough")), *((times, ladders.again_words(times)) for times in range(1, 10))],
        priorities=[str(value) for value in PRIORITIES],
        replay_days=[("", _("last night")), *((days, _("the last %(n)s days") % {"n": days}) for days in REPLAYED_DAYS)],
        replay_chosen=request.POST.get("replay_days", ""),
        level_words=lanes.level_words,
        here="oncall",
        **more,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def new(request: PageRequest) -> HttpResponse:
    """A new policy of a team the viewer decides about."""
    teams = edit.teams_of(request.actor)
    if not teams:
        raise NotAllowed("Your role does not allow this.")
    wanted = request.GET.get("team", "")
    form = PolicyForm(team=wanted if wanted in {team.slug for team in teams} else teams[0].slug)
    editing = _Editing(request, form, Resolver({}, actor=request.actor))
    if request.method == "POST" and (row := editing.handled()):
        toast(request, _("%(name)s is made. Choose now which teams and services follow it.") % {"name": row.name})
        return SeeOther(f"/oncall/policies/{row.slug}/")
    return _show(
        request,
        form,
        row=None,
        said=None,
        teams=[(team.slug, team.name) for team in teams],
        opens=[],
        sure="",
        replayed=editing.replayed,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def change(request: PageRequest, slug: str) -> HttpResponse:
    """What a policy says, to be changed; what runs already goes on as it began."""
    (newest,) = versions_of(slug, actor=request.actor)
    row, said = newest.policy, Policy.parse(newest.definition)
    if not rotas.may_edit(row.team, actor=request.actor):
        raise NotAllowed("Your role does not allow this.")
    named = edit.written_names(said.ids(TargetKind.PERSON))
    form = PolicyForm(name=row.name, team=row.team.slug, seen=str(row.number)).say(said, named)
    editing = _Editing(request, form, Resolver(named, actor=request.actor), row)
    if request.method == "POST" and (saved := editing.handled()):
        toast(request, _("%(name)s is changed. What pages already goes on as it began.") % {"name": saved.name})
        return SeeOther(f"/oncall/policies/{saved.slug}/")
    opens = proof_words.opened(editing.opens[: edit.MOST_GAPS])
    return _show(request, form, row=row, said=said, teams=[], opens=opens, sure=editing.sure, replayed=editing.replayed)
