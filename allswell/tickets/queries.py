"""Reading tickets. Every list, counter, search and export starts from `visible_to`."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from allswell.database.rows import Prepared, PreparedModel
from allswell.kernel.actor import Actor, Grant, Role, ScopeKind
from allswell.people.models import Organization, Team
from allswell.people.rules import Act, TicketFacts, may

from .models import Attachment, Category, Comment, CustomField, Link, Ticket, TicketTag, Watcher
from .rules import LinkKind, State, WatcherKind

_READS = (Role.AGENT, Role.LEAD, Role.DUTY_MANAGER, Role.AUDITOR)


def _watching(person: int, *kinds: WatcherKind) -> Exists:
    return Exists(Watcher.objects.filter(ticket=OuterRef("pk"), person=person, kind__in=[kind.value for kind in kinds]))


def _by_role(actor: Actor) -> Q | None:
    """What the actor's reading roles cover; None when they hold none."""
    person = actor.person
    assert person is not None
    inside: Q = Q(is_restricted=False) | Q(assignee=person) | Q(_watching(person, WatcherKind.NAMED))
    if actor.teams:
        inside |= Q(team__in=sorted(actor.teams))
    covered: Q | None = None
    for grant in actor.grants:
        if grant.role not in _READS:
            continue
        reach = _reach(grant, person)
        if grant.role is not Role.AUDITOR:
            reach = inside if reach is None else reach & inside
        elif reach is None:
            return Q(pk__isnull=False)  # an auditor of the installation reads all
        covered = reach if covered is None else covered | reach
    return covered


def _reach(grant: Grant, person: int) -> Q | None:
    """The tickets a grant's scope covers; None: all."""
    if grant.scope is ScopeKind.INSTALLATION:
        return None
    if grant.scope is ScopeKind.ORGANIZATION:
        return Q(organization__in=sorted(grant.organizations))
    return Q(team=grant.team) | Q(assignee=person) | Q(_watching(person, WatcherKind.WATCHER))


def own(actor: Actor) -> QuerySet[Ticket]:
    """What the actor sees as a requester: what they asked for, and what they are in copy of."""
    if actor.person is None:
        return Ticket.objects.none()
    return Ticket.objects.filter(Q(requester=actor.person) | Q(_watching(actor.person, WatcherKind.PARTICIPANT)))


def at_the_desk(actor: Actor) -> QuerySet[Ticket]:
    """What the actor sees as somebody of the desk, notes included."""
    if actor.is_system:
        return Ticket.objects.all()
    if actor.person is None:
        return Ticket.objects.none()
    covered = _by_role(actor)
    return Ticket.objects.none() if covered is None else Ticket.objects.filter(covered)


_NO_ACTION = uuid.UUID(int=0)


def rights_of(actor: Actor) -> Actor:
    """The actor without what changes from request to request: who they are and what they may see, as a key of statements."""
    who = {"kind": actor.kind, "person": actor.person, "organization": actor.organization}
    return Actor(**who, grants=actor.grants, teams=actor.teams, action=_NO_ACTION)  # type: ignore[arg-type]


def visible_to(actor: Actor) -> QuerySet[Ticket]:
    """Every ticket the actor may see, in any part."""
    if actor.is_system:
        return Ticket.objects.all()
    if actor.person is None:
        return Ticket.objects.none()
    mine = Q(requester=actor.person) | Q(_watching(actor.person, WatcherKind.PARTICIPANT))
    covered = _by_role(actor)
    return Ticket.objects.filter(mine if covered is None else mine | covered)


def all_tickets() -> QuerySet[Ticket]:
    """Every ticket, whoever asks: for showing an actor what they just did, and for the program itself."""
    return Ticket.objects.all()


_TICKET = PreparedModel(Ticket, lambda number: Ticket.objects.filter(pk=number))
_ORGANIZATION = PreparedModel(Organization, lambda pk: Organization.objects.filter(pk=pk))
_TEAM = PreparedModel(Team, lambda pk: Team.objects.filter(pk=pk))


def for_mail(number: int) -> Ticket | None:
    """A ticket with who asked, its organization and its service, as a mail about it names them; no permission is asked."""
    return Ticket.objects.select_related("requester", "organization", "service").filter(pk=number).first()


