"""Making what holds here what a document says, or saying what that would change: all of it, or nothing when a part cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from allswell.desk import planning
from allswell.desk.door import attempt, use_case
from allswell.desk.policies import checked as checked_policy
from allswell.desk.policies import policy_for
from allswell.desk.rotas import callable_person, checked, rota_for, team_for_rotas
from allswell.desk.shifts import require_leave, span
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid
from allswell.oncall import operations as rotas
from allswell.oncall import queries
from allswell.oncall.operations import escalations as writing
from allswell.oncall.queries import escalations
from allswell.oncall.rules import Version
from allswell.oncall.rules.policies import Policy, TargetKind
from allswell.services import queries as services

from .names import NEW, Inwards
from .reaching import bring as bring_reach
from .reaching import read_reach
from .reading import placed, read, said_in, slugs_in
from .said import LeaveSaid, OverrideSaid, PolicySaid, RotaSaid, WatchSaid
from .saying import EVER, policies_said, rota_said, said_here

if TYPE_CHECKING:
    from allswell.oncall.models import EscalationPolicy, Rota


@dataclass(slots=True)
class Line:
    """What becomes of one thing; `outcome` is added, changed, unchanged, left (it is here, and the document does not name it) or
    lacking (a way without an address that is not here).

    `parts` are what changes of it, `moves` how many times change hands by it.
    """

    outcome: str
    kind: str
    name: str
    parts: list[str] = field(default_factory=list)
    moves: int = 0


class _TakenBack(Exception):
    """A trial is over."""


@use_case
def bring_in(raw: bytes, *, actor: Actor, now: datetime, is_trial: bool = False) -> list[Line]:
    """Make the rotas and policies a document names what it says; those it does not name stay. Those whose shifts move are told.

    With `is_trial` everything is taken back at the end. Raises Invalid (the place in the document as the field), Conflict, NotFound,
    NotAllowed; then nothing has changed.
    """
    document = read(raw)
    names = Inwards(slugs_in(document))
    asked = replace(said_in(document, names, now=now), contacts=read_reach(document, names))
    lines: list[Line] = []
    try:
        with attempt():
            lines = _Bringing(document, asked, names, actor=actor, now=now).done()
            if is_trial:
                raise _TakenBack
    except _TakenBack:
        pass
    return lines


class _Bringing:
    """One document on its way in."""

    def __init__(self, document: Mapping[str, Any], asked: WatchSaid, names: Inwards, *, actor: Actor, now: datetime) -> None:
        self.asked, self.names, self.actor, self.now = asked, names, actor, now
        self.places = {kind: _places(document, kind) for kind in ("rotas", "policies")}
        self.lines: list[Line] = []
        self.resting: list[Rota] = []  # taken out of use when the policies stand: what is out of use cannot be named newly

    def done(self) -> list[Line]:
        self._hold()
        self._leave(self.asked.leave or ())
        written = [row for one in self.asked.rotas if (row := self._rota(one)) is not None]
        made = dict(queries.rotas().filter(slug__in=list(self.names.new_rotas)).values_list("slug", "pk"))
        real = {number: made[slug] for slug, number in self.names.new_rotas.items() if slug in made}
        for policy in self.asked.policies:
            self._policy(policy, real)
        for row in self.resting:
            rotas.set_active(row, is_active=False, actor=self.actor, now=self.now)
        for row, moves in planning.replan(written, actor=self.actor, now=self.now):
            next(line for line in self.lines if (line.kind, line.name) == ("rota", row.slug)).moves = len(moves)
        if self.asked.contacts is not None:
            bring_reach(self.asked.contacts, self._note, actor=self.actor, now=self.now)
        self._left()
        return self.lines

    def _hold(self) -> None:
        """First people, then rotas, as whoever writes leave does."""
        resting = {one.person for one in self.asked.leave or ()}
        rotas.hold_people(resting | {person for one in self.asked.rotas for person in one.people})
        known = queries.rotas().filter(slug__in=[one.slug for one in self.asked.rotas]).values_list("pk", flat=True)
        rotas.hold({*known, *(row.pk for person in resting for row in queries.rotas_of(person))})

    def _note(self, outcome: str, kind: str, name: str, parts: Iterable[str] = ()) -> None:
        self.lines.append(Line(outcome, kind, name, list(parts)))

    # rotas

    def _rota(self, one: RotaSaid) -> Rota | None:
        """The rota when its shifts are to be written anew."""
        with placed(self.places["rotas"][one.slug]):
            known = queries.rotas().filter(slug=one.slug).values_list("pk", flat=True).first()
            if known is not None:
                return self._changed_rota(rota_for(known, actor=self.actor, to_edit=True), one)
            with placed("team"):
                team = team_for_rotas(one.team, actor=self.actor)
            row = rotas.create(name=one.name, slug=one.slug, team=team.pk, actor=self.actor, now=self.now)
            self._note("added", "rota", one.slug)
            self._versions(row, one, [])
            self._overrides(row, (), one.overrides or ())
            self.resting += [] if one.is_active else [row]
            return row

    def _changed_rota(self, row: Rota, one: RotaSaid) -> Rota | None:
        known = queries.versions_of([row.pk])[row.pk]
        here = rota_said(row, known, queries.overrides(row.pk, since=self.now, until=EVER), now=self.now)
        if here.team != one.team:
            raise Conflict("%(name)s is another team's here.", field="team", name=one.slug)
        parts = [name for name in ("name", "is_active", "versions") if getattr(here, name) != getattr(one, name)]
        parts += ["overrides"] if one.overrides is not None and here.overrides != one.overrides else []
        self._note("changed" if parts else "unchanged", "rota", one.slug, parts)
        if "name" in parts:
            rotas.rename(row, one.name, actor=self.actor, now=self.now)
        if "versions" in parts:
            if here.versions and here.versions[0][0] is None and one.versions[0][0] is not None:
                raise Invalid("This rota holds already: say what holds now, too, without effective_at.", field="versions.0")
            self._versions(row, one, known)
        if "is_active" in parts and one.is_active:
            rotas.set_active(row, is_active=True, actor=self.actor, now=self.now)
        elif "is_active" in parts:
            self.resting.append(row)
        if "overrides" in parts:
            self._overrides(row, here.overrides or (), one.overrides or ())
        return row if set(parts) - {"name"} else None

    def _versions(self, row: Rota, one: RotaSaid, known: list[Version]) -> None:
        known = list(known)
        for place, (since, said) in enumerate(one.versions):
            with placed(f"versions.{place}.definition"):
                asked = checked(said, known, actor=self.actor)
            effective_at = since or self.now
            rotas.add_version(row, asked, effective_at=effective_at, note="", actor=self.actor, now=self.now)
            known.append(Version(row.number, effective_at, asked))
        rotas.name_people(row, known, now=self.now)

    def _overrides(self, row: Rota, here: Sequence[OverrideSaid], asked: Sequence[OverrideSaid]) -> None:
        """Those made last outweigh the others: what stands first in both stays, the rest is made anew."""
        same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(here, asked, strict=False))))
        rows = sorted(queries.overrides(row.pk, since=self.now, until=EVER), key=lambda made: made.pk)
        for made in rows[same:]:
            rotas.cancel_override(made, actor=self.actor, now=self.now)
        for place, one in enumerate(asked[same:], same):
            with placed(f"overrides.{place}"):
                starts_at, ends_at = span(one.starts_at or self.now, one.ends_at, now=self.now)
                if not 1 <= one.level <= row.levels:
                    raise Invalid("Levels go from 1 to %(limit)s.", field="level", limit=row.levels)
                if one.person is not None and one.person == one.instead_of:
                    raise Invalid("Choose somebody else.", field="person")
                rotas.add_override(
                    row,
                    level=one.level,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    person=callable_person(one.person, field="person", actor=self.actor),
                    instead_of=one.instead_of,
                    reason=one.reason,
                    actor=self.actor,
                    now=self.now,
                )

    # policies

    def _policy(self, one: PolicySaid, real: Mapping[int, int]) -> None:
        """A policy; `real` are the numbers of the rotas that came with the document."""
        one = replace(one, definition=_with_rotas(one.definition, real))
        with placed(self.places["policies"][one.slug]):
            known = escalations.policies().filter(slug=one.slug).values_list("pk", flat=True).first()
            if known is None:
                with placed("team"):
                    team = team_for_rotas(one.team, actor=self.actor)
                said = self._checked(one.definition, None)
                row = writing.create_policy(name=one.name, slug=one.slug, team=team.pk, actor=self.actor, now=self.now)
                writing.add_policy_version(row, said, note="", actor=self.actor, now=self.now)
                writing.set_policy_active(row, is_active=one.is_active, actor=self.actor, now=self.now)
                self._note("added", "policy", one.slug)
                self._uses(row, (), one.services, "service")
                self._uses(row, (), one.teams, "team")
                return
            self._changed_policy(policy_for(known, actor=self.actor, to_edit=True), one)

    def _changed_policy(self, row: EscalationPolicy, one: PolicySaid) -> None:
        (here,) = policies_said(escalations.policies().filter(pk=row.pk))
        if here.team != one.team:
            raise Conflict("%(name)s is another team's here.", field="team", name=one.slug)
        parts = [
            name for name in ("name", "is_active", "definition", "services", "teams") if getattr(here, name) != getattr(one, name)
        ]
        self._note("changed" if parts else "unchanged", "policy", one.slug, parts)
        writing.change_policy(row, {"name": one.name}, actor=self.actor, now=self.now)
        if "definition" in parts:
            said = self._checked(one.definition, here.definition)
            writing.add_policy_version(row, said, note="", actor=self.actor, now=self.now)
        writing.set_policy_active(row, is_active=one.is_active, actor=self.actor, now=self.now)
        self._uses(row, here.services, one.services, "service")
        self._uses(row, here.teams, one.teams, "team")

    def _checked(self, said: Policy, before: Policy | None) -> Policy:
        with placed("definition"):
            return checked_policy(said, known=before, actor=self.actor)

    def _uses(self, row: EscalationPolicy, here: Sequence[int], asked: Sequence[int], kind: str) -> None:
        """Make a policy that of these services or teams, and of no others."""
        for pk in [*(set(here) - set(asked)), *(set(asked) - set(here))]:
            with placed(f"{kind}s"):
                self._require_use(pk, kind)
            writing.use_policy(row.pk if pk in asked else None, **{kind: pk}, actor=self.actor, now=self.now)

    def _require_use(self, pk: int, kind: str) -> None:
        team: int | None = pk
        if kind == "service":
            item = services.by_ref(pk)
            team = item.team_id if item is not None and (self.actor.is_system or services.knows(self.actor, item)) else None
            if team is None:
                raise Invalid("Give the service a team first.")
        team_for_rotas(team or 0, actor=self.actor)

    # leave, and what the document does not name

    def _leave(self, asked: Sequence[LeaveSaid]) -> None:
        """Leave that is not here yet is added; nobody's leave is cancelled."""
        until = max((one.ends_at for one in asked), default=self.now)
        rows = queries.leaves({one.person for one in asked}, since=self.now, until=until)
        here = {(row.person_id, row.starts_at, row.ends_at) for row in rows}
        added = [one for one in asked if (one.person, one.starts_at, one.ends_at) not in here]
        for one in added:
            with placed("leave"):
                require_leave(one.person, actor=self.actor)
                rotas.add_leave(
                    one.person,
                    starts_at=one.starts_at,
                    ends_at=one.ends_at,
                    note=one.note,
                    source=one.source,
                    actor=self.actor,
                    now=self.now,
                )
        if added:
            planning.people_changed({one.person for one in added}, actor=self.actor, now=self.now)
        if asked:
            self._note("added" if added else "unchanged", "leave", f"{len(added)}/{len(asked)}")

    def _left(self) -> None:
        here = said_here(actor=self.actor, now=self.now, has_leave=False)
        named = {(line.kind, line.name) for line in self.lines}
        for kind, found in (("rota", here.rotas), ("policy", here.policies)):
            for one in found:
                if (kind, one.slug) not in named:
                    self._note("left", kind, one.slug)


def _places(document: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Where in the document each short name stands."""
    return {part["slug"]: f"{kind}.{place}" for place, part in enumerate(document.get(kind) or [])}


def _with_rotas(said: Policy, real: Mapping[int, int]) -> Policy:
    """A policy whose rotas that came with the document have the numbers they got."""
    if not any(pk >= NEW for pk in said.ids(TargetKind.ROTA)):
        return said
    steps = []
    for step in said.steps:
        targets = [
            replace(target, id=real.get(target.id, target.id)) if target.kind is TargetKind.ROTA else target
            for target in step.targets
        ]
        steps.append(replace(step, targets=tuple(targets)))
    return replace(said, steps=tuple(steps))
