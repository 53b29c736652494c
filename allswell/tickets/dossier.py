"""Reading everything the desk's page of one ticket shows, in few statements."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast

from allswell.database.rows import Prepared, PreparedModel
from allswell.kernel.actor import Actor
from allswell.people import queries as people
from allswell.people.rules import TicketFacts
from allswell.services import queries as services

from . import queries
from .models import Attachment, Category, Comment, Draft, Link, Presence, Tag, Ticket, TicketTag, Watcher
from .queue import Row, rows
from .rules import WatcherKind

#: somebody whose page has not been heard of for this long is gone
PRESENT_FOR = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Companion:
    """A person who watches a ticket in some way."""

    person: int
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Another ticket and how it belongs here; `is_source` when this ticket is the source of the link."""

    kind: str
    is_source: bool
    row: Row


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody else who has the ticket open; `writing` is "", "reply" or "note"."""

    person: int
    name: str
    writing: str


def whole(number: int, *, actor: Actor) -> Ticket | None:
    """The ticket with everything its page names, if the actor sees it at the desk."""
    found: Ticket | None = _whole(queries.rights_of(actor)).record(number)
    return found


@functools.lru_cache(maxsize=512)
def _whole(rights: Actor) -> PreparedModel:
    names = ("organization", "team", "service", "assignee", "requester", "reporter", "category", "incident")
    return PreparedModel(Ticket, lambda number: queries.at_the_desk(rights).filter(pk=number), related=names)


_SAID = PreparedModel(
    Comment, lambda ticket: Comment.objects.filter(ticket=ticket).order_by("created_at", "id"), related=("author",)
)
_FILES = PreparedModel(Attachment, lambda ticket: Attachment.objects.filter(ticket=ticket).order_by("id"))


def conversation(number: int) -> list[Comment]:
    """Replies and notes, oldest first, with their authors; for those who see the ticket at the desk."""
    return _SAID.records(number)


def files(number: int) -> list[Attachment]:
    """All files of a ticket, those of notes too, oldest first; for those who see the ticket at the desk."""
    return _FILES.records(number)


def _part(rows: QuerySet[Any, Any], part: str, one: str, two: str, word: str, name: Any) -> QuerySet[Any, Any]:
    """A part of what `around` reads at once: its mark, a key to sort by, two ids and two words."""
    columns = {"part": Value(part), "one": F(one), "two": F(two), "word": F(word), "called": name}
    found: QuerySet[Any, Any] = rows.annotate(**columns).values_list("part", "pk", "one", "two", "word", "called")
    return found


def _around(ticket: int, person: int) -> QuerySet[Any, Any]:
    watchers, words = Watcher.objects.filter(ticket=ticket), TicketTag.objects.filter(ticket=ticket)
    drafts_ = Draft.objects.filter(ticket=ticket, person=person)
    fails = {"addresses__is_primary": True, "addresses__failing_since__isnull": False}
    asked = Ticket.objects.filter(pk=ticket, **{f"requester__{name}": value for name, value in fails.items()})
    in_copy = watchers.filter(kind=WatcherKind.PARTICIPANT, **{f"person__{name}": value for name, value in fails.items()})
    found: QuerySet[Any, Any] = _part(watchers, "companion", "person", "person", "kind", F("person__name")).union(
        _part(words, "tag", "tag", "tag", "tag__name", F("tag__name")),
        _part(Link.objects.filter(source=ticket), "link", "source", "target", "kind", F("kind")),
        _part(Link.objects.filter(target=ticket), "link", "source", "target", "kind", F("kind")),
        _part(asked, "failing", "requester", "requester", "kind", Cast("requester__addresses__failing_since", TextField())),
        _part(in_copy, "failing", "person", "person", "kind", Cast("person__addresses__failing_since", TextField())),
        _part(drafts_, "draft", "person", "person", "place", Cast("content", TextField())),
        all=True,
    )
    return found


_AROUND = Prepared(_around)


@dataclass(frozen=True, slots=True)
class Around:
    """What hangs on a ticket: who watches it, its tags by name, its links (kind, source, target) newest first, one's drafts.

    `failing`: who of those that answers go to gets no mail, since when.
    """

    companions: list[Companion]
    tags: list[str]
    pairs: list[tuple[str, int, int]]
    drafts: dict[str, dict[str, Any]]
    failing: dict[int, datetime]


def around(number: int, *, person: int | None) -> Around:
    """All of it in one statement; the drafts are the person's."""
    parts: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for part, *values in sorted(_AROUND.rows(number, person or 0)):
        parts[part].append(tuple(values))
    return Around(
        companions=[Companion(one, called, word) for _, one, _, word, called in parts["companion"]],
        tags=sorted(word for *_, word, _ in parts["tag"]),
        pairs=[(word, source, target) for _, source, target, word, _ in reversed(parts["link"])][:100],
        drafts={place: json.loads(content) for *_, place, content in parts["draft"]},
        failing={one: _instant(since) for _, one, _, _, since in parts["failing"]},
    )


