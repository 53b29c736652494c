"""Setup of mail templates: the words of mails to those who ask, with a preview on a real ticket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from markupsafe import Markup

from allswell.desk.mail import templates as desk
from allswell.kernel.errors import DeskError, NotAllowed
from allswell.notifications.rules.templates import SUBJECT_LIMIT, TEXT_LIMIT, MailKind, names
from allswell.people.rules import Act, may, place_of
from allswell.web import inputs
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast, words_of_error

from . import choices
from .gate import is_for_all, sets_up, setup_page

if TYPE_CHECKING:
    from allswell.notifications.models import MailTemplate

PLACE = "/setup/mail-templates"
KINDS = {
    MailKind.RECEIVED: N_("We have received it"),
    MailKind.REPLIED: N_("Somebody answered"),
    MailKind.WAITING: N_("It waits for their answer"),
    MailKind.RESTORED: N_("It works again"),
    MailKind.RESOLVED: N_("It is resolved"),
    MailKind.REOPENED: N_("It is open again"),
    MailKind.CLOSED: N_("It is closed"),
    MailKind.CANCELLED: N_("It was cancelled"),
}


def _kinds() -> list[tuple[str, str]]:
    return [(kind.value, _(text)) for kind, text in KINDS.items()]


@require_GET
@setup_page
def mail_templates(request: PageRequest) -> HttpResponse:
    """Whose words there are, for which mails and in which language; and what to begin with for others."""
    rows = desk.visible_to(request.actor)
    kinds, languages = dict(_kinds()), dict(choices.languages())
    shown = [(row, kinds.get(row.kind, row.kind), languages.get(row.locale, row.locale), _trouble(row)) for row in rows]
    return page(
        request,
        "setup/mail_templates.html",
        rows=shown,
        kinds=_kinds(),
        languages=choices.languages(),
        organizations=choices.organizations(request),
        is_for_all=is_for_all(request),
        may_change=sets_up(request),
        here="setup",
        tab="mail_templates",
    )


def _trouble(row: MailTemplate) -> str:
    found = desk.trouble(row)
    return words_of_error(found) if found is not None else ""


@dataclass
class _Form:
    """What stands in the form, as typed, and what is wrong about it."""

    kind: str
    locale: str
    organization: int | None
    subject: str
    text: str
    ticket: str = ""
    shown: desk.Preview | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def wanted(self) -> dict[str, Any]:
        """What the use cases take."""
        return {name: getattr(self, name) for name in ("kind", "locale", "organization", "subject", "text")}

    def take(self, request: PageRequest) -> None:
        """What was sent stands in it now."""
        sent = request.POST
        self.subject, self.text = sent.get("subject", ""), sent.get("text", "")
        self.ticket = sent.get("ticket", "").strip()


def _begun(request: PageRequest) -> _Form:
    """A new one with the built-in words in it. Whom it is for stands in the address. Raises Invalid."""
    sent = request.GET
    known = [kind.value for kind in MailKind]
    kind = sent["kind"] if sent.get("kind") in known else known[0]
    locale = sent["locale"] if sent.get("locale") in dict(choices.languages()) else choices.languages()[0][0]
    subject, text = desk.built_in(MailKind(kind), locale)
    return _Form(kind, locale, inputs.number(sent, "organization"), subject, text)


def _handled(request: PageRequest, form: _Form, row: MailTemplate | None) -> bool:
    """Do what the button says; whether that is all, else the form is shown again."""
    form.take(request)
    by: dict[str, Any] = {"actor": request.actor, "now": request.now}
    try:
        if request.POST.get("do") == "preview":
            form.shown = desk.preview(ticket=form.ticket, **form.wanted(), **by)
            return False
        if row is None:
            desk.create(**form.wanted(), **by)
        else:
            desk.change(row.pk, subject=form.subject, text=form.text, seen=request.POST.get("seen", ""), **by)
    except DeskError as error:
        if error.http in (403, 404) and error.field != "ticket":
            raise
        form.errors = field_errors(error)
        if not form.errors.keys() & {"subject", "text", "ticket"}:
            form.errors[""] = next(iter(form.errors.values()))
        return False
    toast(request, _("The words are saved. They hold for every mail that is sent from now on."))
    return True


def _body(page_of_mail: str) -> Markup:
    """What stands in the HTML part, to be shown in a page; the mail was made of escaped and cleaned pieces only."""
    return Markup(page_of_mail.partition("<body>")[2].rpartition("</body>")[0])  # noqa: S704


def _show(request: PageRequest, form: _Form, *, row: MailTemplate | None) -> HttpResponse:
    organizations = dict(choices.organizations(request))
    kind = MailKind(form.kind)
    subject, text = desk.built_in(kind, form.locale)
    whose = row.organization.name if row and row.organization else organizations.get(form.organization or 0, "")
    return page(
        request,
        "setup/mail_template.html",
        status=422 if form.errors else 200,
        form=form,
        row=row,
        seen=request.POST.get("seen") or (desk.version(row) if row else ""),
        kind=dict(_kinds())[form.kind],
        in_language=dict(choices.languages()).get(form.locale, form.locale),
        whose=whose,
        names=[f"{{{{{name}}}}}" for name in names(kind)],
        built_in=(subject, text),
        trouble=_trouble(row) if row else "",
        html=_body(form.shown.html) if form.shown else "",
        limits=(SUBJECT_LIMIT, TEXT_LIMIT),
        may_change=may(request.actor, Act.SET_UP, place_of(form.organization)),
        here="setup",
        tab="mail_templates",
    )


@require_http_methods(["GET", "POST"])
@setup_page
def new_mail_template(request: PageRequest) -> HttpResponse:
    """Words for a kind of mail in a language, beginning with the built-in ones."""
    try:
        form = _begun(request)
    except DeskError:
        return SeeOther(PLACE)
    if request.method == "POST":
        if not sets_up(request):
            raise NotAllowed("Your role does not allow this.")
        if _handled(request, form, None):
            return SeeOther(PLACE)
    return _show(request, form, row=None)


@require_http_methods(["GET", "POST"])
@setup_page
def mail_template(request: PageRequest, number: int) -> HttpResponse:
    """What a mail says, to be read, changed, or looked at on a ticket."""
    row = desk.one(number, actor=request.actor)
    form = _Form(row.kind, row.locale, row.organization_id, row.subject, row.text)
    if request.method == "POST" and _handled(request, form, row):
        return SeeOther(PLACE)
    return _show(request, form, row=row)


@require_POST
@setup_page
def forget_mail_template(request: PageRequest, number: int) -> HttpResponse:
    """Back to the words of those above, or the built-in ones."""
    desk.forget(number, actor=request.actor, now=request.now)
    toast(request, _("The words are forgotten. Such mails have those of the organization above, or the built-in ones."))
    return SeeOther(PLACE)
