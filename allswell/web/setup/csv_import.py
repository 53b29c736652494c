"""Bringing people, teams and services in from a file: look at what would happen, then do it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from allswell.desk import csv_records as desk
from allswell.kernel.errors import DeskError, Invalid, NotAllowed
from allswell.web.pages import PageRequest, SeeOther, field_errors, page, toast

from .gate import sets_up, setup_page

MOST_BYTES = 1_000_000
SHOWN = 500


def _content(request: PageRequest) -> str:
    sent = request.FILES.get("file")
    if sent is None:
        return request.POST.get("content", "")
    if (sent.size or 0) > MOST_BYTES:
        raise Invalid("A file may have at most %(most)s bytes.", field="file", most=MOST_BYTES)
    raw: bytes = sent.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # what spreadsheets of some offices still write


def _why(line: desk.Line) -> str:
    if not line.template:
        return ", ".join(line.fields)
    said = _(line.template) % dict(line.params) if line.params else _(line.template)
    return f"{line.field}: {said}" if line.field else said


@require_http_methods(["GET", "POST"])
@setup_page
def import_page(request: PageRequest) -> HttpResponse:
    """A file is shown as what it would change; the button under it does that."""
    if not sets_up(request):
        raise NotAllowed("Your role does not allow this.")
    context: dict[str, Any] = {"columns": desk.COLUMNS, "kind": request.POST.get("kind", "people"), "errors": {}}
    context |= {"lines": [], "content": "", "here": "setup", "tab": "import"}
    if request.method == "GET":
        return page(request, "setup/import.html", **context)
    is_trial = "do" not in request.POST
    try:
        content = _content(request)
        lines = desk.bring_in(context["kind"], content=content, is_trial=is_trial, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        context["errors"] = field_errors(error)
        return page(request, "setup/import.html", status=422, **context)
    counts = Counter(line.outcome for line in lines)
    if not is_trial:
        said = _("%(added)s added, %(changed)s changed, %(unchanged)s unchanged, %(refused)s refused.")
        numbers = {name: counts[name] for name in ("added", "changed", "unchanged", "refused")}
        toast(request, said % numbers, is_bad=bool(counts["refused"]))
        return SeeOther(f"/setup/{context['kind']}")
    shown = sorted(lines, key=lambda line: (line.outcome != "refused", line.number))[:SHOWN]
    context |= {"lines": [(line, _why(line)) for line in shown], "counts": counts, "content": content}
    return page(request, "setup/import.html", **context)
