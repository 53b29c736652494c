"""Escalation policies in words: each step with its time, whom it calls, and who that would be now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from allswell.calendars import queries as calendars
from allswell.notifications import queries as notifications
from allswell.oncall import queries
from allswell.oncall.queries.reaching import Around
from allswell.oncall.rules import escalating
from allswell.oncall.rules.escalating import Called, Empty
from allswell.oncall.rules.policies import Policy, Step, Target, TargetKind
from allswell.people import queries as people
from allswell.web import show

from . import lanes

#: people of one target that are named
MOST_NAMED = 4
_ICONS = {
    TargetKind.ROTA: "phone-call",
    TargetKind.PERSON: "user",
    TargetKind.TEAM: "users",
    TargetKind.LEAD: "user",
    TargetKind.MANAGER: "user",
    TargetKind.ROOM: "message",
    TargetKind.WEBHOOK: "webhook",
}


@dataclass(frozen=True, slots=True)
class Aim:
    """One that a step calls: what it is called, and who that is now."""

    icon: str
    label: str
    now: str
    is_nobody: bool


@dataclass(frozen=True, slots=True)
class Rung:
    """A step: how long after the beginning it is taken when nobody answers, whom it calls, under which conditions."""

    number: int
    after: str
    aims: list[Aim]
    only: list[str]
    now: str
    empty: Empty | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """A policy from its first step to the end."""

    rungs: list[Rung]
    again: str
    last_after: str
    promise: str
    starts: str
    urgent: str


@dataclass
class Names:
    """What the targets of policies are called, by kind and id."""

    persons: dict[int, str] = field(default_factory=dict)
    rotas: dict[int, str] = field(default_factory=dict)
    teams: dict[int, str] = field(default_factory=dict)
    rooms: dict[int, str] = field(default_factory=dict)
    webhooks: dict[int, str] = field(default_factory=dict)
    calendars: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, targets: Iterable[Target], *, used: Iterable[int] = (), persons: Mapping[int, str] | None = None) -> Names:
        """The names of some targets and of the calendars that are `used`, in one statement, beside the `persons` known already."""
        ids: dict[TargetKind, set[int]] = {kind: set() for kind in TargetKind}
        for target in targets:
            ids[target.kind].add(target.id)
        names = cls(persons=dict(persons or {}))
        missing = ids[TargetKind.PERSON] - names.persons.keys()
        label = Case(When(label="", then=F("shown")), default=F("label"))
        kinds: list[tuple[dict[int, str], set[int], QuerySet[Any], Any]] = [
            (names.persons, missing, people.people(), F("name")),
            (names.rotas, ids[TargetKind.ROTA], queries.rotas(), F("name")),
            (names.teams, ids[TargetKind.TEAM] | ids[TargetKind.LEAD] | ids[TargetKind.MANAGER], people.teams(), F("name")),
            (names.rooms, ids[TargetKind.ROOM], notifications.rooms(), label),
            (names.webhooks, ids[TargetKind.WEBHOOK], notifications.webhooks(), F("name")),
            (names.calendars, set(used), calendars.calendars(), F("name")),
        ]
        asked = [
            rows.filter(pk__in=wanted).order_by().values_list(Value(place), "pk", name)
            for place, (_known, wanted, rows, name) in enumerate(kinds)
            if wanted
        ]
        if asked:
            for place, pk, name in asked[0].union(*asked[1:], all=True):
                kinds[place][0][pk] = name
        return names

    def target(self, target: Target) -> str:
        """What a target is called: "On call in Databases (called first)"."""
        pk, team = target.id, self.teams.get(target.id, f"#{target.id}")
        match target.kind:
            case TargetKind.ROTA:
                level = lanes.level_words(target.level)
                return _("On call in %(rota)s (%(level)s)") % {"rota": self.rotas.get(pk, f"#{pk}"), "level": level}
            case TargetKind.PERSON:
                return self.persons.get(pk, f"#{pk}")
            case TargetKind.TEAM:
                return _("Everybody in %(team)s") % {"team": team}
            case TargetKind.LEAD:
                return _("The lead of %(team)s") % {"team": team}
            case TargetKind.MANAGER:
                return manager_words(team, target.level)
            case TargetKind.ROOM:
                return self.rooms.get(pk) or _("a room that is gone")
            case TargetKind.WEBHOOK:
                return self.webhooks.get(pk) or _("a webhook that is gone")

    def called(self, called: Iterable[Called]) -> str:
        """Who is called, by name; of many the first few."""
        who = [self.persons.get(one.person, f"#{one.person}") if one.person else self.target(one.target) for one in called]
        if len(who) <= MOST_NAMED:
            return ", ".join(who)
        return _("%(names)s and %(n)s more") % {"names": ", ".join(who[:MOST_NAMED]), "n": len(who) - MOST_NAMED}


def manager_words(team: str, level: int) -> str:
    """Who is so many steps above the lead of a team."""
    if level == 1:
        return _("The manager of the lead of %(team)s") % {"team": team}
    return _("%(n)s steps above the lead of %(team)s") % {"team": team, "n": level}


def priorities(values: Iterable[int]) -> str:
    """P1, P2; nothing for none."""
    return ", ".join(f"P{value}" for value in values)


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a step would call now, each once, or why nobody; and whom each of its targets names."""

    empty: Empty | None
    called: tuple[Called, ...]
    by_target: dict[Target, tuple[Called, ...]]


