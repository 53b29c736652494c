"""A document as somebody sent it: read without trust, every wrong part named by its place in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from allswell.calendars.rules import clock_time
from allswell.kernel import text
from allswell.kernel.documents import NotReadable, read_yaml
from allswell.kernel.errors import DeskError, Invalid
from allswell.kernel.instants import sensible
from allswell.oncall.rules import FARTHEST, Definition
from allswell.oncall.rules.policies import Policy, TargetKind

from .names import Inwards
from .said import FORM, LeaveSaid, OverrideSaid, PolicySaid, RotaSaid, Versions, WatchSaid, steady

T = TypeVar("T")

#: bytes of a file
LIMIT = 1_000_000
MOST, MOST_VERSIONS, MOST_OVERRIDES, MOST_LEAVE = 500, 50, 500, 5_000
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_DEFINITION = frozenset(part.name for part in fields(Definition))
_LAYER = frozenset(
    ("key", "name", "level", "rank", "zone", "people", "every", "unit", "first_on", "first_time", "week", "begins_at", "ends_at")
) | {"on_leave"}


def read(raw: bytes) -> Mapping[str, Any]:
    """The parts of a document, in JSON or YAML. Raises Invalid on "file"."""
    if len(raw) > LIMIT:
        raise Invalid("This file is larger than 1 MB.", field="file")
    try:
        document = _json(raw) if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else _plain(read_yaml(raw))
    except (NotReadable, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())[:200]
        raise Invalid("This is neither JSON nor YAML: %(why)s", field="file", why=why) from error
    if not isinstance(document, dict):
        raise Invalid("This is no document of rotas and policies.", field="file")
    if document.get("form") != FORM:
        raise Invalid("A document of rotas and policies begins with form: %(form)s.", field="form", form=FORM)
    return document


def _json(raw: bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name is said twice in one place")
        return found

    return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=_no_number)


def _no_number(said: str) -> Any:
    raise ValueError(f"{said} is no number")


def _plain(part: Any) -> Any:
    """What YAML made of days and instants, as it was written."""
    if isinstance(part, dict):
        return {str(name): _plain(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_plain(value) for value in part]
    return part.isoformat() if isinstance(part, date) else part


@contextmanager
def placed(at: str) -> Iterator[None]:
    """Name the place in the file in whatever is refused inside."""
    try:
        yield
    except DeskError as error:
        field = f"{at}.{error.field}" if error.field else at
        raise type(error)(error.template, field=field, **error.params) from error


def said_in(document: Mapping[str, Any], names: Inwards, *, now: datetime) -> WatchSaid:
    """What a document says, with the ids of this installation. What is over by now is left out. Raises Invalid."""
    only(document, {"form", "rotas", "policies", "leave", "contacts"}, "")
    rotas = each(document, "rotas", MOST, lambda part, at: _rota(part, at, names, now))
    policies = each(document, "policies", MOST, lambda part, at: _policy(part, at, names))
    _once([one.slug for one in rotas], "rotas")
    _once([one.slug for one in policies], "policies")
    for place, one in enumerate(policies):
        for kind, ids in (("services", one.services), ("teams", one.teams)):
            for other in policies[:place]:
                if set(ids) & set(getattr(other, kind)):
                    raise Invalid("Another policy of this file has it already.", field=f"policies.{place}.{kind}")
    leave = None
    if "leave" in document:
        every = each(document, "leave", MOST_LEAVE, lambda part, at: _leave(part, at, names, now))
        leave = tuple(dict.fromkeys(one for one in every if one.ends_at > now))
    return WatchSaid(tuple(sorted(rotas, key=_by_slug)), tuple(sorted(policies, key=_by_slug)), leave)


def slugs_in(document: Mapping[str, Any]) -> list[str]:
    """The short names of the rotas in a document, as far as they are any."""
    parts = document.get("rotas")
    found = [part.get("slug") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return [slug for slug in found[:MOST] if isinstance(slug, str) and _SLUG.fullmatch(slug)]


def _by_slug(one: RotaSaid | PolicySaid) -> str:
    return one.slug


def _once(slugs: Sequence[str], kind: str) -> None:
    for place, slug in enumerate(slugs):
        if slug in slugs[:place]:
            raise Invalid("%(name)s stands in this file twice.", field=f"{kind}.{place}.slug", name=slug)


def each(part: Mapping[str, Any], name: str, most: int, make: Callable[[Mapping[str, Any], str], T], at: str = "") -> list[T]:
    """The parts of a list, each made of an object."""
    field = f"{at}{name}"
    found = part.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Invalid("This is no list.", field=field)
    if len(found) > most:
        raise Invalid("Use at most %(limit)s of them.", field=field, limit=most)
    made = []
    for place, one in enumerate(found):
        if not isinstance(one, dict):
            raise Invalid("This is no object with named parts.", field=f"{field}.{place}")
        made.append(make(one, f"{field}.{place}"))
    return made


def only(part: Mapping[str, Any], allowed: set[str] | frozenset[str], at: str) -> None:
    """Raises Invalid where a part holds something nobody reads."""
    for name in part:
        if name not in allowed:
            place = f"{at}.{name[:60]}" if at else name[:60]
            raise Invalid("There is no such part here. There may be: %(fields)s.", field=place, fields=", ".join(sorted(allowed)))


def text_in(part: Mapping[str, Any], name: str, at: str, limit: int, *, required: bool = True) -> str:
    """A line of text. Raises Invalid."""
    said = part.get(name) if part.get(name) is not None else ""
    if not isinstance(said, str):
        raise Invalid("This is no text.", field=f"{at}.{name}")
    return text.line(said, field=f"{at}.{name}", limit=limit, required=required)


def _slug(part: Mapping[str, Any], at: str) -> str:
    said = part.get("slug")
    if not isinstance(said, str) or not _SLUG.fullmatch(said):
        raise Invalid("A short name has lower-case letters, digits and hyphens.", field=f"{at}.slug")
    return said


def _flag(part: Mapping[str, Any], name: str, at: str) -> bool:
    said = part.get(name, True)
    if not isinstance(said, bool):
        raise Invalid("This is true or false.", field=f"{at}.{name}")
    return said


def _instant(part: Mapping[str, Any], name: str, at: str) -> datetime | None:
    said, field = part.get(name), f"{at}.{name}"
    if said is None:
        return None
    try:
        found = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid("This is no instant. Write instants as 2026-12-24T08:00:00+01:00.", field=field)
    return sensible(found, field=field).astimezone(UTC)


def _begin(part: Mapping[str, Any], name: str, at: str, *, now: datetime) -> datetime | None:
    """An instant to come; None when it is over or nothing is said. Raises Invalid when it is very far."""
    found = _instant(part, name, at)
    if found is not None and found > now + FARTHEST:
        raise Invalid("This is too far ahead.", field=f"{at}.{name}")
    return found if found is not None and found > now else None


# rotas


def _rota(part: Mapping[str, Any], at: str, names: Inwards, now: datetime) -> RotaSaid:
    only(part, {"slug", "name", "team", "is_active", "versions", "overrides"}, at)
    versions = each(part, "versions", MOST_VERSIONS, lambda one, place: _version(one, place, names, now), f"{at}.")
    if not versions:
        raise Invalid("A rota has at least one version.", field=f"{at}.versions")
    overrides = None
    if part.get("overrides") is not None:
        found = each(part, "overrides", MOST_OVERRIDES, lambda one, place: _override(one, place, names, now), f"{at}.")
        overrides = tuple(one for one in found if one.ends_at > now)
    return RotaSaid(
        _slug(part, at),
        text_in(part, "name", at, 80),
        names.team(part.get("team"), f"{at}.team"),
        _flag(part, "is_active", at),
        _in_force(versions, f"{at}.versions"),
        overrides,
    )


def _version(part: Mapping[str, Any], at: str, names: Inwards, now: datetime) -> tuple[datetime | None, Definition]:
    only(part, {"effective_at", "definition"}, at)
    raw = part.get("definition")
    if not isinstance(raw, dict):
        raise Invalid("A rota has a zone and layers.", field=f"{at}.definition")
    return _begin(part, "effective_at", at, now=now), _definition(raw, f"{at}.definition", names)


def _in_force(versions: Sequence[tuple[datetime | None, Definition]], at: str) -> Versions:
    """Of the versions in order of time those that hold now or later: of several that began already, the last."""
    begun = [one for one in versions if one[0] is None]
    coming = [one for one in versions if one[0] is not None]
    instants = [since for since, _ in versions]
    if any(since is None for since in instants[len(begun) :]) or sorted(set(filter(None, instants))) != [s for s, _ in coming]:
        raise Invalid("The versions stand in order of time, each with another instant.", field=at)
    return steady([*begun[-1:], *coming])


def _definition(raw: Mapping[str, Any], at: str, names: Inwards) -> Definition:
    only(raw, _DEFINITION, at)
    form = dict(raw)
    if raw.get("calendar") is not None:
        form["calendar"] = names.calendar(raw["calendar"], f"{at}.calendar")
    form["layers"] = each(raw, "layers", 100, lambda part, place: _layer(part, place, names), f"{at}.")
    with placed(at):
        return Definition.parse(form)


def _layer(part: Mapping[str, Any], at: str, names: Inwards) -> dict[str, Any]:
    only(part, _LAYER, at)
    people = part.get("people")
    if not isinstance(people, list) or len(people) > 100:
        raise Invalid("Name who takes turns.", field=f"{at}.people")
    form = {**part, "people": [names.person(one, f"{at}.people.{place}") for place, one in enumerate(people)]}
    if type(part.get("first_time")) is int and 0 <= part["first_time"] < 1440:
        form["first_time"] = clock_time(part["first_time"])  # YAML reads 19:30 as the number of its minutes
    return form


def _override(part: Mapping[str, Any], at: str, names: Inwards, now: datetime) -> OverrideSaid:
    only(part, {"level", "starts_at", "ends_at", "person", "instead_of", "reason"}, at)
    starts_at, ends_at = _begin(part, "starts_at", at, now=now), _end(part, at, now=now)
    if starts_at is not None and ends_at <= starts_at:
        raise Invalid("The end is before the beginning.", field=f"{at}.ends_at")
    level = part.get("level", 1)
    if type(level) is not int or not 1 <= level <= 9:
        raise Invalid("This is not a whole number.", field=f"{at}.level")
    if "person" not in part:
        raise Invalid("Say who, or null for nobody.", field=f"{at}.person")
    who = {name: names.person(said, f"{at}.{name}") for name in ("person", "instead_of") if (said := part.get(name)) is not None}
    return OverrideSaid(
        level, starts_at, ends_at, who.get("person"), who.get("instead_of"), text_in(part, "reason", at, 200, required=False)
    )


def _end(part: Mapping[str, Any], at: str, *, now: datetime) -> datetime:
    ends_at = _instant(part, "ends_at", at)
    if ends_at is None:
        raise Invalid("This is needed.", field=f"{at}.ends_at")
    if ends_at > now + FARTHEST:
        raise Invalid("This is too far ahead.", field=f"{at}.ends_at")
    return ends_at


# policies


def _policy(part: Mapping[str, Any], at: str, names: Inwards) -> PolicySaid:
    only(part, {"slug", "name", "team", "is_active", "services", "teams", "definition"}, at)
    raw = part.get("definition")
    if not isinstance(raw, dict):
        raise Invalid("A policy has steps.", field=f"{at}.definition")
    return PolicySaid(
        _slug(part, at),
        text_in(part, "name", at, 80),
        names.team(part.get("team"), f"{at}.team"),
        _flag(part, "is_active", at),
        _steps(raw, f"{at}.definition", names),
        _ids(part, "services", at, names.service),
        _ids(part, "teams", at, names.team),
    )


def _ids(part: Mapping[str, Any], name: str, at: str, look: Callable[[Any, str], int]) -> tuple[int, ...]:
    found = part.get(name) or []
    if not isinstance(found, list) or len(found) > MOST:
        raise Invalid("This is no list.", field=f"{at}.{name}")
    return tuple(sorted({look(one, f"{at}.{name}.{place}") for place, one in enumerate(found)}))


def _steps(raw: Mapping[str, Any], at: str, names: Inwards) -> Policy:
    only(raw, {"steps", "repeat", "promise", "starts", "urgent"}, at)
    form = {**raw, "steps": each(raw, "steps", 100, lambda part, place: _step(part, place, names), f"{at}.")}
    with placed(at):
        return Policy.parse(form)


def _step(part: Mapping[str, Any], at: str, names: Inwards) -> dict[str, Any]:
    only(part, {"targets", "wait", "priorities", "hours"}, at)
    form = {**part, "targets": each(part, "targets", 100, lambda one, place: _target(one, place, names), f"{at}.")}
    hours = part.get("hours")
    if isinstance(hours, dict):
        only(hours, {"calendar", "is_inside"}, f"{at}.hours")
        form["hours"] = {**hours, "calendar": names.calendar(hours.get("calendar"), f"{at}.hours.calendar")}
    return form


def _target(part: Mapping[str, Any], at: str, names: Inwards) -> dict[str, Any]:
    only(part, {"kind", "rota", "person", "team", "room", "webhook", "level"}, at)
    kind = part.get("kind")
    form = {name: value for name, value in part.items() if name in ("kind", "level")}
    match kind:
        case TargetKind.ROTA:
            form["rota"] = names.rota(part.get("rota"), f"{at}.rota")
        case TargetKind.PERSON:
            form["person"] = names.person(part.get("person"), f"{at}.person")
        case TargetKind.TEAM | TargetKind.LEAD | TargetKind.MANAGER:
            form["team"] = names.team(part.get("team"), f"{at}.team")
        case TargetKind.WEBHOOK:
            form["webhook"] = names.webhook(part.get("webhook"), f"{at}.webhook")
        case TargetKind.ROOM:
            team = names.team(part.get("team"), f"{at}.team")
            form["contact"] = names.room(team, part.get("room"), f"{at}.room")
    return form


def _leave(part: Mapping[str, Any], at: str, names: Inwards, now: datetime) -> LeaveSaid:
    only(part, {"person", "starts_at", "ends_at", "note", "source"}, at)
    starts_at, ends_at = _instant(part, "starts_at", at), _end(part, at, now=now)
    if starts_at is None or starts_at >= ends_at:
        raise Invalid("The end is before the beginning.", field=f"{at}.ends_at")
    note, source = text_in(part, "note", at, 200, required=False), text_in(part, "source", at, 250, required=False)
    return LeaveSaid(names.person(part.get("person"), f"{at}.person"), starts_at, ends_at, note, source)
