"""The files of a mail: stored before the transaction that attaches them, which must not wait for a disk."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings

from allswell.intake.parsers.mail.files import Attachment
from allswell.kernel.errors import Invalid
from allswell.tickets import operations as tickets
from allswell.tickets import rules

if TYPE_CHECKING:
    from allswell.tickets.models import Comment, Ticket
    from allswell.tickets.operations.attaching import Stored

#: files of one mail that are attached; the mail itself stays
MOST = 100


@dataclass(slots=True)
class Files:
    """What was stored, (stored, name, content type), what may not be attached, and whether a ticket has them now."""

    stored: list[tuple[Stored, str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    is_used: bool = False

    def attach(self, ticket: Ticket, *, comment: Comment | None, is_public: bool, person: int | None, now: datetime) -> list[int]:
        """Put them on a ticket or on one of its comments."""
        if not self.stored:
            return []
        self.is_used = True
        return tickets.attach_stored(ticket, self.stored, comment=comment, is_public=is_public, person=person, now=now)

    def discard(self) -> None:
        """Nobody has them: remove them from the storage."""
        for stored, _, _ in self.stored:
            tickets.discard(stored.stored_as)
        self.stored = []


def store(attachments: Sequence[Attachment]) -> Files:
    """Store the files of a mail. Programs, and what is too large or empty, are refused by the rules of every upload, and named."""
    files = Files()
    for one in attachments[:MOST]:
        try:
            name = rules.file_name(one.name)
            stored = tickets.store(io.BytesIO(one.payload), limit=settings.MAX_UPLOAD_BYTES)
        except Invalid:
            files.refused.append(one.name)
            continue
        files.stored.append((stored, name, rules.content_type(one.content_type)))
    files.refused += [one.name for one in attachments[MOST:]]
    return files
