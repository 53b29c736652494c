"""Files: uploaded first, then sent with a report, a reply or a note; served only to who may see where they hang."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotAllowed, NotFound
from allswell.people.rules import Act
from allswell.tickets import operations as tickets
from allswell.tickets import queries, rules

from . import steps
from .door import use_case
from .tickets.reporting import attach_to

if TYPE_CHECKING:
    from allswell.tickets.models import Attachment
    from allswell.tickets.operations.attaching import Stored

#: files removed in a round
_STRAYS = 500


def upload(stream: IO[bytes], *, name: str, content_type: str, actor: Actor, now: datetime) -> Attachment:
    """Take a file; its `token` is then given to `report`, `reply`, `note` or `attach` by the same person, within a day.

    The bytes are streamed to the storage before the transaction, which must not wait for them. Raises Invalid(field="file") for
    programs, for what is empty and for what is over the limit of the installation.
    """
    if actor.person is None:
        raise NotAllowed("Your role does not allow this.")
    shown = rules.file_name(name)
    stored = tickets.store(stream, limit=settings.MAX_UPLOAD_BYTES)
    try:
        return _keep(stored, name=shown, content_type=rules.content_type(content_type), actor=actor, now=now)
    except BaseException:
        tickets.discard(stored.stored_as)
        raise


@use_case
def _keep(stored: Stored, *, name: str, content_type: str, actor: Actor, now: datetime) -> Attachment:
    return tickets.keep_upload(stored, name=name, content_type=content_type, actor=actor, now=now)


@use_case
def attach(number: int, *, tokens: tuple[str, ...], is_public: bool = True, actor: Actor, now: datetime) -> None:
    """Put uploads on a ticket itself; what is not public needs (and is seen only with) the desk's rights."""
    ticket = steps.ticket_for(number, Act.SPEAK if is_public else Act.WORK, actor=actor)
    attach_to(ticket, tokens, is_public=is_public, actor=actor, now=now)
    tickets.change(ticket, now=now)


@use_case
def remove(token: str, *, actor: Actor, now: datetime) -> None:
    """Remove a file: an unsent upload by its uploader, a sent one by who works on the ticket. The journal keeps that it was."""
    found = queries.attachment_for(token, actor)
    if found is None:
        raise NotFound("There is no such file, or you may not see it.")
    if found.ticket is not None:
        ticket = steps.ticket_for(found.ticket.pk, Act.WORK, actor=actor)
        kept = {"attachment": found.pk, "sha256": found.sha256, "is_public": found.is_public}
        tickets.record(Verb.DETACHED, ticket, actor=actor, now=now, data=kept)
        tickets.change(ticket, now=now)
    _drop(found)


def _drop(attachment: Attachment) -> None:
    stored_as = attachment.stored_as
    tickets.detach(attachment)
    transaction.on_commit(partial(tickets.discard, stored_as))


@use_case
def forget_unsent_uploads(*, limit: int = 100, actor: Actor, now: datetime) -> int:
    """Throw away uploads that were not sent within a day; answers how many."""
    unsent = queries.unsent_uploads(before=now - rules.UPLOAD_LIVES, limit=limit)
    for attachment in unsent:
        _drop(attachment)
    return len(unsent)


def forget_strays(*, actor: Actor, now: datetime) -> int:
    """Remove files of the storage that no row knows, after 30 days: who wrote them was killed before the commit. Answers how many.

    One of its 256 folders is looked at in a minute, so that a large storage is gone through in some hours and no sweep is long. Files
    wait that long because a database that was put back from an old copy, for a while, knows none of the newer ones.
    """
    folder = f"{int(now.timestamp()) // 60 % 256:02x}"
    strays = tickets.strays(folder, before=now - rules.STRAY_LIVES, limit=_STRAYS)
    for name in strays:
        tickets.discard(name)
    return len(strays)
