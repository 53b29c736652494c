"""My leave out of a calendar file: shown as what it would change, then written."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from allswell.desk import leave_files
from allswell.desk.calendar_files import LARGEST
from allswell.kernel.errors import DeskError, Invalid, NotAllowed
from allswell.web.pages import PageRequest, SeeOther, desk_page, field_errors, page, toast

from . import lanes

SHOWN = 100


def _content(request: PageRequest) -> bytes:
    """The file as it was chosen, or as the preview keeps it. Raises Invalid."""
    upload = request.FILES.get("file")
    if upload is not None:
        raw: bytes = upload.read(LARGEST + 1)
        return raw
    kept = request.POST.get("content", "")
    if not kept:
        raise Invalid("Choose a file first.", field="file")
    return kept.encode()


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def leave_file(request: PageRequest) -> HttpResponse:
    """A file is shown as the leave it comes to; the button under it writes that."""
    if request.actor.person is None:
        raise NotAllowed("Your role does not allow this.")
    if request.method != "POST":
        return _show(request, {"which": "all", "is_whole": True, "has_names": False})
    sent = request.POST
    values: dict[str, Any] = {"which": sent.get("which", ""), "is_whole": "is_whole" in sent, "has_names": "has_names" in sent}
    try:
        raw = _content(request)
        asked = {"which": values["which"], "is_whole": values["is_whole"], "actor": request.actor, "now": request.now}
        if sent.get("do") != "write":
            found = leave_files.preview_leave(request.actor.person, raw, **asked)
            return _show(request, values, found=found, content=raw.decode("utf-8-sig"))
        done = leave_files.read_leave(request.actor.person, raw, has_names=values["has_names"], **asked)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        return _show(request, values, status=error.http, errors=field_errors(error))
    said = {name: done.count(name) for name in ("added", "changed", "cancelled")}
    toast(request, _("Your leave: %(added)s added, %(changed)s changed, %(cancelled)s cancelled.") % said)
    return SeeOther("/oncall/me")


def _show(request: PageRequest, values: dict[str, Any], *, status: int = 200, **context: Any) -> HttpResponse:
    return page(
        request,
        "oncall/leave_file.html",
        status,
        values=values,
        choices=[
            ("all", _("All of them: a calendar of absences")),
            ("busy", _("Those not shown as free")),
            ("away", _("Those marked as out of office")),
        ],
        shown=SHOWN,
        span_text=lanes.span_text,
        zone=lanes.zone_name(),
        here="oncall",
        **{"errors": {}, "found": None, "content": "", **context},
    )
