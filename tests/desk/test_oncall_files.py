"""Rotas and policies as one document: taken out, changed by hand, brought in again or into another installation."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import calendars, contacts, oncall_files, policies, rotas, shifts
from allswell.journal.models import Entry
from allswell.kernel.actor import setup
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound
from allswell.notifications.models import ContactMethod, Delivery, Webhook
from allswell.oncall import queries
from allswell.oncall.models import EscalationPolicy, Leave, Override, Rota, Shift
from tests.support.world import START, World

DAY = timedelta(days=1)
AMIR, PRIYA, LENA = (f"{name}@example.org" for name in ("amir", "priya", "lena"))


def layer(*people: str, **more: Any) -> dict[str, Any]:
    return {"name": "Week", "people": list(people), "first_on": "2026-11-23", **more}


def rota(slug: str, *layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"zone": "Europe/Zurich", "layers": list(layers)}
    versions = [{"effective_at": None, "definition": said}]
    return {"slug": slug, "name": slug.title(), "team": "databases", "versions": versions, **more}


def policy(slug: str, *targets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug.title(),
        "team": "databases",
        "definition": {"steps": [{"targets": list(targets), "wait": 300}]},
        **more,
    }


def packed(*parts: dict[str, Any], policies: Any = (), **more: Any) -> bytes:
    return json.dumps({"form": 1, "rotas": list(parts), "policies": list(policies), **more}).encode()


def bring(world: World, raw: bytes, by: Any = None, **asked: Any) -> list[tuple[str, str, list[str]]]:
    actor = world.actor(by) if by else setup()
    return [(line.outcome, line.name, line.parts) for line in oncall_files.bring_in(raw, actor=actor, now=world.now, **asked)]


def said(world: World, *, has_leave: bool = True) -> dict[str, Any]:
    return oncall_files.document(actor=setup(), now=world.now, has_leave=has_leave)


def differs(world: World, raw: bytes) -> list[str]:
    return oncall_files.differences(raw, actor=setup(), now=world.now)


def wipe() -> None:
    """As a new installation: the people and teams are there, nothing else."""
    for model in (Shift, Override, Rota, EscalationPolicy, Leave):
        model.objects.all().delete()


# round and round


def drawn(seed: int) -> bytes:
    """A document of three rotas and two policies, drawn at random."""
    draw = random.Random(seed)
    people = [AMIR, PRIYA, LENA]

    def some(**more: Any) -> dict[str, Any]:
        unit = draw.choice(["hour", "day", "week"])
        hours = [draw.choice([[], ["08:00-18:00"], ["00:00-06:00", "22:00-24:00"]]) for _ in range(6)] + [["09:00-12:00"]]
        return layer(
            *draw.choices(people, k=draw.randint(1, 5)),
            unit=unit,
            every=draw.randint(1, 9),
            first_time=f"{draw.randint(0, 23):02}:{draw.choice(['00', '30', '59'])}",
            zone=draw.choice(["", "Asia/Tokyo", "Africa/Cairo"]),
            rank=draw.randint(0, 3),
            week=draw.choice([[], hours]),
            on_leave=draw.choice(["next", "open"]),
            begins_at=draw.choice([None, "2026-12-01T07:00:03+00:00"]),
            **more,
        )

    parts = []
    for number in range(3):
        one = rota(f"rota-{number}", some(), some(level=2), is_active=draw.random() < 0.8)
        for more in range(draw.randint(0, 2)):
            at = (START + (more + 1) * 9 * DAY).isoformat()
            version = {"zone": "UTC", "calendar": "always", "maximum_week": 2880, "layers": [some(), some(level=2)]}
            one["versions"].append({"effective_at": at, "definition": version})
        one["overrides"] = [
            {
                "level": draw.randint(1, 2),
                "starts_at": draw.choice([None, (START + more * DAY + timedelta(seconds=7)).isoformat()]),
                "ends_at": (START + (more + draw.randint(1, 9)) * DAY).isoformat(),
                "person": draw.choice([None, AMIR, PRIYA]),
                "instead_of": draw.choice([None, LENA]),
                "reason": draw.choice(["", "Ärztin"]),
            }
            for more in range(draw.randint(0, 4))
        ]
        parts.append(one)
    targets = [
        {"kind": "rota", "rota": "rota-0", "level": 2},
        {"kind": "person", "person": LENA},
        {"kind": "team", "team": "databases"},
    ]
    targets += [{"kind": "lead", "team": "databases"}, {"kind": "manager", "team": "databases", "level": 2}]
    draw.shuffle(targets)
    hours = {"calendar": "always", "is_inside": draw.random() < 0.5}
    steps = [{"targets": targets[:2], "wait": 60, "priorities": [1, 3]}, {"targets": targets[2:], "wait": 900, "hours": hours}]
    several = [policy("first", targets[0], teams=["databases"]), policy("second", targets[1], services=["ledger-database"])]
    several[1]["definition"] = {"steps": steps, "repeat": 3, "promise": 600, "starts": [1], "urgent": [1, 2, 3]}
    away = [{"person": PRIYA, "starts_at": START.isoformat(), "ends_at": (START + 4 * DAY).isoformat(), "note": "Family"}]
    return packed(*parts, policies=several, leave=away)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_taken_out_and_brought_into_another_installation_is_the_same_there(world: World, seed: int) -> None:
    calendars.create_calendar(name="Always", zone="UTC", hours=calendars.Hours([((0, 1440),)] * 7), **world.by(world.ada))
    raw = drawn(seed)
    bring(world, raw)
    first = said(world)
    assert differs(world, raw) == []
    shifts_of_all = set(Shift.objects.values_list("rota__slug", "level", "starts_at", "ends_at", "person", "why"))
    wipe()
    out = json.dumps(first).encode()
    assert {outcome for outcome, *_ in bring(world, out)} == {"added"}
    assert said(world) == first
    assert set(Shift.objects.values_list("rota__slug", "level", "starts_at", "ends_at", "person", "why")) == shifts_of_all
    assert {outcome for outcome, *_ in bring(world, out)} == {"unchanged"}
    assert differs(world, out) == []


def test_the_document_is_plain_to_read(world: World) -> None:
    bring(
        world,
        packed(rota("databases", layer(AMIR, PRIYA)), policies=[policy("databases", {"kind": "rota", "rota": "databases"})]),
    )
    (one,) = said(world)["rotas"]
    assert (one["team"], one["versions"][0]["effective_at"]) == ("databases", None)
    assert one["versions"][0]["definition"]["layers"][0]["people"] == [AMIR, PRIYA]
    assert said(world)["policies"][0]["definition"]["steps"][0]["targets"] == [{"kind": "rota", "rota": "databases", "level": 1}]


def test_yaml_is_read_as_it_is_meant(world: World) -> None:
    raw = f"""