def ticket(number: int, *, is_locked: bool = False) -> Ticket | None:
    """A ticket with what most use cases need; no permission is asked. `is_locked` lets nobody else write it until the end."""
    if is_locked and connection.features.has_select_for_update:
        rows = Ticket.objects.select_related("organization", "team").filter(pk=number)
        return rows.select_for_update(of=("self",), no_key=True).first()
    found: Ticket | None = _TICKET.record(number)
    if found is not None:
        if found.organization_id:
            found.organization = _ORGANIZATION.record(found.organization_id)
        if found.team_id:
            found.team = _TEAM.record(found.team_id)
    return found


_STANDING = (
    "kind", "state", "priority", "waiting_on", "service_id", "organization_id", "team_id", "requester_id", "restored_at",
    "merged_into_id", "opened_at", "next_due_at", "next_metric", "next_started_at", "queue_rank", "queue_at",
)  # fmt: skip


def standing(numbers: Sequence[int], *, is_locked: bool = False) -> list[Ticket]:
    """Tickets by number with what their clocks depend on and nothing else, in order; `is_locked` as for one."""
    rows = Ticket.objects.filter(pk__in=numbers).only(*_STANDING).order_by("pk")
    if is_locked and connection.features.has_select_for_update:
        rows = rows.select_for_update(no_key=True)
    return list(rows)


_TOLD = (
    "kind", "title", "state", "impact", "urgency", "priority", "version", "team_id", "assignee_id", "requester_id", "organization_id",
    "service_id", "is_restricted",
)  # fmt: skip


def told_of(numbers: Iterable[int]) -> dict[int, Ticket]:
    """Tickets by number with what a notice, a webhook and permission need of them and nothing else."""
    return Ticket.objects.only(*_TOLD).in_bulk(set(numbers))


def facts(ticket: Ticket, *, person: int | None) -> TicketFacts:
    """What permission depends on; of the watchers only `person` is looked up."""
    return facts_for(ticket, [] if person is None else [person])


#: people up to whose number a statement is composed once and kept
_FEW = 8
_KINDS = Prepared(
    lambda ticket, *persons: Watcher.objects.filter(ticket=ticket, person__in=persons).values_list("person_id", "kind")
)


def _kinds_of(ticket: int, persons: list[int]) -> Iterable[tuple[int, str]]:
    if len(persons) <= _FEW:
        return [(person, kind) for person, kind in _KINDS.rows(ticket, *persons)]
    return Watcher.objects.filter(ticket=ticket, person__in=persons).values_list("person_id", "kind")


def facts_for(ticket: Ticket, persons: Iterable[int]) -> TicketFacts:
    """What permission of these people depends on; of the watchers only they are looked up, in one statement."""
    wanted = list(persons)
    return _facts(ticket, _kinds_of(ticket.pk, wanted) if wanted else ())


def facts_for_many(tickets: Iterable[Ticket], persons: Iterable[int]) -> dict[int, TicketFacts]:
    """The same for many tickets: number -> facts, in one statement."""
    rows = {ticket.pk: ticket for ticket in tickets}
    kinds: dict[int, list[tuple[int, str]]] = {}
    wanted = set(persons)
    watching = Watcher.objects.filter(ticket__in=list(rows)).values_list("ticket_id", "person_id", "kind")
    for number, person, kind in watching:
        if person in wanted:
            kinds.setdefault(number, []).append((person, kind))
    return {number: _facts(ticket, kinds.get(number, ())) for number, ticket in rows.items()}


def _facts(ticket: Ticket, watching: Iterable[tuple[int, str]]) -> TicketFacts:
    by_kind: dict[str, set[int]] = {kind.value: set() for kind in WatcherKind}
    for person, kind in watching:
        by_kind[kind].add(person)
    return TicketFacts(
        organization=ticket.organization_id,
        team=ticket.team_id,
        requester=ticket.requester_id,
        assignee=ticket.assignee_id,
        is_restricted=ticket.is_restricted,
        participants=frozenset(by_kind[WatcherKind.PARTICIPANT.value]),
        watchers=frozenset(by_kind[WatcherKind.WATCHER.value]),
        named=frozenset(by_kind[WatcherKind.NAMED.value]),
    )


