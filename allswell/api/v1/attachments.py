"""Files: uploaded first and then sent with a report, a reply or a note, or put on a ticket at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse
from msgspec import Struct

from allswell.api.contract import BASE, Call, FieldError, Page, Paged, Query, operation
from allswell.api.paging import page
from allswell.api.problems import Refusal
from allswell.desk import attachments as desk
from allswell.desk import door
from allswell.kernel.errors import NotFound
from allswell.tickets import queries

from .shapes import PersonRef, person_ref
from .tickets import visible

TAG = "Attachments"
#: what multipart/form-data adds around a file, at most
_AROUND = 100_000


class Attachment(Struct):
    """A file. `token` names it: in `url`, and when it is sent with a report, a reply or a note. `sha256` is hexadecimal."""

    token: str
    name: str
    content_type: str
    size: int
    sha256: str
    is_public: bool
    comment: int | None
    uploaded_by: PersonRef | None
    uploaded_at: datetime
    url: str


_COLUMNS = (
    "pk",
    "token",
    "name",
    "content_type",
    "size",
    "sha256",
    "is_public",
    "comment_id",
    "uploaded_by_id",
    "uploaded_by__name",
    "uploaded_at",
)


def _make(row: Sequence[Any]) -> Attachment:
    _, token, name, content_type, size, sha256, is_public, comment, person, person_name, uploaded_at = row
    by = person_ref(person, person_name)
    url = f"{BASE}/attachments/{token}"
    return Attachment(token, name, content_type, size, sha256, is_public, comment, by, uploaded_at, url)


def sent_file(call: Call, *, most: int) -> UploadedFile[Any]:
    """The one part named `file`; one far larger than `most` bytes is not read at all. Raises Refusal."""
    length = call.request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > most + _AROUND:
        raise Refusal(413, "too-large", f"A file has at most {most} bytes.")
    files = call.request.FILES.getlist("file")
    others = sorted({*call.request.FILES, *call.request.POST} - {"file"})
    if others or len(files) != 1:
        detail = "There is no such part." if others else "Send one part named file, with a file name."
        raise Refusal(422, "invalid", detail, errors=[FieldError(others[0] if others else "file", detail)])
    return files[0]


def _uploaded(call: Call) -> Any:
    file = sent_file(call, most=settings.MAX_UPLOAD_BYTES)
    return desk.upload(file, name=file.name or "", content_type=file.content_type or "", actor=call.actor, now=call.now)


def _shown(call: Call, row: Any) -> Attachment:
    call.headers["Location"] = f"{BASE}/attachments/{row.token}"
    by = person_ref(call.actor.person, call.actor.name)
    return Attachment(
        token=row.token,
        name=row.name,
        content_type=row.content_type,
        size=row.size,
        sha256=row.sha256,
        is_public=row.is_public,
        comment=row.comment_id,
        uploaded_by=by,
        uploaded_at=row.uploaded_at,
        url=f"{BASE}/attachments/{row.token}",
    )


@operation(
    "POST",
    "/attachments",
    id="uploadAttachment",
    summary="Upload a file, to be sent within a day by its token",
    tag=TAG,
    scope="tickets:write",
    is_upload=True,
    answer=Attachment,
    status=201,
    present=_shown,
)
def upload(call: Call) -> Any:
    return _uploaded(call)


@operation(
    "GET",
    "/tickets/{number}/attachments",
    id="listAttachments",
    summary="The files of a ticket, newest first; those of notes for the desk only",
    tag=TAG,
    scope="tickets:read",
    query=Paged,
    answer=Page[Attachment],
)
def list_attachments(call: Call) -> Page[Attachment]:
    ticket = visible(call)
    rows = queries.attachments(ticket, internal=queries.may_see_internal(call.actor, ticket)).select_related(None)
    return page(call, rows.values_list(*_COLUMNS), lambda found: [_make(row) for row in found])


class Audience(Query):
    """Whether the requester sees the file."""

    is_public: bool = True


@operation(
    "POST",
    "/tickets/{number}/attachments",
    id="attachToTicket",
    summary="Put a file on a ticket",
    tag=TAG,
    scope="tickets:write",
    is_upload=True,
    query=Audience,
    answer=Attachment,
    status=201,
    present=lambda call, result: _attached(call),
)
def attach(call: Call) -> None:
    visible(call)
    around = door.around.set(None)  # the upload alone is not the act that must not happen twice
    try:
        call.body = _uploaded(call)
    finally:
        door.around.reset(around)
    is_public = call.query.is_public
    desk.attach(call.path["number"], tokens=(call.body.token,), is_public=is_public, actor=call.actor, now=call.now)


def _attached(call: Call) -> Attachment:
    call.headers["Location"] = f"{BASE}/attachments/{call.body.token}"
    row = queries.attachments(visible(call), internal=True).select_related(None).filter(token=call.body.token)
    return _make(row.values_list(*_COLUMNS).get())


@operation(
    "GET",
    "/attachments/{token}",
    id="downloadAttachment",
    summary="The bytes of a file, always as a download",
    tag=TAG,
    scope="tickets:read",
    is_download=True,
)
def download(call: Call) -> Any:
    found = queries.attachment_for(call.path["token"], call.actor)
    if found is None:
        raise NotFound("There is no such file, or you may not see it.")
    content_type = "application/octet-stream"
    response = FileResponse(queries.content_of(found), as_attachment=True, filename=found.name, content_type=content_type)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@operation(
    "DELETE",
    "/attachments/{token}",
    id="removeAttachment",
    summary="Remove a file; the journal keeps that it was",
    tag=TAG,
    scope="tickets:write",
    status=204,
)
def remove(call: Call) -> Any:
    return desk.remove(call.path["token"], actor=call.actor, now=call.now)
