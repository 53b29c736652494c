"""The proof of coverage: for every service and every minute ahead, whether the policy reaches somebody who is surely there.

Nothing is written. What an edit would open is the difference between the proof before it and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.oncall.queries import escalations
from allswell.oncall.queries.ahead import Ahead
from allswell.oncall.queries.escalations import Use
from allswell.oncall.rules import Version
from allswell.oncall.rules.covering import Lack, Proof, Stretch, Verdict
from allswell.oncall.rules.policies import Policy
from allswell.people.rules import INSTALLATION, Act, require
from allswell.services import queries as services

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.services.models import ConfigurationItem

#: weeks ahead, and minutes within which somebody is to be reached, when nothing is said
WEEKS, WITHIN = 4, 30
MOST_WEEKS, MOST_WITHIN = 12, 24 * 60
#: the longest a run may look ahead within the proof
_MARGIN = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Covered:
    """A service and how it is covered: the policy in force (None: none), where it lacks, where nobody is meant."""

    service: ConfigurationItem
    policy: Use | None
    gaps: tuple[Stretch, ...]
    off: tuple[Stretch, ...]

    @property
    def missing(self) -> timedelta:
        """How much of the time is not covered."""
        return sum((ends_at - starts_at for starts_at, ends_at in joined(self.gaps)), timedelta())


@dataclass(frozen=True, slots=True)
class Coverage:
    """The proof for a time; `names` of the people in it, `policies` by id."""

    since: datetime
    until: datetime
    within: int
    services: tuple[Covered, ...]
    names: dict[int, str] = field(default_factory=dict)

    @property
    def lacking(self) -> tuple[Covered, ...]:
        """The services with gaps, the soonest first."""
        found = [one for one in self.services if one.gaps]
        return tuple(sorted(found, key=lambda one: (min(gap.starts_at for gap in one.gaps), one.service.criticality)))


def joined(stretches: Iterable[Stretch]) -> list[tuple[datetime, datetime]]:
    """The times of some stretches, whatever they lack, in order and apart from one another."""
    found: list[tuple[datetime, datetime]] = []
    for one in sorted(stretches, key=lambda one: one.starts_at):
        if found and one.starts_at <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], one.ends_at))
        else:
            found.append((one.starts_at, one.ends_at))
    return found


@dataclass(frozen=True, slots=True)
class Edit:
    """What somebody is about to change: what policies say by id, the versions of rotas by id, leave by person."""

    policies: Mapping[int, Policy] = field(default_factory=dict)
    versions: Mapping[int, list[Version]] = field(default_factory=dict)
    leave: Mapping[int, Sequence[tuple[datetime, datetime]]] = field(default_factory=dict)


_NO_EDIT = Edit()


def coverage(*, actor: Actor, now: datetime, weeks: int = WEEKS, within: int = WITHIN, service: int | None = None) -> Coverage:
    """How the services are covered whose inside the actor knows, by name. Raises Invalid, NotAllowed."""
    require(actor, Act.SEE_DESK, INSTALLATION)
    known = services.known_inside(actor)
    return prove(known.filter(pk=service) if service is not None else known, now=now, weeks=weeks, within=within)


def prove(known: QuerySet[ConfigurationItem], *, now: datetime, weeks: int = WEEKS, within: int = WITHIN) -> Coverage:
    """How these services are covered, those that are in use. Raises Invalid."""
    since, until = _time(now, weeks, within)
    rows = list(known.filter(is_active=True).select_related("team").order_by("name", "id"))
    uses = escalations.in_force_everywhere()
    return proved(rows, uses, since, until, within)


def _time(now: datetime, weeks: int, within: int) -> tuple[datetime, datetime]:
    if not 1 <= weeks <= MOST_WEEKS:
        raise Invalid("Use a whole number from %(least)s to %(most)s.", field="weeks", least=1, most=MOST_WEEKS)
    if not 1 <= within <= MOST_WITHIN:
        raise Invalid("Use a whole number from %(least)s to %(most)s.", field="within", least=1, most=MOST_WITHIN)
    since = now.replace(second=0, microsecond=0)
    return since, since + timedelta(weeks=weeks)


def proved(
    rows: Sequence[ConfigurationItem],
    uses: escalations.InForceEverywhere,
    since: datetime,
    until: datetime,
    within: int = WITHIN,
    edit: Edit = _NO_EDIT,
) -> Coverage:
    """How these services are covered between two instants: every policy once, however many services follow it."""
    held = {row.pk: uses.of(service=row.pk, team=row.team_id) for row in rows}
    said = {use.policy: edit.policies.get(use.policy, use.definition) for use in held.values() if use is not None}
    ahead = Ahead(said.values(), since, until + _MARGIN, versions=edit.versions, leave=edit.leave)
    proof = Proof(ahead.world, ahead.reach, within=timedelta(minutes=within))
    by_policy = {pk: proof.stretches(definition, since, until) for pk, definition in said.items()}
    nothing = (Stretch(since, until, Verdict(Lack.NO_POLICY)),)
    found = []
    for row in rows:
        use = held[row.pk]
        stretches = by_policy[use.policy] if use is not None else nothing
        gaps = tuple(one for one in stretches if one.verdict.lack is not None)
        found.append(Covered(row, use, gaps, tuple(one for one in stretches if one.verdict.is_off)))
    return Coverage(since, until, within, tuple(found), ahead.names)


@dataclass(frozen=True, slots=True)
class Opened:
    """A service that an edit would leave without cover, and when."""

    service: ConfigurationItem
    spans: tuple[tuple[datetime, datetime], ...]


def what_opens(edit: Edit, *, actor: Actor, now: datetime, weeks: int = WEEKS, within: int = WITHIN) -> tuple[Opened, ...]:
    """Which services are covered now and would not be after an edit, and when; the soonest first."""
    since, until = _time(now, weeks, within)
    uses = escalations.in_force_everywhere()
    concerned = uses.touching(policies=edit.policies, rotas=edit.versions, everything=bool(edit.leave))
    if not concerned:
        return ()
    rows = [
        row
        for row in services.known_inside(actor).filter(is_active=True).order_by("name", "id")
        if (use := uses.of(service=row.pk, team=row.team_id)) is not None and use.policy in concerned
    ]
    if not rows:
        return ()
    before, after = (proved(rows, uses, since, until, within, one) for one in (_NO_EDIT, edit))
    return opened(before, after)


def opened(before: Coverage, after: Coverage) -> tuple[Opened, ...]:
    """Which services are covered before and not after, of two proofs of the same ones; the soonest first."""
    found = [
        Opened(now_covered.service, spans)
        for was, now_covered in zip(before.services, after.services, strict=True)
        if (spans := tuple(_without(joined(now_covered.gaps), joined(was.gaps))))
    ]
    return tuple(sorted(found, key=lambda one: one.spans[0]))


def _without(
    spans: Iterable[tuple[datetime, datetime]], taken: Sequence[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """What of some times is in none of the others; both in order."""
    found = []
    for starts_at, ends_at in spans:
        for begins, ends in taken:
            if ends <= starts_at or ends_at <= begins:
                continue
            if starts_at < begins:
                found.append((starts_at, begins))
            starts_at = max(starts_at, ends)
        if starts_at < ends_at:
            found.append((starts_at, ends_at))
    return found
