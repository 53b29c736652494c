"""How people and rooms are reached, as a part of the document: taken out without an address, brought in unverified."""

from __future__ import annotations

import json
from typing import Any

import pytest

from allswell.desk import contacts, oncall_files
from allswell.journal.models import Entry
from allswell.kernel.actor import setup
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed
from allswell.notifications import queries
from allswell.notifications.models import ContactMessage, ContactMethod, Delivery, PagingHours
from allswell.notifications.rules import Quiet, Rule, Urgency
from tests.desk.test_contacts import CHAT, NUMBER, Carrier, carrier
from tests.support.world import World

__all__ = ["carrier"]

AMIR = "amir@example.org"
SMS = {"kind": "sms", "label": "Work phone", "address": NUMBER}


def packed(*parts: dict[str, Any]) -> bytes:
    return json.dumps({"form": 1, "contacts": list(parts)}).encode()


def bring(world: World, raw: bytes, by: Any = None, **asked: Any) -> list[tuple[str, str, list[str]]]:
    actor = world.actor(by) if by else setup()
    lines = oncall_files.bring_in(raw, actor=actor, now=world.now, **asked)
    return [(one.outcome, one.name, one.parts) for one in lines if one.kind.startswith("contact")]


def said(world: World, by: Any = None) -> Any:
    actor = world.actor(by) if by else setup()
    return oncall_files.document(actor=actor, now=world.now, has_contacts=True)["contacts"]


def differs(world: World, raw: bytes) -> list[str]:
    return oncall_files.differences(raw, actor=setup(), now=world.now)


def reached(world: World, carrier: Carrier) -> None:
    """Amir has a telephone that works, an order and quiet hours; the databases have a room."""
    row = contacts.add_contact(kind="sms", address=NUMBER, label="Work phone", **world.by(world.amir))
    contacts.verify(row.pk, code=carrier.code(), **world.by(world.amir))
    contacts.set_rules("urgent", wanted=[(row.pk, 0), (None, 60)], **world.by(world.amir))
    contacts.set_quiet_hours(since=22 * 60, until=7 * 60, **world.by(world.amir))
    contacts.add_room("databases", kind="chat", address=CHAT, label="DBA room", flavor="slack", **world.by(world.lena))


def test_what_comes_out_holds_no_address_and_says_the_same_when_it_comes_in(world: World, carrier: Carrier) -> None:
    reached(world, carrier)
    document = said(world)
    assert document == [
        {
            "person": AMIR,
            "ways": [{"kind": "sms", "label": "Work phone", "flavor": "", "shown": "+49 … 678", "address": None}],
            "urgent": [{"way": "sms:Work phone", "after": 0}, {"way": None, "after": 60}],
            "normal": [],
            "quiet_hours": {"since": "22:00", "until": "07:00"},
        },
        {
            "team": "databases",
            "ways": [
                {"kind": "chat", "label": "DBA room", "flavor": "slack", "shown": "https://hooks.example.org/…", "address": None}
            ],
        },
    ]
    raw = packed(*document)
    assert b"secret-part" not in raw
    assert NUMBER.encode() not in raw
    assert differs(world, raw) == []
    assert {outcome for outcome, _, _ in bring(world, raw)} == {"unchanged"}
    assert ContactMethod.objects.get(kind="sms").verified_at is not None


def test_a_way_that_is_brought_in_takes_nothing_until_its_person_shows_that_it_works(world: World, carrier: Carrier) -> None:
    person = {
        "person": AMIR,
        "ways": [SMS],
        "urgent": [{"way": "sms:Work phone", "after": 0}],
        "quiet_hours": {"since": "22:00", "until": "07:00"},
    }
    raw = packed(person)
    changes = [("changed", AMIR, ["ways", "urgent", "quiet_hours"])]
    assert bring(world, raw, is_trial=True) == changes
    assert not ContactMethod.objects.exists()
    assert not PagingHours.objects.exists()
    shown = "\n".join(differs(world, raw))
    assert "+49 … 678" in shown
    assert NUMBER not in shown
    assert bring(world, raw, by=world.ada) == changes
    row = ContactMethod.objects.get()
    assert (row.person_id, row.address, row.verified_at) == (world.amir.pk, NUMBER, None)
    assert not ContactMessage.objects.exists()  # no code: nobody waits for it
    reach = queries.reachable([world.amir.pk])[world.amir.pk]
    assert reach.rules == (Rule(Urgency.URGENT, row.pk, 0),)
    assert reach.quiet == Quiet(22 * 60, 7 * 60)
    assert row.pk not in [one.contact for one in reach.plan(Urgency.URGENT, world.now)]
    (mail,) = Delivery.objects.filter(topic="account")
    assert (mail.person_id, mail.address, mail.content["subject"]) == (world.amir.pk, AMIR, "contacts")
    assert bring(world, raw) == [("unchanged", AMIR, [])]
    assert Delivery.objects.filter(topic="account").count() == 1
    journal = json.dumps([entry.data for entry in Entry.objects.all()])
    assert NUMBER not in journal
    contacts.send_code(row.pk, **world.by(world.amir))
    assert contacts.verify(row.pk, code=carrier.code(), **world.by(world.amir)).is_verified


