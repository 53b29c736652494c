"""Rotas and policies as one document: downloaded, or uploaded and shown as what it would change before anything does."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from allswell.desk import oncall_files
from allswell.kernel.errors import DeskError, Invalid, NotAllowed
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast, words_of_error

from .gate import sets_up, setup_page

SHOWN = 500


@require_safe
@setup_page
def export(request: PageRequest) -> HttpResponse:
    """The document, for who administers."""
    if not sets_up(request):
        raise NotAllowed("Your role does not allow this.")
    asked = {"has_leave": "leave" in request.GET, "has_contacts": "contacts" in request.GET}
    form = oncall_files.document(actor=request.actor, now=request.now, **asked)
    answer = HttpResponse(json.dumps(form, indent=2, ensure_ascii=False) + "\n", content_type="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="oncall.json"'
    return answer


def _content(request: PageRequest) -> bytes:
    upload = request.FILES.get("file")
    if upload is not None:
        raw: bytes = upload.read(oncall_files.LIMIT + 1)
        return raw
    kept = request.POST.get("content", "")
    if not kept:
        raise Invalid("Choose a file first.", field="file")
    return kept.encode()


@require_http_methods(["GET", "HEAD", "POST"])
@setup_page
def oncall_files_page(request: PageRequest) -> HttpResponse:
    """A file is shown as what it would change; the button under it does that."""
    if not sets_up(request):
        raise NotAllowed("Your role does not allow this.")
    if request.method != "POST":
        return _show(request)
    is_trial = "do" not in request.POST
    try:
        raw = _content(request)
        lines = oncall_files.bring_in(raw, is_trial=is_trial, actor=request.actor, now=request.now)
    except DeskError as error:
        return _show(request, status=error.http, errors={"file": _placed(error)})
    counts = Counter(line.outcome for line in lines)
    if not is_trial:
        said = {name: counts[name] for name in ("added", "changed", "unchanged")}
        toast(request, _("%(added)s added, %(changed)s changed, %(unchanged)s unchanged.") % said)
        return SeeOther("/oncall/")
    return _show(request, lines=lines[:SHOWN], counts=counts, content=raw.decode("utf-8-sig"))


def _placed(error: DeskError) -> str:
    """What is wrong, after its place in the file."""
    words = next(iter(field_errors(error).values()), "") or words_of_error(error)
    return f"{error.field}: {words}" if error.field not in ("", "file") else words


def _show(request: PageRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    parts = {
        "name": _("name"),
        "is_active": _("in use or not"),
        "versions": _("versions"),
        "overrides": _("overrides"),
        "definition": _("steps"),
        "services": _("services"),
        "teams": _("teams"),
        "ways": _("ways"),
        "urgent": _("urgent pages"),
        "normal": _("normal pages"),
        "quiet_hours": _("quiet hours"),
    }
    reached = {"contacts": _("How reached"), "contact": _("Way")}
    kinds = {"rota": _("Rota"), "policy": _("Policy"), "leave": _("Leave"), **reached}
    may_know_all = may(request.actor, Act.SET_UP, INSTALLATION)
    given = {
        "may_know_all": may_know_all,
        "errors": {},
        "lines": [],
        "counts": {},
        "content": "",
        "parts": parts,
        "kinds": kinds,
        **context,
    }
    return page(request, "setup/oncall.html", status, here="setup", tab="oncall", **given)
