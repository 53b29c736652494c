"""Setup of mail rules: what a mail becomes that opens a ticket, and in which order the rules are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk.mail import mailboxes
from allswell.desk.mail import rules as desk
from allswell.intake.rules.mail_rules import Rule
from allswell.kernel.errors import DeskError, NotAllowed
from allswell.people.rules import INSTALLATION, Act, may
from allswell.tickets import setup_queries as vocabulary
from allswell.web import words
from allswell.web.pages import PageRequest, SeeOther, page, toast

from . import choices
from .gate import setup_page
from .mail_rule_form import ACTS, KINDS, MailRuleForm, becomes, in_words
from .rule_acts import acted

if TYPE_CHECKING:
    from allswell.intake.models import MailRule

PLACE = "/setup/mail-rules"


def _offered(request: PageRequest) -> dict[str, list[tuple[int, str]]]:
    """What a rule can name."""
    active = vocabulary.categories().filter(is_active=True).values_list("id", "name")
    return {
        "mailbox": list(mailboxes.all_mailboxes(request.actor).values_list("id", "name")),
        "service": choices.all_services(request),
        "team": choices.teams(request),
        "source": desk.sources_of_mail(request.actor),
        "category": words.categories((pk, pk, name) for pk, name in active),
    }


def _page(request: PageRequest, template: str, status: int = 200, **more: Any) -> HttpResponse:
    may_change = may(request.actor, Act.SET_UP, INSTALLATION)
    return page(request, template, status=status, may_change=may_change, here="setup", tab="mail_rules", **more)


@require_GET
@setup_page
def mail_rules(request: PageRequest) -> HttpResponse:
    """The rules in the order in which they are asked, how often each fitted, and what is done otherwise."""
    rows = list(desk.all_rules(request.actor))
    names = {part: dict(some) for part, some in _offered(request).items()} if rows else {}
    return _page(request, "setup/mail_rules.html", rows=[(row, *in_words(desk.said_by(row), names)) for row in rows])


def _show(request: PageRequest, form: MailRuleForm, *, row: MailRule | None) -> HttpResponse:
    offered, tried = _offered(request), None
    names = {part: dict(options) for part, options in offered.items()}
    if request.POST.get("do") == "try":
        tried = _tried(request, form, row, names)
    if row is not None:
        rule = desk.said_by(row)
        for part, options in offered.items():
            number = getattr(rule, part)
            offered[part] = choices.and_chosen(options, [(number, f"#{number}")] if number else [])
    return _page(
        request,
        "setup/mail_rule.html",
        422 if form.errors else 200,
        form=form,
        row=row,
        seen=request.POST.get("seen") or (desk.version(row) if row else ""),
        offered=offered,
        acts=[(act.value, _(text)) for act, text in ACTS.items()],
        kinds=[(kind, _(text)) for kind, text in KINDS.items()],
        impacts=[(one, f"{one} · {words.impact(one)}") for one in range(1, 5)],
        urgencies=[(one, f"{one} · {words.urgency(one)}") for one in range(1, 5)],
        tried=tried,
    )


def _tried(
    request: PageRequest, form: MailRuleForm, row: MailRule | None, names: dict[str, dict[int, str]]
) -> dict[str, Any] | None:
    """Which of the last mails the rule fits as it was typed, and what would become of each; None when it makes no sense."""
    try:
        said = form.said(request.POST)
        rule, looked_at, fits = desk.try_out(row.pk if row else None, actor=request.actor, **said)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        form.refused(error)
        return None
    told = [(fit.message, fit.before, "" if fit.before else becomes(fit.message, rule, names)) for fit in fits]
    return {"looked_at": looked_at, "fits": told, "has_header": bool(rule.header), "has_plus": bool(rule.plus)}


def _handled(request: PageRequest, form: MailRuleForm, save: Callable[[dict[str, Any]], Any]) -> bool:
    """Do what the button says; whether that is all, else the form is shown again."""
    if not may(request.actor, Act.SET_UP, INSTALLATION):
        raise NotAllowed("Your role does not allow this.")
    form.take(request.POST)
    if request.POST.get("do") == "try":
        return False
    try:
        save({"name": form.name, **form.said(request.POST), "actor": request.actor, "now": request.now})
    except DeskError as error:
        if error.http in (403, 404):
            raise
        form.refused(error)
        return False
    toast(request, _("%(name)s is saved.") % {"name": form.name})
    return True


@require_http_methods(["GET", "POST"])
@setup_page
def new_mail_rule(request: PageRequest) -> HttpResponse:
    """A new rule, asked after the others, once it was tried on what came."""
    desk.all_rules(request.actor)  # who sets up a part only may not even look
    form = MailRuleForm.of(Rule())
    if request.method == "POST" and _handled(request, form, lambda said: desk.create(**said)):
        return SeeOther(PLACE)
    return _show(request, form, row=None)


@require_http_methods(["GET", "POST"])
@setup_page
def mail_rule(request: PageRequest, number: int) -> HttpResponse:
    """What a rule says, to be read, changed, or tried on what came."""
    row = desk.one(number, actor=request.actor)
    form, seen = MailRuleForm.of(desk.said_by(row)), request.POST.get("seen", "")
    if request.method == "POST" and _handled(request, form, lambda said: desk.change(number, seen=seen, **said)):
        return SeeOther(PLACE)
    return _show(request, form, row=row)


@require_POST
@setup_page
def change_mail_rule(request: PageRequest, number: int, verb: str) -> HttpResponse:
    """Ask it earlier or later, leave it out or ask it again, forget it."""
    return acted(request, desk, number, verb, place=PLACE)
