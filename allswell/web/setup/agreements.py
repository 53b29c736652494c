"""Setup of agreements: who is promised what, in which order they are asked, and what each version said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.calendars import queries as calendars
from allswell.calendars.rules import zone_named
from allswell.desk import agreements as desk
from allswell.desk import promises, what_if
from allswell.desk.what_if import Question
from allswell.kernel.errors import DeskError, NotAllowed
from allswell.people.rules import Act, may, place_of
from allswell.sla import queries, wording
from allswell.sla.rules.terms import STOPS, Audience, Metric, Target, Terms
from allswell.tickets.rules import WaitingOn
from allswell.web import inputs, words
from allswell.web.account.profile import zones
from allswell.web.pages import PageRequest, SeeOther, page, toast

from . import choices
from .agreement_form import AgreementForm
from .gate import is_for_all, sets_up, setup_page

if TYPE_CHECKING:
    from allswell.sla.models import Agreement, AgreementVersion

SHOWN_VERSIONS = 50
TRIED_DAYS = 30


@require_GET
@setup_page
def agreement_list(request: PageRequest) -> HttpResponse:
    """The agreements in the order in which they are asked, with customers and between teams."""
    rows = desk.visible_to(request.actor)
    said = queries.newest_definitions([row.pk for row in rows])
    shown = [(row, len(said[row.pk]["targets"]) if row.pk in said else 0) for row in rows]
    return page(
        request,
        "setup/agreements.html",
        groups=[
            (
                _("With customers"),
                _("The first that fits a ticket holds."),
                [one for one in shown if one[0].audience == "customer"],
            ),
            (
                _("Between teams"),
                _("The first that fits the team that has the ticket holds, each time it changes hands."),
                [one for one in shown if one[0].audience == "internal"],
            ),
        ],
        rows=rows,
        can_save=sets_up(request),
        can_order=is_for_all(request),
        here="setup",
        tab="agreements",
    )


@require_POST
@setup_page
def start(request: PageRequest) -> HttpResponse:
    """Begin with the usual calendars and agreements."""
    promises.start(zone=request.actor.time_zone, actor=request.actor, now=request.now)
    toast(request, _("The usual agreements are there. Change them as you like."))
    return SeeOther("/setup/agreements")


@dataclass(frozen=True, slots=True)
class Said:
    """A target in words."""

    metric: str
    priorities: str
    within: str
    stop: str
    pauses: str
    warn: str


@dataclass(frozen=True, slots=True)
class Told:
    """A version in the history of an agreement, and what it changed, in words."""

    version: AgreementVersion
    author: str
    lines: list[str]


def calendar_names() -> dict[str, str]:
    """Slug -> name of the calendars."""
    return {calendars.BUILT_IN: _("Around the clock")} | dict(calendars.calendars().values_list("slug", "name"))


def said(target: Target, names: dict[str, str]) -> Said:
    """A target in words."""
    warn = ""
    if target.warn is not None and target.warn.share is not None:
        warn = _("at %(share)s %% of the time") % {"share": round(target.warn.share * 100)}
    elif target.warn is not None:
        warn = _("%(time)s before") % {"time": wording.length(target.within.budget - target.warn.spent(target.within.budget))}
    return Said(
        metric=wording.metric(target.metric.value),
        priorities=", ".join(f"P{one}" for one in sorted(target.priorities)),
        within=wording.within(target.within, names.get(target.within.calendar, "")),
        stop=_(wording.STOPS[target.stop.value]),
        pauses=wording.waits(target),
        warn=warn,
    )


def _in_a_line(one: Said) -> str:
    told = [one.within, one.stop]
    told += [_("pauses: %(reasons)s") % {"reasons": one.pauses}] if one.pauses else []
    told += [_("warns %(when)s") % {"when": one.warn}] if one.warn else []
    return "; ".join(told)


def _ordered(terms: Terms) -> list[Target]:
    place = {metric: number for number, metric in enumerate(Metric)}
    return sorted(terms.targets, key=lambda one: (place[one.metric], not one.priorities, sorted(one.priorities)))


def _history(row: Agreement, names: dict[str, str]) -> list[Told]:
    audience = Audience(row.audience)
    versions = queries.versions(row.pk)[: SHOWN_VERSIONS + 1]
    parsed = [Terms.parse(version.definition, audience=audience) for version in versions]
    told = []
    for number, version in enumerate(versions[:SHOWN_VERSIONS]):
        lines = _changes(parsed[number + 1], parsed[number], names) if number + 1 < len(versions) else []
        told.append(Told(version, version.created_by.name if version.created_by else "", lines))
    return told


def _changes(before: Terms, after: Terms, names: dict[str, str]) -> list[str]:
    """What another version changed, in words."""
    lines = []
    if before.zone != after.zone:
        lines.append(_("Time zone: %(old)s → %(new)s") % {"old": before.zone, "new": after.zone})
    if (before.kinds, before.services, before.priorities) != (after.kinds, after.services, after.priorities):
        lines.append(_("Other tickets than before."))
    old = {(one.metric, one.priorities): said(one, names) for one in before.targets}
    new = {(one.metric, one.priorities): said(one, names) for one in after.targets}
    for key, one in new.items():
        title = f"{one.metric} {one.priorities}".strip()
        if key not in old:
            lines.append(_("%(target)s added: %(said)s") % {"target": title, "said": _in_a_line(one)})
        elif old[key] != one:
            lines.append(f"{title}: {_in_a_line(old[key])} → {_in_a_line(one)}")
    for key, one in old.items():
        if key not in new:
            lines.append(_("%(target)s left out") % {"target": f"{one.metric} {one.priorities}".strip()})
    return lines


@require_GET
@setup_page
def agreement(request: PageRequest, slug: str) -> HttpResponse:
    """One agreement: what it promises in a table, and what its versions said."""
    row = desk.agreement_for(slug, Act.READ_SETUP, actor=request.actor)
    names = calendar_names()
    history = _history(row, names)
    terms = Terms.parse(history[0].version.definition, audience=Audience(row.audience)) if history else None
    return page(
        request,
        "setup/agreement.html",
        row=row,
        terms=terms,
        targets=[said(one, names) for one in _ordered(terms)] if terms else [],
        services=[text for _key, text in choices.named_services(request, terms.services)] if terms and terms.services else [],
        kinds=[words.kind(one) for one in sorted(terms.kinds)] if terms else [],
        history=history,
        since=lambda at: wording.since(at, terms.zone_info if terms else ZoneInfo("UTC")),
        place=f"/setup/agreements/{slug}",
        can_save=may(request.actor, Act.SET_UP, place_of(row.organization_id)),
        can_order=is_for_all(request),
        here="setup",
        tab="agreements",
    )


def _show(
    request: PageRequest, form: AgreementForm, *, row: Agreement | None, before: Terms | None, **context: Any
) -> HttpResponse:
    """The form; `row` is the agreement it changes, `before` what that says, or what another says that it began with."""
    audience = Audience.INTERNAL if form.audience == Audience.INTERNAL else Audience.CUSTOMER
    metrics = [one.value for one in Metric if (one is Metric.TEAM_TIME) == (audience is Audience.INTERNAL)]
    stops = list(dict.fromkeys(stop.value for one in metrics for stop in STOPS[Metric(one)]))
    return page(
        request,
        "setup/agreement_form.html",
        status=422 if form.errors else 200,
        form=form,
        metrics=[(one, wording.metric(one)) for one in metrics],
        stops=[(one, _(wording.STOPS[one])) for one in stops],
        countings=[
            ("working", _("of working time")),
            ("working_days", _("working days")),
            ("calendar_days", _("days of the calendar")),
        ],
        calendars=sorted(calendar_names().items(), key=lambda one: (one[0] == calendars.BUILT_IN, one[1].casefold())),
        waits=[(one.value, words.waiting_on(one.value)) for one in WaitingOn],
        organizations=choices.and_chosen(choices.organizations(request), choices.chosen(row.organization if row else None)),
        teams=choices.and_chosen(choices.teams(request), choices.chosen(row.team if row else None)),
        services=choices.and_chosen(
            choices.all_services(request), choices.named_services(request, before.services) if before and before.services else ()
        ),
        kinds=[(one, words.kind(one)) for one in ("incident", "request")],
        priorities=[(one, f"P{one}") for one in range(1, 6)],
        zones=zones(),
        is_for_all=is_for_all(request),
        row=row,
        here="setup",
        tab="agreements",
        **context,
    )


def _handled(request: PageRequest, form: AgreementForm, save: Callable[[], Any]) -> Any:
    """Do what the button says: room for one more target, try the terms, or save. What that answers, None to show the form again."""
    form.take(request.POST)
    if request.POST.get("do") == "add":
        form.add_row()
        return None
    try:
        return _tried(request, form) if request.POST.get("do") == "what-if" else save()
    except DeskError as error:
        if error.http in (403, 404):
            raise
        form.refused(error)
        return None


def _tried(request: PageRequest, form: AgreementForm) -> HttpResponse:
    """What if the last thirty days had gone by what stands in the form? Nothing is saved."""
    question = Question(
        definition=form.definition(),
        since=request.now - timedelta(days=TRIED_DAYS),
        until=request.now,
        audience=form.audience,
        organization=form.organization or None,
        team=form.team or None,
        name=form.name,
    )
    return SeeOther(f"/setup/what-ifs/{what_if.ask(question, actor=request.actor, now=request.now).pk}")


@require_http_methods(["GET", "POST"])
@setup_page
def new_agreement(request: PageRequest) -> HttpResponse:
    """A new agreement; it starts from the usual promises, or from another agreement (?from=slug)."""
    if request.method == "POST" and not sets_up(request):
        raise NotAllowed("Your role does not allow this.")
    form = AgreementForm(audience=request.GET.get("audience", ""), zone=request.actor.time_zone or settings.DEFAULT_TIME_ZONE)
    if form.audience not in set(Audience):
        form.audience = Audience.CUSTOMER.value
    usual = _begun_with(request, form)
    if request.method == "GET":
        form.say(usual)

    def save() -> Agreement:
        return desk.create(
            name=form.name,
            audience=form.audience,
            organization=form.organization or None,
            team=form.team or None,
            definition=form.definition(),
            in_force_from=_in_force_from(request, form),
            note=form.note,
            actor=request.actor,
            now=request.now,
        )

    if request.method == "POST" and (row := _handled(request, form, save)):
        if isinstance(row, HttpResponse):
            return row
        toast(request, _("%(name)s is added.") % {"name": row.name})
        return SeeOther(f"/setup/agreements/{row.slug}")
    return _show(request, form, row=None, before=usual, title=_("New agreement"), place="/setup/agreements")


def _begun_with(request: PageRequest, form: AgreementForm) -> Terms:
    audience = Audience(form.audience)
    if slug := request.GET.get("from", ""):
        row = desk.agreement_for(slug, Act.READ_SETUP, actor=request.actor)
        audience = Audience(row.audience)
        form.audience = audience.value
        if newest := next(iter(queries.versions(row.pk)), None):
            return Terms.parse(newest.definition, audience=audience)
    usual = promises.team_terms(form.zone) if audience is Audience.INTERNAL else promises.incident_terms(form.zone)
    return Terms.parse(usual, audience=audience)


@require_http_methods(["GET", "POST"])
@setup_page
def edit_agreement(request: PageRequest, slug: str) -> HttpResponse:
    """What an agreement says, to be changed from an instant on; and whom it is for."""
    row = desk.agreement_for(slug, Act.SET_UP, actor=request.actor)
    form = AgreementForm(
        name=row.name,
        audience=row.audience,
        organization=str(row.organization_id or ""),
        team=str(row.team_id or ""),
        zone=request.actor.time_zone,
    )
    newest = next(iter(queries.versions(row.pk)), None)
    stood = Terms.parse(newest.definition, audience=Audience(row.audience)) if newest else None
    before = form.say(stood).definition() if stood else None

    def save() -> str:
        return _save(request, row, form, before)

    if request.method == "POST" and (told := _handled(request, form, save)):
        if isinstance(told, HttpResponse):
            return told
        toast(request, told)
        return SeeOther(f"/setup/agreements/{slug}")
    return _show(
        request,
        form,
        row=row,
        before=stood,
        title=row.name,
        place=f"/setup/agreements/{slug}",
        seen=newest.number if newest else 0,
    )


def _in_force_from(request: PageRequest, form: AgreementForm) -> datetime | None:
    """By the clocks of the agreement, as it is shown wherever it stands. Raises Invalid."""
    said = request.POST.get("in_force_from", "").strip()
    return inputs.instant(request.POST, "in_force_from", zone_named(form.zone)) if said else None


def _save(request: PageRequest, row: Agreement, form: AgreementForm, before: dict[str, Any] | None) -> str:
    """Write what differs; what to say then. `before` is the definition as it stood in the form at first."""
    changes: dict[str, Any] = {"name": form.name}
    if is_for_all(request) or form.organization:
        changes["organization"] = form.organization or None
    if row.audience == Audience.INTERNAL:
        changes["team"] = form.team or None
    definition, since = form.definition(), _in_force_from(request, form)
    is_another = definition != before or since is not None
    agreed = desk.save(
        row.slug,
        changes=changes,
        definition=definition if is_another else None,
        in_force_from=since,
        note=form.note,
        seen=inputs.number(request.POST, "seen"),
        actor=request.actor,
        now=request.now,
    )
    if agreed is None or not agreed.touched:
        return _("%(name)s is saved.") % {"name": form.name}
    return ngettext(
        "Saved. The clocks of %(n)s open ticket are counted again.",
        "Saved. The clocks of %(n)s open tickets are counted again.",
        agreed.touched,
    ) % {"n": agreed.touched}


@require_POST
@setup_page
def change_agreement(request: PageRequest, slug: str, verb: str) -> HttpResponse:
    """Ask it earlier or later, take it out of use or back in."""
    there = f"/setup/agreements/{slug}"
    if verb in ("earlier", "later"):
        desk.move(slug, by=-1 if verb == "earlier" else 1, actor=request.actor, now=request.now)
        return SeeOther("/setup/agreements")
    row = desk.set_active(slug, is_active=verb == "activate", actor=request.actor, now=request.now)
    if verb == "deactivate":
        toast(request, _("%(name)s is out of use.") % {"name": row.name}, undo=f"{there}/activate")
    else:
        toast(request, _("%(name)s is in use again.") % {"name": row.name})
    return SeeOther(there)
