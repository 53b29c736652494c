"""Writing files: streamed into the storage under a random name, then a row."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage

from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.tickets import rules
from allswell.tickets.models import Attachment, Comment, Ticket

_CHUNK = 64 * 1024
#: names asked for in one question
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the storage that no row knows yet. `sha256` is hexadecimal, `size` in bytes."""

    stored_as: str
    size: int
    sha256: str


class _Measured(File):  # type: ignore[type-arg]
    """A stream that is measured and limited while the storage reads it."""

    def __init__(self, stream: IO[bytes], *, limit: int) -> None:
        super().__init__(stream, name="upload")
        self.stream = stream
        self.digest = hashlib.sha256()
        self.count = 0
        self.limit = limit

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while chunk := self.stream.read(_CHUNK):
            if not self.count and rules.is_program(chunk):
                raise Invalid("Programs cannot be attached.", field="file")
            self.count += len(chunk)
            if self.count > self.limit:
                raise Invalid("This file is too large; at most %(limit)s MB.", field="file", limit=self.limit // 1_000_000)
            self.digest.update(chunk)
            yield chunk


def store(stream: IO[bytes], *, limit: int) -> Stored:
    """Stream a file into the storage, at most `limit` bytes; nothing stays behind when it is refused. Outside any transaction."""
    random = secrets.token_hex(24)
    wanted = f"{random[:2]}/{random}"
    measured = _Measured(stream, limit=limit)
    try:
        stored_as = default_storage.save(wanted, measured)
    except Invalid:
        default_storage.delete(wanted)
        raise
    if not measured.count:
        default_storage.delete(stored_as)
        raise Invalid("This file is empty.", field="file")
    return Stored(stored_as=stored_as, size=measured.count, sha256=measured.digest.hexdigest())


def discard(stored_as: str) -> None:
    """Remove a file from the storage; once the transaction that removed its row is through."""
    default_storage.delete(stored_as)


def strays(folder: str, *, before: datetime, limit: int) -> list[str]:
    """Files of a folder of the storage, written before then, that no row knows: their writer was killed before its commit."""
    if not default_storage.exists(folder):
        return []
    names = [f"{folder}/{name}" for name in default_storage.listdir(folder)[1]]
    old = [name for name in names if default_storage.get_modified_time(name) < before]
    known: set[str] = set()
    for start in range(0, len(old), _AT_ONCE):
        known |= set(Attachment.objects.filter(stored_as__in=old[start : start + _AT_ONCE]).values_list("stored_as", flat=True))
    return [name for name in old if name not in known][:limit]


def keep_upload(stored: Stored, *, name: str, content_type: str, actor: Actor, now: datetime) -> Attachment:
    """The row of an upload that is not sent yet."""
    return Attachment.objects.create(
        token=secrets.token_urlsafe(32),
        name=name,
        stored_as=stored.stored_as,
        content_type=content_type,
        size=stored.size,
        sha256=stored.sha256,
        uploaded_by_id=actor.person,
        uploaded_at=now,
    )


def attach_stored(
    ticket: Ticket,
    files: Iterable[tuple[Stored, str, str]],
    *,
    comment: Comment | None,
    is_public: bool,
    person: int | None,
    now: datetime,
) -> list[int]:
    """Put files that are in the storage, (stored, name, content type), on a ticket or on one of its comments."""
    rows = [
        Attachment(
            ticket=ticket,
            comment=comment,
            token=secrets.token_urlsafe(32),
            name=name,
            stored_as=stored.stored_as,
            content_type=content_type,
            size=stored.size,
            sha256=stored.sha256,
            is_public=is_public,
            uploaded_by_id=person,
            uploaded_at=now,
        )
        for stored, name, content_type in files
    ]
    for row in rows:
        row.save(force_insert=True)
    return [row.pk for row in rows]


def attach(ticket: Ticket, tokens: Iterable[str], *, comment: Comment | None, is_public: bool, actor: Actor) -> list[int]:
    """Put the actor's own uploads on a ticket or on one of its comments. Raises Invalid when one is not theirs or is gone."""
    wanted = sorted(set(tokens))
    if not wanted:
        return []
    rows = Attachment.objects.filter(token__in=wanted, ticket__isnull=True, uploaded_by=actor.person)
    ids = sorted(rows.values_list("pk", flat=True))
    matched = rows.filter(pk__in=ids).update(ticket=ticket, comment=comment, is_public=is_public)
    if len(ids) != len(wanted) or matched != len(wanted) or actor.person is None:
        raise Invalid("A file is not there any more; attach it again.", field="attachments")
    return ids


def detach(attachment: Attachment) -> None:
    """Remove a file's row; its bytes are removed with `discard`."""
    attachment.delete()
