"""What holds for every ticket: kinds, states, priority, moves. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from allswell.kernel import text
from allswell.kernel.errors import Conflict, Invalid


class Kind(StrEnum):
    """What a ticket is. An incident is an unplanned interruption or reduction; a request asks for something agreed."""

    INCIDENT = "incident"
    REQUEST = "request"


PREFIX: Mapping[Kind, str] = {Kind.INCIDENT: "INC", Kind.REQUEST: "REQ"}


class State(StrEnum):
    """Where a ticket is in its life; nothing else (escalated, breached, assigned are never states)."""

    NEW = "new"
    APPROVING = "approving"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    RESOLVED = "resolved"
    FULFILLED = "fulfilled"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class WaitingOn(StrEnum):
    """What a waiting ticket waits for."""

    REQUESTER = "requester"
    SUPPLIER = "supplier"
    CHANGE = "change"


class LinkKind(StrEnum):
    """How two tickets belong together; read "<from> is <kind> <to>"."""

    DUPLICATE_OF = "duplicate_of"
    CHILD_OF = "child_of"
    CAUSED_BY = "caused_by"
    RELATED = "related"
    FOLLOW_UP_OF = "follow_up_of"
    SPLIT_FROM = "split_from"


class WatcherKind(StrEnum):
    """Why a person is told. Participants see the public conversation; affected people get announcements only."""

    WATCHER = "watcher"  # an agent who follows
    PARTICIPANT = "participant"  # in copy: sees and speaks like the requester
    AFFECTED = "affected"  # "same for me"
    NAMED = "named"  # may see a restricted ticket


class Move(StrEnum):
    """The verbs that move a ticket along its lifecycle."""

    ACKNOWLEDGE = "acknowledge"
    WAIT = "wait"
    RESUME = "resume"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    CLOSE = "close"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A practice's states as data: move -> (states it may start from, state it ends in)."""

    kind: Kind
    moves: Mapping[Move, tuple[frozenset[State], State]]

    def allowed(self, state: State) -> tuple[Move, ...]:
        """The moves possible from a state."""
        return tuple(move for move, (start, _) in self.moves.items() if state in start)

    def after(self, state: State, move: Move) -> State:
        """The state after a move. Raises Conflict when it is not possible from here."""
        start, end = self.moves[move]
        if state not in start:
            raise Conflict("This cannot be done while the ticket is %(state)s.", state=state.value.replace("_", " "))
        return end


RESOLVED_STATES = frozenset({State.RESOLVED, State.FULFILLED})
DONE_STATES = frozenset({State.RESOLVED, State.FULFILLED, State.CLOSED, State.CANCELLED, State.REJECTED})

#: nothing leads out of these
FINAL_STATES = frozenset({State.CLOSED, State.CANCELLED, State.REJECTED})

CODES: tuple[str, ...] = (
    "fixed",
    "workaround",
    "explained",
    "no_fault_found",
    "by_requester",
    "by_supplier",
    "by_itself",
    "duplicate",
    "not_possible",
)
CANCEL_REASONS: tuple[str, ...] = ("duplicate", "withdrawn", "mistake", "not_ours", "merged")

#: Reference of a new installation's first ticket, for looks: INC-1001.
FIRST_NUMBER = 1001


def reference(kind: str, number: int) -> str:
    """How people call a ticket: INC-1042."""
    return f"{PREFIX[Kind(kind)]}-{number}"


