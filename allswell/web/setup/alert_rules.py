"""Setup of alert rules: which alerts open incidents, where these belong, and in which order the rules are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk.alerts import rules as desk
from allswell.desk.alerts import sources
from allswell.intake.rules.routing import Rule
from allswell.kernel.errors import DeskError, NotAllowed
from allswell.oncall.queries import escalations
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web import conditions, words
from allswell.web.pages import PageRequest, SeeOther, page, toast

from . import choices
from .alert_rule_form import ACTS, CLEARS, SEVERITIES, RuleForm, in_words
from .gate import setup_page
from .rule_acts import acted

if TYPE_CHECKING:
    from allswell.intake.models import AlertRule

PLACE = "/setup/alert-rules"


def _offered(request: PageRequest) -> dict[str, list[tuple[int, str]]]:
    """What a rule can name."""
    followed = escalations.policies_visible_to(request.actor).filter(is_active=True).order_by("name")
    return {
        "source": list(sources.all_sources(request.actor).values_list("id", "name")),
        "service": choices.all_services(request),
        "team": choices.teams(request),
        "policy": list(followed.values_list("id", "name")),
    }


@require_GET
@setup_page
def alert_rules(request: PageRequest) -> HttpResponse:
    """The rules in the order in which they are asked, how often each fitted, and what is done otherwise."""
    rows = list(desk.all_rules(request.actor))
    names = {part: dict(some) for part, some in _offered(request).items()}
    return page(
        request,
        "setup/alert_rules.html",
        rows=[(row, *in_words(desk.said_by(row), names)) for row in rows],
        may_change=may(request.actor, Act.SET_UP, INSTALLATION),
        here="setup",
        tab="alert_rules",
    )


def _show(request: PageRequest, form: RuleForm, *, row: AlertRule | None) -> HttpResponse:
    offered = _offered(request)
    if row is not None:
        rule = desk.said_by(row)
        for part, options in offered.items():
            number = getattr(rule, part)
            offered[part] = choices.and_chosen(options, [(number, f"#{number}")] if number else [])
    return page(
        request,
        "setup/alert_rule.html",
        status=422 if form.errors else 200,
        form=form,
        row=row,
        seen=request.POST.get("seen") or (desk.version(row) if row else ""),
        offered=offered,
        operators=conditions.operators(),
        acts=[(act.value, _(text)) for act, text in ACTS.items()],
        clears=[(clear.value, _(text)) for clear, text in CLEARS.items()],
        severities=[(one.value, _(text)) for one, text in SEVERITIES.items()],
        impacts=[(one, f"{one} · {words.impact(one)}") for one in range(1, 5)],
        urgencies=[(one, f"{one} · {words.urgency(one)}") for one in range(1, 5)],
        may_change=may(request.actor, Act.SET_UP, INSTALLATION),
        here="setup",
        tab="alert_rules",
    )


def _handled(request: PageRequest, form: RuleForm, save: Callable[[], Any]) -> bool:
    """Do what the button says; whether that is all, else the form is shown again."""
    if not may(request.actor, Act.SET_UP, INSTALLATION):
        raise NotAllowed("Your role does not allow this.")
    form.take(request.POST)
    if request.POST.get("do") == "another":
        form.make_room()
        return False
    try:
        save()
    except DeskError as error:
        if error.http in (403, 404):
            raise
        form.refused(error)
        return False
    toast(request, _("%(name)s is saved.") % {"name": form.name})
    return True


@require_http_methods(["GET", "POST"])
@setup_page
def new_alert_rule(request: PageRequest) -> HttpResponse:
    """A new rule, asked after the others."""
    sources.all_sources(request.actor)  # who sets up a part only may not even look
    form = RuleForm.of(Rule())

    def save() -> None:
        desk.create(name=form.name, definition=form.definition(request.POST), actor=request.actor, now=request.now)

    if request.method == "POST" and _handled(request, form, save):
        return SeeOther(PLACE)
    return _show(request, form, row=None)


@require_http_methods(["GET", "POST"])
@setup_page
def alert_rule(request: PageRequest, number: int) -> HttpResponse:
    """What a rule says, to be read or changed."""
    row = desk.one(number, actor=request.actor)
    form = RuleForm.of(desk.said_by(row))

    def save() -> None:
        definition, seen = form.definition(request.POST), request.POST.get("seen", "")
        desk.change(number, name=form.name, definition=definition, seen=seen, actor=request.actor, now=request.now)

    if request.method == "POST" and _handled(request, form, save):
        return SeeOther(PLACE)
    return _show(request, form, row=row)


@require_POST
@setup_page
def change_alert_rule(request: PageRequest, number: int, verb: str) -> HttpResponse:
    """Ask it earlier or later, leave it out or ask it again, forget it."""
    return acted(request, desk, number, verb, place=PLACE)