def may_see_internal(actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor sees the notes and the journal of this ticket, not only its public conversation."""
    return may(actor, Act.SEE_INTERNAL, facts(ticket, person=actor.person))


def comments(ticket: Ticket, *, internal: bool) -> QuerySet[Comment]:
    """The conversation, oldest first; notes only when `internal`."""
    rows = Comment.objects.filter(ticket=ticket).select_related("author").order_by("created_at", "id")
    return rows if internal else rows.filter(is_public=True)


def attachments(ticket: Ticket, *, internal: bool) -> QuerySet[Attachment]:
    """The files, oldest first; those of notes only when `internal`."""
    rows = Attachment.objects.filter(ticket=ticket).order_by("id")
    return rows if internal else rows.filter(is_public=True)


_WATCHERS = Prepared(lambda ticket, *kinds: Watcher.objects.filter(ticket=ticket, kind__in=kinds).values_list("person_id"))


def attachment_for(token: str, actor: Actor) -> Attachment | None:
    """A file by its token, if the actor may have it: what is on a note needs the notes, what is not sent is its uploader's."""
    found = Attachment.objects.select_related("ticket").filter(token=token).first()
    if found is None:
        return None
    if found.ticket is None:
        return found if actor.person is not None and found.uploaded_by_id == actor.person else None
    act = Act.SEE if found.is_public else Act.SEE_INTERNAL
    return found if may(actor, act, facts(found.ticket, person=actor.person)) else None


def content_of(attachment: Attachment) -> File[bytes]:
    """The bytes of a file, to be streamed and closed."""
    return default_storage.open(attachment.stored_as, "rb")


def unsent_uploads(*, before: datetime, limit: int) -> list[Attachment]:
    """Uploads older than `before` that were never sent, oldest first."""
    return list(Attachment.objects.filter(ticket__isnull=True, uploaded_at__lt=before).order_by("uploaded_at", "id")[:limit])


def watchers(ticket_id: int, kinds: Iterable[WatcherKind]) -> list[int]:
    """Ids of the people who watch a ticket in one of these ways."""
    return [person for (person,) in _WATCHERS.rows(ticket_id, *(kind.value for kind in kinds))]


def watched_by(person: int, numbers: Iterable[int], kind: WatcherKind) -> set[int]:
    """Which of these tickets a person watches in this way."""
    rows = Watcher.objects.filter(person=person, ticket__in=list(numbers), kind=kind.value)
    return set(rows.values_list("ticket_id", flat=True))


def asked_by(person: int, numbers: Iterable[int]) -> set[int]:
    """Which of these tickets a person asked for."""
    return set(Ticket.objects.filter(pk__in=list(numbers), requester=person).values_list("pk", flat=True))


def requesters_of_same(ticket_id: int) -> set[int]:
    """Who asked for the tickets that are children or duplicates of this one."""
    kinds = [LinkKind.CHILD_OF.value, LinkKind.DUPLICATE_OF.value]
    rows = Link.objects.filter(target=ticket_id, kind__in=kinds, source__requester__isnull=False)
    return set(rows.values_list("source__requester_id", flat=True))


def has_open(**where: int) -> bool:
    """Whether any open ticket, visible or not, has these columns: has_open(team=3)."""
    return Ticket.objects.filter(done_at__isnull=True, **where).exists()


def parent_of(number: int) -> int | None:
    """The number of a ticket's parent."""
    rows = Link.objects.filter(source=number, kind=LinkKind.CHILD_OF.value)
    return rows.values_list("target_id", flat=True).first()


def is_linked(source: int, target: int, kind: LinkKind) -> bool:
    """Whether "<source> is <kind> <target>" is said."""
    return Link.objects.filter(source=source, target=target, kind=kind.value).exists()


def links(number: int, actor: Actor) -> list[Link]:
    """The links of a ticket, both ways, oldest first, with both tickets; those to tickets the actor may not see are left out."""
    seen = visible_to(actor).values("pk")
    rows = Link.objects.filter(Q(source=number, target__in=seen) | Q(target=number, source__in=seen))
    return list(rows.select_related("source", "target").order_by("id"))


def due_to_close(*, now: datetime, limit: int) -> list[Ticket]:
    """Resolved tickets whose time to reopen is over, longest first, locked; what another engine holds is skipped."""
    rows = Ticket.objects.filter(closing_at__lte=now).order_by("closing_at", "pk")
    return list(rows.select_for_update(skip_locked=True, no_key=True)[:limit])


def due_to_resume(*, now: datetime, limit: int) -> list[Ticket]:
    """Waiting tickets whose wait is over, longest first, locked; what another engine holds is skipped."""
    rows = Ticket.objects.filter(waiting_until__lte=now, state=State.WAITING.value).order_by("waiting_until", "pk")
    return list(rows.select_for_update(skip_locked=True, no_key=True)[:limit])


def loads(persons: Iterable[int]) -> dict[int, int]:
    """Person id -> how many open tickets are theirs; people without any are left out."""
    rows = Ticket.objects.filter(assignee__in=list(persons), done_at__isnull=True).order_by()
    return dict(rows.values_list("assignee").annotate(Count("pk")))


def open_children(number: int) -> list[Ticket]:
    """The children of a ticket that are not done, by number, locked for writing."""
    rows = Ticket.objects.filter(links_out__target=number, links_out__kind=LinkKind.CHILD_OF.value, done_at__isnull=True)
    return list(rows.select_related("organization", "team").select_for_update(of=("self",), no_key=True).order_by("pk"))


def tags(ticket_id: int) -> list[str]:
    """The words on a ticket, in order of the alphabet."""
    return list(TicketTag.objects.filter(ticket=ticket_id).order_by("tag__name").values_list("tag__name", flat=True))


_TAGS = Prepared(
    lambda *tickets: TicketTag.objects.filter(ticket__in=tickets).order_by("tag__name").values_list("ticket_id", "tag__name")
)


def tags_of(numbers: Iterable[int]) -> dict[int, list[str]]:
    """The words on each of these tickets, in order of the alphabet; a ticket without any is missing."""
    found: dict[int, list[str]] = {}
    wanted = tuple(numbers)
    for number, name in _TAGS.rows(*wanted) if wanted else ():
        found.setdefault(number, []).append(name)
    return found


def hidden_from(actor: Actor, numbers: Iterable[int]) -> set[int]:
    """Which of these tickets the actor may not know of."""
    wanted = set(numbers)
    return wanted - set(visible_to(actor).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else wanted


def is_participant(ticket_id: int, person: int | None) -> bool:
    """Whether a person is in copy of a ticket."""
    rows = Watcher.objects.filter(ticket=ticket_id, person=person, kind=WatcherKind.PARTICIPANT.value)
    return person is not None and rows.exists()


def category(category_id: int) -> Category | None:
    """A category in use."""
    return Category.objects.filter(pk=category_id, is_active=True).first()


_FIELDS = PreparedModel(
    CustomField,
    lambda kind: CustomField.objects.filter(is_active=True, ticket_kind__in=["", kind]).order_by("position", "id"),
)


def custom_fields(kind: str) -> list[CustomField]:
    """The fields an installation adds to tickets of a kind, in their order."""
    return _FIELDS.records(kind)


def spoken(comment_ids: Iterable[int]) -> dict[int, Comment]:
    """Comments by id, as they stand now; no permission is asked. What was taken back is missing."""
    return Comment.objects.in_bulk(list(comment_ids))


def open_by_state(*, at_most: int) -> dict[str, int]:
    """State -> open tickets of the whole installation, counted up to `at_most` in all; for the operator's figures only."""
    rows = Ticket.objects.filter(done_at__isnull=True).order_by().values_list("state", flat=True)[:at_most]
    return dict(Counter(rows))


def is_time_up(now: datetime) -> bool:
    """Whether a ticket is to be closed or resumed by itself; looks at two small indexes, takes no lock."""
    return (
        Ticket.objects.filter(closing_at__lte=now).exists()
        or Ticket.objects.filter(waiting_until__lte=now, state=State.WAITING.value).exists()
    )


def worked_on(numbers: Collection[int]) -> set[int]:
    """Those of these tickets that somebody was given, or that did not end by themselves."""
    rows = Ticket.objects.filter(pk__in=numbers).exclude(assignee=None, resolution_code__in=("", "by_itself"))
    return set(rows.values_list("pk", flat=True))


def any_ticket() -> bool:
    """Whether there is any ticket at all."""
    return Ticket.objects.exists()