def test_a_way_without_an_address_is_kept_where_it_is_and_named_where_it_is_not(world: World, carrier: Carrier) -> None:
    raw = packed({"person": AMIR, "ways": [{**SMS, "address": None}], "urgent": [{"way": "sms:Work phone"}, {"way": None}]})
    assert bring(world, raw) == [("changed", AMIR, ["urgent"]), ("lacking", f"{AMIR} sms:Work phone", [])]
    assert not ContactMethod.objects.exists()
    assert [rule.contact for rule in queries.reachable([world.amir.pk])[world.amir.pk].rules] == [None]


def test_what_a_document_does_not_name_stays(world: World, carrier: Carrier) -> None:
    reached(world, carrier)
    raw = packed({"person": AMIR, "ways": [], "normal": [{"way": None, "after": 0}]}, {"team": "databases", "ways": []})
    assert bring(world, raw) == [("changed", AMIR, ["normal"]), ("unchanged", "databases", [])]
    reach = queries.reachable([world.amir.pk])[world.amir.pk]
    assert len(reach.rules) == 3
    assert reach.quiet is not None
    assert ContactMethod.objects.filter(removed_at=None).count() == 2
    assert bring(world, packed({"person": AMIR, "quiet_hours": None, "urgent": []})) == [
        ("changed", AMIR, ["urgent", "quiet_hours"])
    ]


def test_only_who_sets_up_the_installation_takes_it_out_or_brings_it_in(world: World, carrier: Carrier) -> None:
    reached(world, carrier)
    raw = packed({"person": AMIR, "quiet_hours": None})
    for person in (world.amir, world.lena):
        with pytest.raises(NotAllowed):
            said(world, person)
        with pytest.raises(NotAllowed):
            bring(world, raw, by=person)
        with pytest.raises(NotAllowed):
            oncall_files.differences(raw, actor=world.actor(person), now=world.now)
    assert said(world, world.ada)
    assert "contacts" not in oncall_files.document(actor=world.actor(world.lena), now=world.now)
    assert PagingHours.objects.exists()


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"person": "nobody@example.org"}, "contacts.0.person"),
        ({"ways": []}, "contacts.0"),
        ({"person": AMIR, "team": "databases"}, "contacts.0"),
        ({"team": "databases", "urgent": []}, "contacts.0.urgent"),
        ({"person": AMIR, "password": "x"}, "contacts.0.password"),
        ({"person": AMIR, "ways": [{"kind": "pigeon", "address": "x"}]}, "contacts.0.ways.0.kind"),
        ({"person": AMIR, "ways": [{"kind": "desk", "address": "x"}]}, "contacts.0.ways.0.kind"),
        ({"person": AMIR, "ways": [{"kind": "sms", "address": "12"}]}, "contacts.0.ways.0.address"),
        ({"person": AMIR, "ways": [{"kind": "sms", "address": 491511234567}]}, "contacts.0.ways.0.address"),
        ({"person": AMIR, "ways": [{"kind": "sms"}]}, "contacts.0.ways.0"),
        ({"person": AMIR, "ways": [{"kind": "webhook", "address": "http://10.0.0.1/x"}]}, "contacts.0.ways.0.address"),
        ({"team": "databases", "ways": [{"kind": "sms", "address": NUMBER}]}, "contacts.0.ways.0.kind"),
        ({"person": AMIR, "ways": [SMS] * 21}, "contacts.0.ways"),
        ({"person": AMIR, "urgent": [{"way": "sms:Work phone"}]}, "contacts.0.urgent.0.way"),
        ({"person": AMIR, "urgent": [{"way": None, "after": 3601}]}, "contacts.0.urgent.0.after"),
        ({"person": AMIR, "urgent": [{"after": 1}]}, "contacts.0.urgent.0.way"),
        ({"person": AMIR, "quiet_hours": {"since": "25:00", "until": "07:00"}}, "contacts.0.quiet_hours.since"),
        ({"person": AMIR, "quiet_hours": {"since": "07:00", "until": "07:00"}}, "contacts.0.quiet_hours.until"),
        ({"person": AMIR, "quiet_hours": "always"}, "contacts.0.quiet_hours"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_nothing_is_written(
    world: World, carrier: Carrier, part: Any, place: str
) -> None:
    good = {"person": "priya@example.org", "quiet_hours": {"since": "22:00", "until": "07:00"}}
    with pytest.raises(DeskError) as refused:
        bring(world, packed(part, good))
    assert refused.value.field == place
    assert NUMBER not in str(refused.value)
    assert not PagingHours.objects.exists()


def test_the_same_person_or_address_does_not_stand_there_twice(world: World, carrier: Carrier) -> None:
    with pytest.raises(Invalid):
        bring(world, packed({"person": AMIR}, {"person": AMIR}))
    assert bring(world, packed({"person": AMIR, "ways": [SMS, {**SMS, "label": "Again"}]})) == [("changed", AMIR, ["ways"])]
    assert ContactMethod.objects.count() == 1


def test_a_way_nobody_can_send_is_refused(world: World, carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allswell.notifications.carriers.is_ready", lambda kind: False)
    with pytest.raises(Invalid, match="cannot send that way"):
        bring(world, packed({"person": AMIR, "ways": [SMS]}))


def test_somebody_out_of_use_gets_no_ways(world: World, carrier: Carrier) -> None:
    type(world.amir).objects.filter(pk=world.amir.pk).update(is_active=False)
    with pytest.raises((Invalid, Conflict)):
        bring(world, packed({"person": AMIR, "ways": [SMS]}))