def _instant(said: str) -> datetime:
    """An instant as either database writes it out."""
    found = datetime.fromisoformat(said)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


_COMPANIONS = Prepared(
    lambda ticket: Watcher.objects.filter(ticket=ticket).order_by("since", "id").values_list("person_id", "person__name", "kind")
)


def companions(ticket: Ticket) -> list[Companion]:
    """Everybody who watches, is in copy, is affected or named."""
    return [Companion(*values) for values in _COMPANIONS.rows(ticket.pk)]


def facts_of(ticket: Ticket, around: list[Companion]) -> TicketFacts:
    """What permission depends on, without asking the database again."""

    def those(kind: WatcherKind) -> frozenset[int]:
        return frozenset(one.person for one in around if one.kind == kind)

    return TicketFacts(
        organization=ticket.organization_id,
        team=ticket.team_id,
        requester=ticket.requester_id,
        assignee=ticket.assignee_id,
        is_restricted=ticket.is_restricted,
        participants=those(WatcherKind.PARTICIPANT),
        watchers=those(WatcherKind.WATCHER),
        named=those(WatcherKind.NAMED),
    )


_DRAFTS = Prepared(lambda person, ticket: Draft.objects.filter(person=person, ticket=ticket).values_list("place", "content"))


def links(number: int, pairs: list[tuple[str, int, int]], *, actor: Actor) -> list[Linked]:
    """The linked tickets the actor may see, newest link first; `pairs` are those of `Around`."""
    if not pairs:
        return []
    others = {target if source == number else source for _kind, source, target in pairs}
    seen, _more = rows(queries.at_the_desk(actor).filter(pk__in=others), is_by_age=True, limit=100)
    found = {row.id: row for row in seen}
    made = []
    for kind, source, target in pairs:
        is_source = source == number
        row = found.get(target if is_source else source)
        if row is not None:
            made.append(Linked(kind, is_source, row))
    return made


def visitors(number: int, *, but: int | None, now: datetime) -> list[Visitor]:
    """Who else has the ticket open now; those who write first."""
    present = Presence.objects.filter(ticket=number, seen_at__gt=now - PRESENT_FOR).exclude(person=but)
    return [
        Visitor(*values)
        for values in present.order_by("-writing", "seen_at").values_list("person_id", "person__name", "writing")[:10]
    ]


def drafts(ticket: int | None, *, person: int | None) -> dict[str, dict[str, Any]]:
    """What the person was writing, by place ("reply", "note", "new")."""
    if ticket is not None and person is not None:
        return dict(_DRAFTS.rows(person, ticket))
    kept = Draft.objects.filter(person=person, ticket=ticket)
    return dict(kept.values_list("place", "content"))


def categories() -> QuerySet[Category]:
    """All categories."""
    return Category.objects.all()


def names(wanted: Mapping[str, Iterable[int]]) -> dict[str, dict[int, str]]:
    """Names of what entries point to, in one statement: {"person": [ids]} becomes {"person": {id: name}}; of tickets, the kind."""
    sources: dict[str, QuerySet[Any, Any]] = {
        "person": people.people(),
        "team": people.teams(),
        "service": services.services(),
        "tag": Tag.objects.all(),
        "category": categories(),
        "ticket": Ticket.objects.all(),
    }
    asked = [
        sources[kind]
        .filter(pk__in=sorted(ids))
        .annotate(named=Value(kind))
        .values_list("named", "pk", "kind" if kind == "ticket" else "name")
        for kind, ids in wanted.items()
        if ids
    ]
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for kind, pk, name in asked[0].union(*asked[1:], all=True) if asked else ():
        found[kind][pk] = name
    return found