def drawn(policies: Collection[Policy], at: datetime) -> list[Ladder]:
    """Policies in words, with whom each step would call at an instant whatever the priority; all read at once."""
    around = Around(policies)
    around.look(at)
    names = Names.of(
        (target for policy in policies for step in policy.steps for target in step.targets),
        used={pk for policy in policies for pk in policy.calendars},
        persons=around.names,
    )
    return [_ladder(policy, names, around, at) for policy in policies]


def _ladder(policy: Policy, names: Names, around: Around, at: datetime) -> Ladder:
    """Its times are counted as if every step reached somebody and nobody answered."""
    rungs, passed = [], 0
    for number, step in enumerate(policy.steps, 1):
        empty, called = escalating.tried(step, priority=(step.priorities or (1,))[0], at=at, world=around)
        by_target = {target: around.called(target, at) for target in step.targets}
        rungs.append(_rung(number, step, passed, names, Reached(empty, called, by_target)))
        passed += step.wait
    return Ladder(
        rungs=rungs,
        again=again_words(policy.repeat),
        last_after=after_words(passed * (policy.repeat + 1)),
        promise=show.duration(policy.promise),
        starts=priorities(policy.starts),
        urgent=priorities(policy.urgent),
    )


def _rung(number: int, step: Step, passed: int, names: Names, reached: Reached) -> Rung:
    aims = []
    for target in step.targets:
        theirs = reached.by_target[target]
        says_it_itself = target.kind in (TargetKind.PERSON, TargetKind.ROOM, TargetKind.WEBHOOK)
        now = "" if says_it_itself else names.called(theirs)
        aims.append(Aim(_ICONS[target.kind], names.target(target), now, not theirs))
    only = [_("only for %(priorities)s") % {"priorities": priorities(step.priorities)}] if step.priorities else []
    if step.during:
        name = names.calendars.get(step.during.calendar, f"#{step.during.calendar}")
        only.append((_("only within %(hours)s") if step.during.is_inside else _("only outside %(hours)s")) % {"hours": name})
    return Rung(number, after_words(passed), aims, only, names.called(reached.called), reached.empty)


def after_words(seconds: int) -> str:
    """How long after the beginning."""
    return _("after %(length)s") % {"length": show.duration(timedelta(seconds=seconds))} if seconds else _("at once")


def again_words(repeat: int) -> str:
    """How often all of it is gone through again."""
    return ngettext("then all of it again, once", "then all of it again, %(n)s times", repeat) % {"n": repeat} if repeat else ""
