"""Words at the beginning of a mail by which somebody of the desk acts on a ticket: #resolve, #note, #assign me, #ack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from allswell.desk import paging
from allswell.desk.door import attempt, body_of
from allswell.desk.tickets import moving, talking, working
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, DeskError

if TYPE_CHECKING:
    from allswell.tickets.models import Comment, Ticket

_COMMAND = re.compile(r"\\?#(resolve|note|assign me|ack)\b[ \t]*[.!]?[ \t]*$", re.IGNORECASE)
#: lines at the beginning in which commands are looked for; the first other text ends them
_LINES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """The commands a mail begins with, and the words after them."""

    commands: tuple[str, ...]
    words: str


def asked(said: str) -> Asked:
    """The commands at the beginning of what somebody wrote: each alone on its line."""
    lines = said.split("\n")
    found: list[str] = []
    at = 0
    while at < len(lines) and at < _LINES:
        if lines[at].strip():
            command = _COMMAND.match(lines[at].strip())
            if command is None:
                break
            found.append(command.group(1).lower())
        at += 1
    return Asked(tuple(dict.fromkeys(found)), "\n".join(lines[at:]).strip()) if found else Asked((), said)


@dataclass(frozen=True, slots=True)
class Done:
    """What the commands did: the comment their words became, and (command, why not) of those that could not be done."""

    comment: Comment | None
    failed: tuple[tuple[str, str], ...]


def do(ticket: Ticket, what: Asked, *, actor: Actor, now: datetime) -> Done:
    """Do what was asked, with the rights of who asked. Words become the resolution, a note or a public reply."""
    written, failed = None, []
    is_note = "note" in what.commands
    for command in what.commands:
        try:
            with attempt():
                if command == "ack":
                    _acknowledge(ticket, actor=actor, now=now)
                elif command == "assign me":
                    body_of(working.take)(ticket.pk, actor=actor, now=now)
                elif command == "resolve":
                    resolution = "" if is_note else what.words
                    body_of(moving.resolve)(ticket.pk, resolution=resolution, actor=actor, now=now)
        except DeskError as error:
            failed.append((command, str(error)))
    is_said = bool(what.words) and ("resolve" not in what.commands or is_note or any(name == "resolve" for name, _ in failed))
    if is_said:
        say = talking.note if is_note else talking.reply
        try:
            with attempt():
                written = body_of(say)(ticket.pk, body=what.words, actor=actor, now=now)
        except DeskError as error:
            failed.append(("reply", str(error)))
            written = body_of(talking.note)(ticket.pk, body=what.words, actor=actor, now=now)
    return Done(written, tuple(failed))


def _acknowledge(ticket: Ticket, *, actor: Actor, now: datetime) -> None:
    """Answer what calls for the ticket, whoever has it; where nothing does, take it. Raises DeskError."""
    try:
        with attempt():
            body_of(paging.acknowledge)(ticket.pk, actor=actor, now=now)
    except Conflict:
        body_of(working.take)(ticket.pk, actor=actor, now=now)
