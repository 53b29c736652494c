"""Reporting in one's own words: what is known answers while typing; three questions at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from allswell.desk import tickets as desk
from allswell.desk import writing
from allswell.incidents import queries as incidents
from allswell.incidents import rules as matching
from allswell.kernel.errors import DeskError, Invalid
from allswell.services import queries as services
from allswell.tickets import dossier
from allswell.tickets import queries as tickets
from allswell.tickets.rules import Kind, reference
from allswell.web import files, inputs
from allswell.web.pages import PageRequest, SeeOther, field_errors, is_fragment, page, signed_in, toast

from . import words

if TYPE_CHECKING:
    from allswell.kernel.actor import Actor
    from allswell.tickets.models import Attachment, CustomField, Ticket

TYPED_LIMIT = 200
_RECENT = 30


def _own_open(actor: Actor, typed: str) -> list[Ticket]:
    """The actor's own open tickets that say what is being typed, best first, at most two."""
    rows = tickets.own(actor).filter(done_at__isnull=True).order_by("-id")[:_RECENT]
    scored = [(matching.answers(typed, title=row.title), row) for row in rows]
    return [row for score, row in sorted(scored, key=lambda pair: -pair[0]) if matching.is_answer(score)][:2]


def _answers(request: PageRequest, typed: str) -> dict[str, Any]:
    """What answers the words typed so far: announcements, own open tickets, the service they name."""
    typed = typed[:TYPED_LIMIT]
    announced = incidents.matching(typed, request.actor) if typed else []
    names = _service_names(request.actor) if typed else {}
    service = matching.named(typed, names)
    return {
        "announced": announced,
        "joined": incidents.joined(request.actor, announced),
        "own_open": _own_open(request.actor, typed) if typed else [],
        "service_name": names[service] if service else "",
    }


def _service_names(actor: Actor) -> dict[int, str]:
    rows = services.visible_to(actor).filter(kind="business_service", is_active=True)
    return dict(rows.values_list("id", "name"))


def _form(request: PageRequest, template: str, values: dict[str, str], *, status: int = 200, **context: Any) -> HttpResponse:
    typed = values.get("q", "")
    fields = _fields(Kind.REQUEST if template == "portal/need.html" else Kind.INCIDENT)
    return page(
        request,
        template,
        status,
        portal=words,
        values=values,
        fields=fields,
        custom=inputs.typed_in(request.POST, fields),
        **{"errors": {}, "kept": [], **_answers(request, typed), **context},
    )


def _fields(kind: Kind) -> list[CustomField]:
    """What else the installation wants to know, from those who ask."""
    return [field for field in tickets.custom_fields(kind) if field.is_in_portal]


def _own_fields(request: PageRequest, kind: Kind, errors: dict[str, str]) -> dict[str, Any]:
    """What stands in them; what is wrong with it goes to `errors`."""
    try:
        return inputs.own_fields(request.POST, _fields(kind))
    except Invalid as wrong:
        errors |= field_errors(wrong)
        return {}


def _empty_form(request: PageRequest, template: str, kind: Kind, typed: str) -> HttpResponse:
    """The form with what was typed, and with what was being written when somebody left it."""
    kept = dossier.drafts(None, person=request.actor.person).get("new", {})
    if kept.get("kind") != kind or (typed and typed != kept.get("title")):
        return _form(request, template, {"q": typed})
    values = {"q": kept.get("title", ""), "description": kept.get("description", ""), "can_work": kept.get("can_work", "")}
    return _form(request, template, values, is_draft=True)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def report(request: PageRequest) -> HttpResponse:
    """Something is not working: what, can you still work, anything that helps."""
    if request.method != "POST":
        typed = request.GET.get("q", "")[:TYPED_LIMIT]
        if is_fragment(request):
            return page(request, "portal/_answers.html", portal=words, typed=typed, **_answers(request, typed))
        return _empty_form(request, "portal/report.html", Kind.INCIDENT, typed)
    values = {name: request.POST.get(name, "") for name in ("q", "can_work", "description")}
    received, refused = files.receive(request)
    errors = field_errors(refused) if refused else {}
    own = _own_fields(request, Kind.INCIDENT, errors)
    if values["can_work"] not in ("no", "detour", "yes"):
        errors["can_work"] = _("Choose one of the three.")
    if not values["q"].strip():
        errors["title"] = _("Say in a few words what is not working.")
    if errors:
        return _form(request, "portal/report.html", values, status=422, errors=errors, kept=received)
    what = desk.Report(
        kind=Kind.INCIDENT,
        title=values["q"],
        description=values["description"],
        service=matching.named(values["q"], _service_names(request.actor)),
        can_work=values["can_work"],
        attachments=files.tokens(received),
        custom=own,
    )
    return _sent(request, "portal/report.html", what, values, received)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def need(request: PageRequest) -> HttpResponse:
    """I need something: what, and what it is for."""
    if request.method != "POST":
        return _empty_form(request, "portal/need.html", Kind.REQUEST, request.GET.get("q", "")[:TYPED_LIMIT])
    values = {name: request.POST.get(name, "") for name in ("q", "description")}
    received, refused = files.receive(request)
    errors = field_errors(refused) if refused else {}
    own = _own_fields(request, Kind.REQUEST, errors)
    if not values["q"].strip():
        errors["title"] = _("Say in a few words what you need.")
    if errors:
        return _form(request, "portal/need.html", values, status=422, errors=errors, kept=received)
    what = desk.Report(
        kind=Kind.REQUEST,
        title=values["q"],
        description=values["description"],
        attachments=files.tokens(received),
        custom=own,
    )
    return _sent(request, "portal/need.html", what, values, received)


def _sent(
    request: PageRequest, template: str, what: desk.Report, values: dict[str, str], received: list[Attachment]
) -> HttpResponse:
    """Send it to the desk; when that fails the form comes back with everything in it."""
    try:
        ticket = desk.report(what, actor=request.actor, now=request.now)
    except DeskError as error:
        return _form(request, template, values, status=error.http, errors=field_errors(error), kept=received)
    writing.drop_draft(place="new", actor=request.actor, now=request.now)
    toast(request, _("We have it. Its number is %(reference)s.") % {"reference": reference(ticket.kind, ticket.pk)})
    return SeeOther(f"/my/{ticket.pk}")


@require_POST
@signed_in
def draft(request: PageRequest) -> HttpResponse:
    """Keep what is being written, or throw it away and start over."""
    kind = Kind.REQUEST if request.POST.get("kind") == Kind.REQUEST else Kind.INCIDENT
    if "drop" in request.POST:
        writing.drop_draft(place="new", actor=request.actor, now=request.now)
        return SeeOther("/request" if kind is Kind.REQUEST else "/report")
    content = {
        "title": request.POST.get("q", "")[:TYPED_LIMIT],
        "description": request.POST.get("description", ""),
        "can_work": request.POST.get("can_work", "")[:10],
    }
    if any(content.values()):
        content["kind"] = kind.value
    writing.save_draft(place="new", content=content, actor=request.actor, now=request.now)
    return HttpResponse(status=204)
