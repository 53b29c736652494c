"""Files of forms: taken in before the form is judged, so that nobody uploads twice, and given out as downloads only."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, cast

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_safe

from allswell.desk import attachments
from allswell.kernel.errors import Invalid, NotFound
from allswell.tickets import queries as tickets

from .pages import PageRequest, signed_in

if TYPE_CHECKING:
    from allswell.tickets.models import Attachment

MOST = 10


def receive(request: PageRequest) -> tuple[list[Attachment], Invalid | None]:
    """What the form brings (fields "files" and, uploaded before, "kept"), and what was wrong with a file, if anything.

    A file that is refused does not lose the others: show the form again with what was received.
    """
    received = [row for token in request.POST.getlist("kept")[:MOST] if (row := _unsent(token, request))]
    for file in request.FILES.getlist("files"):
        try:
            if len(received) >= MOST:
                raise Invalid("Send at most %(limit)s files at once.", field="files", limit=MOST)
            received.append(
                attachments.upload(
                    cast("IO[bytes]", file),  # a file in all but its type
                    name=file.name or "",
                    content_type=file.content_type or "",
                    actor=request.actor,
                    now=request.now,
                )
            )
        except Invalid as refused:
            return received, Invalid(refused.template, field="files", **refused.params)
    return received, None


def _unsent(token: str, request: PageRequest) -> Attachment | None:
    found = tickets.attachment_for(token, request.actor)
    return found if found is not None and found.ticket_id is None else None


def tokens(received: list[Attachment]) -> tuple[str, ...]:
    """What use cases call the files by."""
    return tuple(row.token for row in received)


@require_safe
@signed_in
def download(request: PageRequest, token: str) -> HttpResponseBase:
    """A file, as a download whatever it is: a browser must never show as ours what somebody else wrote."""
    found = tickets.attachment_for(token, request.actor)
    if found is None:
        raise NotFound("There is no such file, or you may not see it.")
    response = FileResponse(
        tickets.content_of(found), as_attachment=True, filename=found.name, content_type="application/octet-stream"
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


urlpatterns = [path("files/<str:token>", download, name="file")]
