"""Files of forms, taken in before the form is judged, so that nobody uploads twice; given out as downloads, or as pictures in a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, cast

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from allswell.desk import attachments
from allswell.kernel import pictures
from allswell.kernel.errors import Invalid, NotFound
from allswell.tickets import queries as tickets

from .pages import PageRequest, signed_in

if TYPE_CHECKING:
    from allswell.tickets.models import Attachment

MOST = 10
#: what may be drawn, and how many bytes of it
DRAWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
LARGEST = 10_000_000


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


@require_safe
@signed_in
def picture(request: PageRequest, token: str) -> HttpResponseBase:
    """A picture that stands in a text. Its bytes say that it is one, and of which kind; everything else is a download only."""
    found = tickets.attachment_for(token, request.actor)
    content = tickets.content_of(found) if found is not None and found.size <= LARGEST else None
    kind = pictures.kind_of(content.read(pictures.HEAD)) if content is not None else ""
    if content is None or not kind:
        if content is not None:
            content.close()
        raise NotFound("There is no such file, or you may not see it.")
    content.seek(0)
    response = FileResponse(content, content_type=kind)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def in_place(found: Iterable[Attachment]) -> dict[int | None, dict[str, str]]:
    """The pictures of a ticket that may stand in its texts: comment (None: its description) -> name -> address.

    What was on the ticket before is not shown again: a mark of a company comes with each mail of its people.
    """
    shown: dict[int | None, dict[str, str]] = {}
    before: set[str] = set()
    for row in sorted(found, key=lambda row: row.pk):
        if row.content_type in DRAWN and row.size <= LARGEST and row.sha256 not in before:
            before.add(row.sha256)
            shown.setdefault(row.comment_id, {})[row.name] = reverse("picture", args=[row.token])
    return shown


urlpatterns = [path("files/<str:token>", download, name="file"), path("pictures/<str:token>", picture, name="picture")]
