"""Mailboxes: where mail comes in, how it gets from there to us, and what becomes of it unless a rule says otherwise."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from allswell.desk.mail import mailboxes as desk
from allswell.intake.rules.mailboxes import MailboxKind
from allswell.kernel.errors import DeskError
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web import inputs
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast

from . import choices
from .gate import setup_page

#: each kind: its name, and what it is
KINDS = {
    "imap": (N_("Fetched by IMAP"), N_("We sign in at your mail server and fetch what comes.")),
    "listener": (N_("Handed over by LMTP or SMTP"), N_("Your mail server hands each mail over, and keeps it until we have it.")),
    "pipe": (N_("A pipe"), N_("Your mail server runs a command on this machine for each mail.")),
    "http": (N_("Posted by a provider"), N_("A provider posts each mail to an address with a key in it.")),
}
#: what is wrong with a server, in plain words
PROBLEMS = {
    "unreachable": N_("The server cannot be reached. A private address has to be allowed by who operates this installation."),
    "encryption": N_("The connection cannot be encrypted: the certificate does not fit, or the server offers no TLS."),
    "sign_in": N_("The server does not accept the user name and the password."),
    "token": N_("The provider gives no access token."),
    "folder": N_("The folder cannot be opened."),
    "done_folder": N_("What was taken cannot be moved into its folder."),
    "secret": N_("The password was stored with another secret key. Type it again."),
    "silent": N_("The server stopped answering."),
}
UNKNOWN = (
    ("create", N_("They become known and get a ticket")),
    ("hold", N_("Their mail waits for a decision")),
    ("refuse", N_("Nothing becomes of their mail; they are told so once a week, if it is proven that they wrote it")),
)
_FIELDS = (
    *("name", "address", "unknown_senders", "authserv", "hops", "organization", "service", "team", "ticket_kind"),
    *("host", "port", "security", "user", "folder", "done_folder", "login", "token_url", "client_id", "scope"),
)
_CONNECTION = ("host", "security", "user", "folder", "done_folder", "login", "token_url", "client_id", "scope")
_SECRETS = ("password", "refresh_token", "client_secret", "signing")


def problem(note: str) -> str:
    """What is wrong, in plain words, and what the server said of it."""
    word, _colon, said = note.partition(": ")
    words = _(PROBLEMS[word]) if word in PROBLEMS else word
    return f"{words} ({said})" if said else words


def _page(request: PageRequest, template: str, status: int = 200, **more: Any) -> HttpResponse:
    return page(
        request,
        template,
        status=status,
        here="setup",
        tab="mailboxes",
        part="setup_mailboxes",
        may_change=may(request.actor, Act.SET_UP, INSTALLATION),
        kinds={kind: (_(name), _(about)) for kind, (name, about) in KINDS.items()},
        problem=problem,
        **more,
    )


def _form(request: PageRequest) -> dict[str, Any]:
    """What the form offers."""
    return {
        "services": choices.all_services(request),
        "teams": choices.teams(request),
        "organizations": choices.organizations(request),
        "unknown": [(value, _(words)) for value, words in UNKNOWN],
        "ticket_kinds": [("incident", _("An incident")), ("request", _("A request"))],
        "securities": [("tls", _("TLS from the start")), ("starttls", "STARTTLS")],
        "logins": [("password", _("Password")), ("oauth", "OAuth 2.0")],
    }


def _sent(request: PageRequest) -> dict[str, Any]:
    """What the form holds, as it is shown again; secrets are not."""
    return {name: request.POST.get(name, "") for name in _FIELDS} | {"takes_all": bool(request.POST.get("takes_all"))}


def _values(request: PageRequest, kind: str) -> dict[str, Any]:
    """What the form says, for the desk. Raises Invalid."""
    post = request.POST
    values: dict[str, Any] = {
        "name": post.get("name", ""),
        "address": post.get("address", ""),
        "unknown_senders": post.get("unknown_senders", "create"),
        "authserv": post.get("authserv", ""),
        "hops": inputs.number(post, "hops") or 0,
        "ticket_kind": post.get("ticket_kind", "incident"),
        "organization": inputs.number(post, "organization") or 0,
        "service": inputs.number(post, "service") or "",
        "team": inputs.number(post, "team") or 0,
        "secret": {name: post.get(name, "") for name in _SECRETS},
    }
    if kind == MailboxKind.IMAP:
        values["connection"] = {name: post.get(name, "") for name in _CONNECTION}
        values["connection"] |= {"port": inputs.number(post, "port"), "takes_all": bool(post.get("takes_all"))}
    return values


@require_GET
@setup_page
def mailboxes(request: PageRequest) -> HttpResponse:
    """All mailboxes, how each stands, and the ways in which there can be a new one."""
    return _page(request, "setup/mailboxes.html", rows=list(desk.all_mailboxes(request.actor)))


@require_http_methods(["GET", "POST"])
@setup_page
def new_mailbox(request: PageRequest) -> HttpResponse:
    """A new mailbox of a kind; the key of one that is posted is shown once, in answer to the form."""
    desk.all_mailboxes(request.actor)
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    kind = kind if kind in KINDS else "imap"
    sent: dict[str, Any] = {"hops": 2, "security": "tls", "folder": "INBOX", "unknown_senders": "create"}
    errors, status = {}, 200
    if request.method == "POST":
        sent = _sent(request)
        try:
            row, key = desk.create(kind=kind, actor=request.actor, now=request.now, **_values(request, kind))
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
        else:
            if key:
                return _key_page(request, row, key)
            toast(request, _("The mailbox is set up."))
            return SeeOther(f"/setup/mailboxes/{row.pk}")
    return _page(
        request,
        "setup/mailbox_new.html",
        status,
        row=None,
        kind=kind,
        sent=sent,
        errors=errors,
        has_secret=False,
        **_form(request),
    )


def _key_page(request: PageRequest, row: Any, key: str) -> HttpResponse:
    return _page(request, "setup/mailbox_key.html", row=row, key=key, address=f"{settings.PUBLIC_URL}/in/mail/{key}")


@require_http_methods(["GET", "POST"])
@setup_page
def mailbox(request: PageRequest, number: int) -> HttpResponse:
    """One mailbox: how it stands, and how it is set up."""
    row = desk.one(number, actor=request.actor)
    sent, errors, status = _kept(row), {}, 200
    if request.method == "POST":
        sent = _sent(request)
        try:
            desk.change(number, actor=request.actor, now=request.now, **_values(request, row.kind))
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
        else:
            toast(request, _("Saved."))
            return SeeOther(f"/setup/mailboxes/{number}")
    return _shown(request, row, status, sent=sent, errors=errors)


def _shown(request: PageRequest, row: Any, status: int = 200, **more: Any) -> HttpResponse:
    said = {"sent": _kept(row), "errors": {}, "trial": None} | more
    return _page(
        request,
        "setup/mailbox.html",
        status,
        row=row,
        kind=row.kind,
        has_secret=bool(row.secret),
        listens=settings.MAIL_LISTEN,
        **said,
        **_form(request),
    )


def _kept(row: Any) -> dict[str, Any]:
    """How it is set up, as the form shows it."""
    plain = {name: getattr(row, name) for name in ("name", "address", "unknown_senders", "authserv", "hops", "ticket_kind")}
    places = {name: getattr(row, f"{name}_id") or "" for name in ("organization", "service", "team")}
    return {**row.connection, **plain, **places}


@require_POST
@setup_page
def try_mailbox(request: PageRequest, number: int) -> HttpResponse:
    """Sign in as the engine does, and say how it went."""
    trial = desk.try_connection(number, actor=request.actor)
    return _shown(request, desk.one(number, actor=request.actor), trial=trial)


@require_POST
@setup_page
def new_key(request: PageRequest, number: int) -> HttpResponse:
    """A new key, shown once; the former serves no more."""
    key = desk.rotate(number, actor=request.actor, now=request.now)
    return _key_page(request, desk.one(number, actor=request.actor), key)


@require_POST
@setup_page
def switch(request: PageRequest, number: int) -> HttpResponse:
    """On or off."""
    desk.switch(number, is_active=bool(request.POST.get("on")), actor=request.actor, now=request.now)
    return SeeOther(f"/setup/mailboxes/{number}")


@require_POST
@setup_page
def remove(request: PageRequest, number: int) -> HttpResponse:
    """Delete one to which nothing came."""
    desk.remove(number, actor=request.actor, now=request.now)
    toast(request, _("The mailbox is deleted."))
    return SeeOther("/setup/mailboxes")
