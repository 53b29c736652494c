"""Writing a batch of records: tickets, their history, comments, search documents, and which rows they came from."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from allswell.intake.models import ImportedEntry
from allswell.intake.queries import imported
from allswell.intake.rules import history
from allswell.intake.rules.records import Record, Said
from allswell.journal import bulk
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.search import operations as search
from allswell.tickets.models import Comment, Ticket
from allswell.tickets.rules import Kind

from .names import Names

OPENING = frozenset(history.OPENED.values())
_SKIPPED = ("id", "version", "external_source", "external_ref")


@dataclass(slots=True)
class Brought:
    """What a batch did. `incidents` are the numbers of new incidents, whose own facts the desk adds; `numbers` all its tickets."""

    created: int = 0
    changed: int = 0
    entries: int = 0
    unchanged: int = 0
    incidents: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Story:
    """One ticket of the batch: as it was, as it will be, and its rows in order."""

    ref: str
    records: list[Record]
    before: history.Columns | None
    teams: set[int]
    after: history.Columns | None = None
    happened: list[tuple[Record, history.Happening]] = field(default_factory=list)
    number: int = 0


def bring_in(
    records: list[Record], *, names: Names, source: str, is_history: bool, days: int, floor: int, actor: Actor, now: datetime
) -> Brought:
    """Write what is new in these records; rows that came in before are left alone.

    `floor` is the highest number when the import began: only older tickets count as changed.
    """
    known = imported.known(source, {record.digest for record in records})
    fresh: dict[str, Record] = {record.digest: record for record in records if record.digest not in known}
    brought = Brought(unchanged=len(records) - len(fresh))
    if not fresh:
        return brought
    names.prepare(list(fresh.values()), now=now)
    stories = _stories(list(fresh.values()), source=source)
    for story in stories:
        _fold(story, names=names, now=now, days=days, is_history=is_history)
    _write_new([story for story in stories if story.before is None], source=source, brought=brought)
    changed = [story for story in stories if story.before is not None]
    _write_changed(changed)
    brought.changed = sum(story.number <= floor for story in changed)
    brought.numbers = [story.number for story in stories]
    brought.entries = _write_entries(stories, names=names, source=source, actor=actor, now=now)
    return brought


def _stories(records: list[Record], *, source: str) -> list[_Story]:
    by_ref: dict[str, list[Record]] = {}
    for record in records:
        by_ref.setdefault(record.ref, []).append(record)
    before = imported.columns(source, by_ref)
    had = imported.teams_that_had(row["id"] for row in before.values())
    return [
        _Story(
            ref=ref,
            records=sorted(rows, key=lambda record: record.at),
            before=before.get(ref),
            teams=had.get(before[ref]["id"], set()) if ref in before else set(),
        )
        for ref, rows in by_ref.items()
    ]


def _fold(story: _Story, *, names: Names, now: datetime, days: int, is_history: bool) -> None:
    columns = story.before
    for record in story.records:
        row = history.shown(record, matrix=names.matrix(record), ids=names.ids(record))
        columns, happened = history.fold(columns, row, record, teams=story.teams, now=now, days=days, is_history=is_history)
        story.happened += [(record, one) for one in happened]
    story.after = columns


def _write_new(stories: list[_Story], *, source: str, brought: Brought) -> None:
    rows: list[history.Columns] = [
        {**(story.after or {}), "external_source": source, "external_ref": story.ref} for story in stories
    ]
    documents = []
    for story, row, number in zip(stories, rows, bulk.insert_columns(Ticket, rows), strict=True):
        story.number = number
        documents.append((number, f"{row['title']}\n{row['description']}"))
        if row["kind"] == Kind.INCIDENT:
            brought.incidents.append(number)
    search.create_many(documents)
    brought.created = len(stories)


def _write_changed(stories: list[_Story]) -> None:
    changed = []
    for story in stories:
        before, after = story.before or {}, story.after or {}
        story.number = before["id"]
        changes = {name: value for name, value in after.items() if name not in _SKIPPED and before.get(name) != value}
        if changes:
            changed.append((story.number, changes))
        if {"title", "description"} & changes.keys():
            search.add(story.number, public=f"{after['title']}\n{after['description']}")
    bulk.update_columns(Ticket, changed, counting="version")


def _write_entries(stories: list[_Story], *, names: Names, source: str, actor: Actor, now: datetime) -> int:
    """The journal of the batch, and which row each entry came from (of several the first)."""
    entries: list[history.Columns] = []
    origins: list[str] = []
    for story in stories:
        for record, happening in story.happened:
            who = names.person(record.people["by"])
            if who is None and happening.verb in OPENING:
                who = names.person(record.people["reporter"]) or names.person(record.people["requester"])
            is_same_act = bool(origins) and origins[-1] == record.digest
            entries.append(
                journal.columns(
                    happening.verb,
                    ticket=story.number,
                    actor=actor,
                    person=who,
                    action=entries[-1]["action"] if is_same_act else uuid.uuid4(),
                    happened_at=happening.happened_at,
                    now=now,
                    data=happening.data,
                )
            )
            origins.append(record.digest)
    for digest, entry in _write_comments(stories, names=names, source=source, actor=actor, now=now).items():
        entries.append(entry)
        origins.append(digest)
    first: dict[str, int] = {}
    for digest, key in zip(origins, journal.record_columns(entries), strict=True):
        first.setdefault(digest, key)
    rows = [{"source": source, "digest": digest, "entry_id": key} for digest, key in first.items()]
    bulk.insert_columns(ImportedEntry, rows)
    return len(entries)


def _write_comments(
    stories: list[_Story], *, names: Names, source: str, actor: Actor, now: datetime
) -> dict[str, history.Columns]:
    """The comments of the batch that are not there yet; {digest: entry to be written}."""
    found: dict[str, tuple[_Story, Record, Said]] = {}
    for story in stories:
        for record in story.records:
            for said in record.comments:
                whole = f"{source}\x1dcomment\x1d{story.ref}\x1d{said.body}"
                digest = hashlib.blake2b(whole.encode(), digest_size=20).hexdigest()
                found.setdefault(digest, (story, record, said))
    if not found:
        return {}
    known = imported.known(source, found)
    new = {digest: what for digest, what in found.items() if digest not in known}
    comments = Comment.objects.bulk_create(
        [
            Comment(
                ticket_id=story.number,
                author_id=names.person(said.by),
                is_public=said.is_public,
                body=said.body,
                channel=actor.channel.value,
                created_at=said.at or record.at,
            )
            for story, record, said in new.values()
        ],
        batch_size=300,
    )
    entries = {}
    for (digest, (story, record, said)), comment in zip(new.items(), comments, strict=True):
        search.add(story.number, **{"public" if said.is_public else "internal": said.body})
        verb = Verb.REPLIED if said.is_public else Verb.NOTED
        entries[digest] = journal.columns(
            verb,
            ticket=story.number,
            actor=actor,
            person=names.person(said.by),
            action=uuid.uuid4(),
            happened_at=said.at or record.at,
            now=now,
            data={"comment": comment.pk},
        )
    return entries