def discreet(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a webhook is told of a restricted ticket: its number, how urgent it is and how it stands, not what or whom it is about."""
    told = content["data"]["ticket"]
    kept = {name: told[name] for name in ("number", "reference", "url", "kind", "state", "priority", "version", "team")}
    ticket = {**kept, "title": told["reference"], "is_restricted": True}
    return {**content, "data": {**content["data"], "ticket": ticket}}


@dataclass(frozen=True, slots=True)
class Matrix:
    """Impact x urgency -> priority. `rows[impact - 1][urgency - 1]` is the priority; any number of levels, P1 highest."""

    rows: tuple[tuple[int, ...], ...]

    @classmethod
    def parse(cls, rows: Sequence[Sequence[int]] | None) -> Matrix:
        """A matrix from stored JSON; None gives the default. Raises Invalid."""
        if rows is None:
            return DEFAULT_MATRIX
        try:
            table = tuple(tuple(row) for row in rows)
        except TypeError:
            table = ()
        if not table or not table[0] or len({len(row) for row in table}) != 1:
            raise Invalid("The matrix needs a priority for every impact and urgency.", field="priority_matrix")
        if any(not isinstance(cell, int) or not 1 <= cell <= 5 for row in table for cell in row):
            raise Invalid("Priorities are whole numbers from 1 to 5.", field="priority_matrix")
        return cls(table)

    def priority(self, impact: int, urgency: int) -> int:
        """The priority; levels beyond the matrix count as its last (lowest) level. Raises Invalid below 1."""
        if impact < 1:
            raise Invalid("Impact is a number from 1 (highest) to 4.", field="impact")
        if urgency < 1:
            raise Invalid("Urgency is a number from 1 (highest) to 4.", field="urgency")
        row = self.rows[min(impact, len(self.rows)) - 1]
        return row[min(urgency, len(row)) - 1]


#: min(5, impact + urgency - 1): 1/1 is P1, 1/2 and 2/1 P2 and so on (glossary, "Priority").
DEFAULT_MATRIX = Matrix(tuple(tuple(min(5, impact + urgency - 1) for urgency in range(1, 5)) for impact in range(1, 5)))

PROMISED_RANK = 0
WAITING_RANK = 10


def queue_place(state: str, priority: int, *, next_due_at: datetime | None, opened_at: datetime) -> tuple[int, datetime]:
    """(`queue_rank`, `queue_at`), the order of attention.

    First what a clock runs for, by the next promise; then what nothing is promised for, by priority and age; last what waits with
    its clocks stopped (10 more).
    """
    if next_due_at is not None:
        return PROMISED_RANK, next_due_at
    return priority + (WAITING_RANK if state == State.WAITING else 0), opened_at


# -- time ----------------------------------------------------------------------------------------------------------------------

#: seconds a notice of an act is held back, so that undoing it in time leaves nobody misinformed
HOLD_SECONDS = 6
UNDO_SECONDS = 60
RETRACT_SECONDS = 10
DEFAULT_CLOSES_AFTER_DAYS = 5
DEFAULT_REOPENS_WITHIN_DAYS = 14


def past(instant: datetime | None, *, now: datetime, field: str) -> datetime | None:
    """An instant that lies in the past, at most 50 years. Raises Invalid."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise Invalid("Say the time zone of this time.", field=field)
    if instant > now + timedelta(minutes=5):
        raise Invalid("This is in the future.", field=field)
    if instant < now - timedelta(days=50 * 366):
        raise Invalid("This is too long ago.", field=field)
    return instant


# -- saved views ---------------------------------------------------------------------------------------------------------------

_STATES = frozenset({"open", "done", "any", *(state.value for state in State)})
_KINDS = frozenset(kind.value for kind in Kind)
_NAMED = frozenset({"service", "team", "organization", "category"})


#: names of the views everybody at the desk has
BUILT_IN_VIEWS = frozenset({"mine", "triage", "waiting", "watching", "all"})


def view_filters(given: Mapping[str, str]) -> dict[str, str]:
    """The filters of a saved view, checked; empty ones are left out.

    `state` is a state, open, done or any; `assignee` an id, me or none; service, team, organization and category are slugs;
    `tag` and `q` are words. Raises Invalid naming the filter.
    """
    kept: dict[str, str] = {}
    for name, value in given.items():
        value = text.line(str(value), field=name, limit=200, required=False)
        if not value:
            continue
        fits = {
            "state": value in _STATES,
            "kind": value in _KINDS,
            "priority": value in {"1", "2", "3", "4", "5"},
            "assignee": value in ("me", "none") or (value.isascii() and value.isdigit() and len(value) < 16),
            "tag": True,
            "q": True,
        }
        if not fits.get(name, name in _NAMED and bool(re.fullmatch(r"[-\w]{1,60}", value))):
            raise Invalid("There is no such filter.", field=name)
        kept[name] = value
    return kept


# -- whose turn it is ----------------------------------------------------------------------------------------------------------


def next_in_turn(persons: Sequence[int], *, last: int | None) -> int | None:
    """Who follows `last` in the order of ids, round and round; None where there is nobody."""
    ordered = sorted(persons)
    if not ordered:
        return None
    return next((person for person in ordered if last is not None and person > last), ordered[0])


def least_loaded(persons: Sequence[int], *, loads: Mapping[int, int], last: int | None) -> int | None:
    """Who has the fewest open tickets; among equals whose turn it is. None where there is nobody."""
    if not persons:
        return None
    fewest = min(loads.get(person, 0) for person in persons)
    return next_in_turn([person for person in persons if loads.get(person, 0) == fewest], last=last)


# -- custom fields -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CustomRule:
    """What a custom field takes. `kind` is text, number, date, boolean or choice."""

    key: str
    kind: str
    choices: tuple[str, ...] = ()
    is_required: bool = False


def _custom_value(rule: CustomRule, value: Any) -> Any:
    field = f"custom.{rule.key}"
    if rule.kind == "boolean":
        if not isinstance(value, bool):
            raise Invalid("Use true or false.", field=field)
        return value
    if rule.kind == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
            raise Invalid("Use a number.", field=field)
        return value
    if not isinstance(value, str):
        raise Invalid("Use a text.", field=field)
    if rule.kind == "date":
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise Invalid("Use a date such as 2026-11-23.", field=field) from None
    value = text.prose(value, field=field, limit=1000)
    if rule.kind == "choice" and value not in rule.choices:
        raise Invalid("Choose one of the list.", field=field)
    return value


def custom_values(rules: Sequence[CustomRule], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of custom fields, checked; what is empty is left out. Raises Invalid naming `custom.<key>`."""
    known = {rule.key: rule for rule in rules}
    if unknown := values.keys() - known.keys():
        raise Invalid("There is no such field.", field=f"custom.{min(unknown)}")
    checked = {key: _custom_value(known[key], value) for key, value in values.items() if value is not None and value != ""}
    for rule in rules:
        if rule.is_required and rule.key not in checked:
            raise Invalid("This is needed.", field=f"custom.{rule.key}")
    return checked


# -- files ---------------------------------------------------------------------------------------------------------------------

_PROGRAMS = frozenset(
    """
    apk app bat bin cmd com cpl deb dll dmg elf exe gadget hta inf ins iso jar js jse lnk msc msi msix msp mst ocx pif pkg ps1 psm1
    reg rpm scf scr sct shb sys url vb vbe vbs vhd vxd wsc wsf wsh xll
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_TYPES = frozenset(
    """
    application/gzip application/json application/msword application/pdf application/rtf application/vnd.ms-excel
    application/vnd.ms-outlook application/vnd.ms-powerpoint application/vnd.oasis.opendocument.presentation
    application/vnd.oasis.opendocument.spreadsheet application/vnd.oasis.opendocument.text
    application/vnd.openxmlformats-officedocument.presentationml.presentation
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
    application/vnd.openxmlformats-officedocument.wordprocessingml.document application/xml application/zip audio/mpeg
    audio/ogg audio/wav image/bmp image/gif image/heic image/jpeg image/png image/tiff image/webp message/rfc822 text/csv
    text/markdown text/plain text/x-log video/mp4 video/quicktime video/webm
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
UNKNOWN_TYPE = "application/octet-stream"
UPLOAD_LIVES = timedelta(days=1)
#: a file that no row knows is removed after this long
STRAY_LIVES = timedelta(days=30)


def file_name(name: str) -> str:
    """A file's name as it is shown and downloaded: no folders, no invisible or direction marks, at most 200 characters.

    Raises Invalid for what a computer would run.
    """
    bare = text.clean(name).replace("\\", "/").rsplit("/", 1)[-1]
    bare = "".join(mark for mark in bare if unicodedata.category(mark) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
    bare = " ".join(bare.split()).strip(" .") or "file"
    stem, dot, ending = bare.rpartition(".")
    if dot and ending.lower() in _PROGRAMS:
        raise Invalid("Programs cannot be attached.", field="file")
    if len(bare) > 200:
        ending = ending[:20] if dot else ""
        bare = f"{(stem or bare)[: 199 - len(ending)]}.{ending}" if ending else bare[:200]
    return bare


def content_type(claimed: str) -> str:
    """The content type a file is served with: what was claimed if it is harmless, else "some bytes"."""
    bare = claimed.split(";", 1)[0].strip().lower()
    return bare if bare in _TYPES else UNKNOWN_TYPE


def is_program(beginning: bytes) -> bool:
    """Whether a file's first bytes are those of a Windows, Linux or macOS program."""
    return beginning.startswith((b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"))