form: 1
rotas:
- slug: databases
  name: Databases
  team: Databases
  versions:
  - definition:
      zone: UTC
      layers:
      - {{name: Late, people: [{AMIR}, {PRIYA}], first_on: 2026-11-23, first_time: 19:30}}
  - effective_at: 2026-12-24T08:00:00+01:00
    definition: {{zone: UTC, layers: [{{name: Holidays, people: [{LENA}], first_on: 2026-11-23, first_time: "09:00"}}]}}
""".encode()
    bring(world, raw)
    first, second = said(world)["rotas"][0]["versions"]
    assert first["definition"]["layers"][0]["first_time"] == "19:30"
    assert second["effective_at"] == "2026-12-24T07:00:00+00:00"


# what changes


def test_a_trial_says_what_would_change_and_changes_nothing(world: World) -> None:
    bring(world, packed(rota("databases", layer(AMIR, PRIYA)), rota("storage", layer(AMIR))))
    entries, mails = Entry.objects.count(), Delivery.objects.count()
    other = packed(rota("databases", layer(PRIYA, AMIR), name="Data"), rota("network", layer(LENA)))
    expected = [("changed", "databases", ["name", "versions"]), ("added", "network", []), ("left", "storage", [])]
    assert bring(world, other, is_trial=True) == expected
    assert (Entry.objects.count(), Delivery.objects.count(), Rota.objects.count()) == (entries, mails, 2)
    assert bring(world, other) == expected
    assert Delivery.objects.count() > mails, "those whose shifts moved are told"
    assert queries.on_call([Rota.objects.get(slug="databases").pk], world.now).popitem()[1][1].person == world.priya.pk


def test_moves_are_counted(world: World) -> None:
    bring(world, packed(rota("databases", layer(AMIR, PRIYA))))
    changed = packed(rota("databases", layer(PRIYA, AMIR)))
    (line,) = oncall_files.bring_in(changed, is_trial=True, actor=setup(), now=world.now)
    assert line.moves == 13


def test_what_differs_is_told_line_by_line(world: World) -> None:
    bring(world, packed(rota("databases", layer(AMIR, PRIYA))))
    raw = packed(rota("databases", layer(AMIR, LENA)), policies=[policy("new", {"kind": "rota", "rota": "databases"})])
    found = differs(world, raw)
    assert any(line.startswith("-") and PRIYA in line for line in found)
    assert any(line.startswith("+") and LENA in line for line in found)
    assert any(line.startswith("+") and '"rota": "databases"' in line for line in found)


def test_overrides_are_as_the_document_says_in_its_order_and_stay_when_it_says_nothing(world: World) -> None:
    bring(world, packed(rota("databases", layer(AMIR))))
    row = Rota.objects.get()
    times = {"starts_at": START + DAY, "ends_at": START + 2 * DAY}
    for person in (world.priya, world.lena):
        shifts.add_override(row.pk, level=1, person=person.pk, **times, **world.by(world.lena))
    assert bring(world, packed(rota("databases", layer(AMIR)))) == [("unchanged", "databases", [])]
    form = said(world)
    turned = form["rotas"][0]["overrides"][::-1]
    form["rotas"][0]["overrides"] = turned
    assert bring(world, json.dumps(form).encode()) == [("changed", "databases", ["overrides"])]
    assert said(world)["rotas"][0]["overrides"] == turned
    assert queries.on_call([row.pk], START + DAY)[row.pk][1].person == world.priya.pk
    form["rotas"][0]["overrides"] = []
    bring(world, json.dumps(form).encode())
    assert queries.on_call([row.pk], START + DAY)[row.pk][1].person == world.amir.pk


def test_a_policy_stops_being_that_of_a_team_the_document_does_not_name(world: World) -> None:
    target = {"kind": "person", "person": AMIR}
    bring(world, packed(policies=[policy("first", target, teams=["databases"], services=["ledger-database"])]))
    assert bring(world, packed(policies=[policy("first", target)])) == [("changed", "first", ["services", "teams"])]
    assert said(world)["policies"][0]["teams"] == []


def test_rooms_and_programs_are_named_never_their_addresses(world: World) -> None:
    room = contacts.add_room("databases", kind="chat", flavor="slack", label="War room",
                             address="https://hooks.slack.example/services/T0/B0/secret-of-the-room", **world.by(world.lena))  # fmt: skip
    ContactMethod.objects.filter(pk=room.pk).update(verified_at=world.now)
    hook = Webhook.objects.create(
        name="Pager", url="https://pager.example.org/in", secret="x", owner=world.ada, created_at=world.now
    )
    targets = [{"kind": "room", "contact": room.pk}, {"kind": "webhook", "webhook": hook.pk}]
    steps = {"steps": [{"targets": targets, "wait": 60}]}
    policies.create_policy(name="Loud", team="databases", definition=steps, actor=setup(), now=world.now)
    form = said(world)
    assert form["policies"][0]["definition"]["steps"][0]["targets"] == [
        {"kind": "room", "team": "databases", "room": "War room"},
        {"kind": "webhook", "webhook": "Pager"},
    ]
    assert "secret" not in json.dumps(form)
    EscalationPolicy.objects.all().delete()
    bring(world, json.dumps(form).encode())
    assert said(world) == form


# who may


def test_everybody_takes_out_and_brings_in_what_they_decide_about(world: World) -> None:
    raw = packed(rota("databases", layer(AMIR)), policies=[policy("databases", {"kind": "rota", "rota": "databases"})])
    for person in (world.jonas, world.maria, world.audrey):
        with pytest.raises((NotAllowed, NotFound)) as caught:
            bring(world, raw, by=person)
        assert caught.value.field == "rotas.0.team"
    bring(world, raw, by=world.lena)
    for person, count in ((world.lena, 1), (world.ada, 1), (world.jonas, 0), (world.maria, 0), (world.otto, 0)):
        form = oncall_files.document(actor=world.actor(person), now=world.now)
        assert (len(form["rotas"]), len(form["policies"])) == (count, count)


# what is refused


def broken(change: Any) -> bytes:
    form = json.loads(
        packed(rota("databases", layer(AMIR), overrides=[]), policies=[policy("p", {"kind": "person", "person": AMIR})])
    )
    change(form)
    return json.dumps(form).encode()


def in_layer(**values: Any) -> bytes:
    return broken(lambda form: form["rotas"][0]["versions"][0]["definition"]["layers"][0].update(values))


def in_rota(**values: Any) -> bytes:
    return broken(lambda form: form["rotas"][0].update(values))


def in_policy(**values: Any) -> bytes:
    return broken(lambda form: form["policies"][0].update(values))


LAYER = "rotas.0.versions.0.definition.layers.0"
ENDS = {"ends_at": "2026-12-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        (b"", "file", "no document"),
        (b"\xff\xfe\xff", "file", "neither JSON nor YAML"),
        (b"{", "file", "neither JSON nor YAML"),
        (b"[" * 100_000, "file", "neither JSON nor YAML"),
        (b'{"a":' * 50_000, "file", "neither JSON nor YAML"),
        (b"a: &a [x, x]\nb: &b [*a, *a]\n" + b"".join(b"c%d: &c%d [%s]\n" % (n, n, b", ".join([b"*b"] * 50)) for n in range(2000)),
         "file", "unfolds"),
        (b'{"form": 1, "form": 1}', "file", "twice"),
        (b'{"form": 1, "rotas": NaN}', "file", "NaN"),
        (b'{"form": 1, "rotas": ' + b"9" * 9000 + b"}", "file", "neither JSON nor YAML"),
        (b" " * 1_000_001, "file", "larger than 1 MB"),
        (b"[]", "file", "no document"),
        (b'{"form": 2}', "form", "begins with form: 1"),
        (b'{"form": 1, "rota": []}', "rota", "no such part"),
        (b'{"form": 1, "rotas": {}}', "rotas", "This is no list"),
        (b'{"form": 1, "rotas": [1]}', "rotas.0", "no object"),
        (b'{"form": 1, "leave": [{}]}', "leave.0.ends_at", "needed"),
        (in_layer(people=[AMIR, "nobody@example.org"]), f"{LAYER}.people.1", "Nobody here is known as nobody@example.org"),
        (in_layer(people=[7]), f"{LAYER}.people.0", "Nobody here"),
        (in_layer(people=["maria@example.org"]), f"{LAYER}.people", "people of the desk"),
        (in_layer(people=[]), f"{LAYER}.people", "Name who takes turns"),
        (in_layer(every=0), f"{LAYER}.every", "between one and"),
        (in_layer(first_on="soon"), f"{LAYER}.first_on", "no date"),
        (in_layer(colour="red"), f"{LAYER}.colour", "no such part"),
        (in_rota(slug="../me"), "rotas.0.slug", "lower-case"),
        (in_rota(team="no-such"), "rotas.0.team", "no team no-such"),
        (in_rota(name=["x"]), "rotas.0.name", "no text"),
        (in_rota(is_active="yes"), "rotas.0.is_active", "true or false"),
        (in_rota(versions=[]), "rotas.0.versions", "at least one"),
        (in_rota(overrides=[{"person": None, "ends_at": "2026-12-01"}]), "rotas.0.overrides.0.ends_at", "no instant"),
        (in_rota(overrides=[{"person": None, "ends_at": "2126-12-01T00:00:00Z"}]), "rotas.0.overrides.0.ends_at", "too far"),
        (in_rota(overrides=[ENDS]), "rotas.0.overrides.0.person", "null for nobody"),
        (in_rota(overrides=[{**ENDS, "person": None, "level": 3}]), "rotas.0.overrides.0.level", "from 1 to 1"),
        (in_policy(definition={"steps": []}), "policies.0.definition.steps", "from one to"),
        (in_policy(teams=["no-such"]), "policies.0.teams.0", "no team"),
        (in_policy(definition={"steps": [{"targets": [{"kind": "rota", "rota": "x"}], "wait": 60}]}),
         "policies.0.definition.steps.0.targets.0.rota", "no rota x"),
        (in_policy(definition={"steps": [{"targets": [{"kind": "rota", "rota": "databases", "level": 4}], "wait": 60}]}),
         "policies.0.definition.steps.0.targets.0", "not known"),
        (in_policy(definition={"steps": [{"targets": [{"kind": "room", "team": "databases", "room": "x"}], "wait": 60}]}),
         "policies.0.definition.steps.0.targets.0.room", "no room x"),
        (in_policy(definition={"steps": [{"targets": [{"kind": "ghost"}], "wait": 60}]}),
         "policies.0.definition.steps.0.targets.0.kind", "Choose one"),
        (broken(lambda form: form["rotas"].append(form["rotas"][0])), "rotas.1.slug", "twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_nothing_is_done(world: World, raw: bytes, field: str, words: str) -> None:
    entries = Entry.objects.count()
    for is_trial in (True, False):
        with pytest.raises(DeskError, match=words) as caught:
            bring(world, raw, is_trial=is_trial)
        assert caught.value.field == field
    assert (Rota.objects.count(), EscalationPolicy.objects.count(), Entry.objects.count()) == (0, 0, entries)


def test_a_rota_of_another_team_or_one_that_is_to_begin_later_is_refused(world: World) -> None:
    bring(world, packed(rota("databases", layer(AMIR))))
    with pytest.raises(Conflict, match="another team's"):
        bring(world, packed(rota("databases", layer(AMIR), team="service-desk")))
    later = rota("databases", layer(AMIR))
    later["versions"][0]["effective_at"] = (START + DAY).isoformat()
    with pytest.raises(Invalid, match="say what holds now"):
        bring(world, packed(later))


def test_people_without_an_address_are_known_by_their_key(world: World) -> None:
    definition = {"zone": "UTC", "layers": [layer()]}
    for person, key in ((world.amir, "hr-17"), (world.priya, "")):
        person.addresses.all().delete()
        person.external_ref = key
        person.save(update_fields=["external_ref"])
    definition["layers"][0]["people"] = [world.amir.pk, world.priya.pk]
    rotas.create_rota(name="Databases", team="databases", definition=definition, **world.by(world.lena))
    form = said(world)
    assert form["rotas"][0]["versions"][0]["definition"]["layers"][0]["people"] == ["ref:hr-17", f"id:{world.priya.pk}"]
    assert differs(world, json.dumps(form).encode()) == []
