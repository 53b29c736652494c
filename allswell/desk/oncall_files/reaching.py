"""How people and rooms are reached, as a part of the document. No address ever stands in what comes out; one that stands in a file
is brought in unverified, and its person shows that it works as with every other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken
from django.conf import settings

from allswell.desk import contacts
from allswell.desk.sealing import seal
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.notifications import operations as notifications
from allswell.notifications import queries, rules
from allswell.notifications.rules import ContactKind, Quiet, Urgency
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, require

from .names import Inwards, Outwards
from .reading import each, only, placed, text_in

if TYPE_CHECKING:
    from allswell.notifications.models import ContactMethod

MOST = 5_000
_CLOCK = "%02d:%02d"


@dataclass(frozen=True, slots=True)
class WaySaid:
    """One way; `address` is what a file says in clear, and is shown nowhere."""

    kind: str
    label: str
    flavor: str
    shown: str
    address: str = field(default="", repr=False, compare=False)

    @property
    def name(self) -> str:
        """What the rules of the document call it."""
        return f"{self.kind}:{self.label or self.shown}"


#: (the name of a way, None for the primary e-mail address; seconds)
RuleSaid = tuple[str | None, int]


@dataclass(frozen=True, slots=True)
class ReachSaid:
    """How a person is reached, or the rooms of a team. `rules` has the urgencies of which something is said; empty: the usual order."""

    person: int | None
    team: int | None
    ways: tuple[WaySaid, ...]
    rules: Mapping[Urgency, tuple[RuleSaid, ...]]
    quiet: Quiet | None = None
    says_quiet: bool = False


def require_all(actor: Actor) -> None:
    """Who takes this part out or brings it in sets up the whole installation. Raises NotAllowed."""
    if not actor.is_system:
        require(actor, Act.SET_UP, INSTALLATION)


# what is here


def reach_said(only_of: Iterable[ReachSaid] | None = None) -> tuple[ReachSaid, ...]:
    """How everybody is reached who has said anything about it, and every room; or those alone that a document names."""
    rows = queries.contacts_in_use()
    persons, teams = queries.who_said_how(), sorted({row.team_id for row in rows if row.team_id is not None})
    if only_of is not None:
        named = list(only_of)
        persons = sorted({one.person for one in named if one.person is not None})
        teams = sorted({one.team for one in named if one.team is not None})
    found = queries.reachable(persons)
    of: dict[tuple[int | None, int | None], list[ContactMethod]] = {}
    for row in rows:
        of.setdefault((row.person_id, row.team_id), []).append(row)
    said = [_person_said(person, of.get((person, None), []), found[person]) for person in persons if person in found]
    return (*said, *(ReachSaid(None, team, _ways(of.get((None, team), [])), {}) for team in teams))


def _ways(rows: Iterable[ContactMethod]) -> tuple[WaySaid, ...]:
    return tuple(WaySaid(row.kind, row.label, row.flavor, row.shown) for row in rows)


def _person_said(person: int, rows: Sequence[ContactMethod], reach: rules.Reach) -> ReachSaid:
    names: dict[int | None, str | None] = {row.pk: way.name for row, way in zip(rows, _ways(rows), strict=True)}
    names[None] = None
    said = {
        urgency: tuple((names[one.contact], one.after) for one in reach.rules if one.urgency is urgency and one.contact in names)
        for urgency in Urgency
    }
    return ReachSaid(person, None, _ways(rows), said, reach.quiet, says_quiet=True)


# as a document


def as_form(said: Iterable[ReachSaid], names: Outwards) -> list[dict[str, Any]]:
    """The part of a document; addresses are null."""
    forms = []
    for one in said:
        form: dict[str, Any] = (
            {"person": names.person(one.person)} if one.person is not None else {"team": names.teams.get(one.team or 0)}
        )
        form["ways"] = [
            {"kind": way.kind, "label": way.label, "flavor": way.flavor, "shown": way.shown, "address": None} for way in one.ways
        ]
        for urgency, chosen in one.rules.items():
            form[urgency.value] = [{"way": name, "after": after} for name, after in chosen]
        if one.says_quiet:
            quiet = one.quiet
            form["quiet_hours"] = quiet and {"since": _clock(quiet.since), "until": _clock(quiet.until)}
        forms.append(form)
    return sorted(forms, key=lambda form: (form.get("team") or "", form.get("person") or ""))


def _clock(minute: int) -> str:
    return _CLOCK % divmod(minute, 60)


# what a file says


def read_reach(document: Mapping[str, Any], names: Inwards) -> tuple[ReachSaid, ...] | None:
    """What a document says of it; None: nothing. Raises Invalid, never with an address in it."""
    if "contacts" not in document:
        return None
    said = each(document, "contacts", MOST, lambda part, at: _reach(part, at, names))
    seen = set()
    for place, one in enumerate(said):
        if (one.person, one.team) in seen:
            raise Invalid(
                "%(name)s stands in this file twice.", field=f"contacts.{place}", name="person" if one.person else "team"
            )
        seen.add((one.person, one.team))
    return tuple(said)


def _reach(part: Mapping[str, Any], at: str, names: Inwards) -> ReachSaid:
    only(part, {"person", "team", "ways", "urgent", "normal", "quiet_hours"}, at)
    if ("person" in part) == ("team" in part):
        raise Invalid("Name a person or a team.", field=at)
    is_room = "team" in part
    ways = each(part, "ways", rules.MOST_METHODS, lambda one, place: _way(one, place, is_room=is_room), f"{at}.")
    if is_room:
        only(part, {"team", "ways"}, at)
        return ReachSaid(None, names.team(part["team"], f"{at}.team"), tuple(ways), {})
    said = {
        urgency: tuple(each(part, urgency.value, rules.MOST_RULES, _rule, f"{at}."))
        for urgency in Urgency
        if urgency.value in part
    }
    person = names.person(part["person"], f"{at}.person")
    return ReachSaid(person, None, tuple(ways), said, _quiet(part, at), "quiet_hours" in part)


def _way(part: Mapping[str, Any], at: str, *, is_room: bool) -> WaySaid:
    only(part, {"kind", "label", "flavor", "shown", "address"}, at)
    said = text_in(part, "kind", at, 10)
    if said not in [kind.value for kind in (rules.ROOMS if is_room else rules.ADDED)]:
        raise Invalid("There is no such way.", field=f"{at}.kind")
    label = text_in(part, "label", at, contacts.LABEL_LIMIT, required=False)
    flavor, shown = (text_in(part, name, at, limit, required=False) for name, limit in (("flavor", 40), ("shown", 120)))
    address = part.get("address")
    if address is None:
        if not (label or shown):
            raise Invalid("Give an address, or say by label or shown which way is meant.", field=at)
        return WaySaid(said, label, flavor, shown)
    if not isinstance(address, str):
        raise Invalid("This is no text.", field=f"{at}.address")
    with placed(at):
        written = contacts.written_address(ContactKind(said), address, flavor)
    return WaySaid(said, label, written.flavor, written.shown, written.address)


def _rule(part: Mapping[str, Any], at: str) -> RuleSaid:
    only(part, {"way", "after"}, at)
    after = part.get("after", 0)
    if type(after) is not int or not 0 <= after <= rules.LONGEST_AFTER:
        raise Invalid("Wait at most an hour.", field=f"{at}.after")
    if "way" not in part:
        raise Invalid("Say which way, or null for the primary e-mail address.", field=f"{at}.way")
    return (None if part["way"] is None else text_in(part, "way", at, 140), after)


def _quiet(part: Mapping[str, Any], at: str) -> Quiet | None:
    said = part.get("quiet_hours")
    if said is None:
        return None
    at = f"{at}.quiet_hours"
    if not isinstance(said, dict):
        raise Invalid("This is no object with named parts.", field=at)
    only(said, {"since", "until"}, at)
    since, until = (_minute(said.get(name), f"{at}.{name}") for name in ("since", "until"))
    if since == until:
        raise Invalid("Quiet hours end at another time than they begin.", field=f"{at}.until")
    return Quiet(since, until)


def _minute(said: Any, at: str) -> int:
    if type(said) is int and 0 <= said < rules.DAY:
        return said  # YAML reads 22:00 as the number of its minutes
    try:
        found = datetime.strptime(said, "%H:%M")  # noqa: DTZ007 - a time of day alone
    except (TypeError, ValueError) as error:
        raise Invalid("Give a time of day.", field=at) from error
    return found.hour * 60 + found.minute


# bringing it in


Note = Callable[[str, str, str, Iterable[str]], None]


def bring(said: Sequence[ReachSaid], note: Note, *, actor: Actor, now: datetime) -> None:
    """Add ways that are not here yet, unverified; write rules and quiet hours. No way is changed or removed, none verified."""
    require_all(actor)
    here = {(one.person, one.team): one for one in reach_said(said)}
    names = Outwards({one.person for one in said if one.person is not None})
    for place, one in enumerate(said):
        with placed(f"contacts.{place}"):
            _bring_one(one, here.get((one.person, one.team)), note, names, actor=actor, now=now)


def _bring_one(one: ReachSaid, here: ReachSaid | None, note: Note, names: Outwards, *, actor: Actor, now: datetime) -> None:
    called = (names.person(one.person) if one.person is not None else names.teams.get(one.team or 0)) or "?"
    if one.person is not None and people.person(one.person) is None:
        raise Invalid("%(name)s is not in use.", name=called)
    rows = list(queries.contacts_of(one.person) if one.person is not None else queries.rooms_of(one.team or 0))
    added, lacking = [], []
    for number, way in enumerate(one.ways):
        if _is_here(way, rows):
            continue
        if not way.address:
            lacking.append(way.name)
            continue
        with placed(f"ways.{number}"):
            row = contacts.bring_way(
                ContactKind(way.kind), way.address, person=one.person, team=one.team,
                label=way.label, flavor=way.flavor, among=rows, actor=actor, now=now,
            )  # fmt: skip
        rows.append(row)
        added.append(way.name)
    parts = ["ways"] if added else []
    if one.person is not None:
        parts += _orders(one, here, rows, actor=actor, now=now)
        if added:
            _tell(one.person, actor=actor, now=now)
    note("changed" if parts else "unchanged", "contacts", called, parts)
    for name in lacking:
        note("lacking", "contact", f"{called} {name}", ())


def _is_here(way: WaySaid, rows: Iterable[ContactMethod]) -> bool:
    for row in rows:
        if row.kind != way.kind:
            continue
        if not way.address and (row.label, row.shown) == (way.label, way.shown or row.shown):
            return True
        try:
            if way.address and contacts.opened(row.kind, row.address) == way.address:
                return True
        except InvalidToken:  # sealed under a key that is gone
            continue
    return False


def _orders(one: ReachSaid, here: ReachSaid | None, rows: Sequence[ContactMethod], *, actor: Actor, now: datetime) -> list[str]:
    """The order and quiet hours; what of them has changed."""
    person, changed = one.person or 0, []
    ids = {way.name: row.pk for row, way in zip(rows, _ways(rows), strict=True)}
    lacking = {way.name for way in one.ways} - ids.keys()
    for urgency, chosen in one.rules.items():
        for place, (name, _after) in enumerate(chosen):
            if name is not None and name not in ids and name not in lacking:
                raise Invalid("This person has no way %(name)s.", field=f"{urgency.value}.{place}.way", name=name)
        wanted = tuple(sorted(((name, after) for name, after in chosen if name not in lacking), key=lambda rule: rule[1]))
        if here is None or here.rules[urgency] != wanted:
            notifications.write_rules(person, urgency, [(None if name is None else ids[name], after) for name, after in wanted])
            data: dict[str, Any] = {"paging_rules": urgency.value, "count": len(wanted)}
            journal.record(Verb.CHANGED, about=("person", person), actor=actor, now=now, data=data)
            changed.append(urgency.value)
    if one.says_quiet and (here is None or here.quiet != one.quiet):
        notifications.write_quiet_hours(person, one.quiet)
        data = {"quiet_hours": None if one.quiet is None else [one.quiet.since, one.quiet.until]}
        journal.record(Verb.CHANGED, about=("person", person), actor=actor, now=now, data=data)
        changed.append("quiet_hours")
    return changed


def _tell(person: int, *, actor: Actor, now: datetime) -> None:
    """Ways that somebody else brought in take nothing before their person has shown that they work: they are told where."""
    address = people.primary_addresses([person]).get(person)
    entry = journal.record(Verb.CHANGED, about=("person", person), actor=actor, now=now, data={"contacts": "brought_in"})
    if address:
        link = seal(f"{settings.PUBLIC_URL}/me/contacts")
        notifications.mail_account(person, address=address, subject="contacts", link=link, entry=entry, now=now)


def reach_as_asked(here: ReachSaid, asked: ReachSaid) -> ReachSaid:
    """What is here as far as a document says anything of it: ways it does not name stay, and are no difference."""
    named = tuple(way for way in here.ways if any(_is_meant(one, way) for one in asked.ways))
    known = {urgency: here.rules.get(urgency, ()) for urgency in asked.rules}
    return ReachSaid(here.person, here.team, named, known, here.quiet if asked.says_quiet else None, asked.says_quiet)


def _is_meant(asked: WaySaid, here: WaySaid) -> bool:
    return (asked.kind, asked.label) == (here.kind, here.label) and asked.shown in ("", here.shown)
