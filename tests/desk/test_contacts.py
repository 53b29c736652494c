"""How people say by what they are reached, and show that messages arrive there."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from allswell.desk import contact_messages, contacts
from allswell.engine.contacts import Contacts
from allswell.journal.models import Entry
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound
from allswell.notifications import queries, rules
from allswell.notifications.letters import PageMessage, Way
from allswell.notifications.models import ContactMessage, ContactMethod
from allswell.notifications.rules import Answer, ContactKind, Outcome, Urgency
from allswell.people.models import Person
from tests.support.world import World

NUMBER = "+4915112345678"
CHAT = "https://hooks.example.org/services/T0/B0/secret-part"


class Carrier:
    """Takes every message and keeps it; or answers what it is told to."""

    def __init__(self, world: World) -> None:
        self.world, self.sent = world, list[tuple[str, PageMessage, str]]()
        self.answers: list[Outcome] = []
        self.engine = Contacts({kind.value: self for kind in ContactKind}, now=lambda: world.now)

    def __call__(self, message: PageMessage, to: Way, *, allowed: Any, started_at: datetime, now: Any) -> Answer:
        outcome = self.answers.pop(0) if self.answers else Outcome.SENT
        if outcome is Outcome.SENT:
            self.sent.append((to.kind, message, to.address))
        return Answer(outcome, started_at, now(), detail="" if outcome is Outcome.SENT else "503 busy")

    def work(self) -> None:
        while self.engine.is_due(self.world.now):
            self.engine.tick(self.world.now)

    def code(self) -> str:
        """The code of the newest message."""
        self.work()
        found = re.search(r"\b(\d{6})\b", self.sent[-1][1].text)
        assert found is not None
        return found[1]


@pytest.fixture
def carrier(world: World, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Carrier:
    monkeypatch.setattr("allswell.notifications.carriers.is_ready", lambda kind: True)
    settings.OUTGOING_ALLOW = []
    return Carrier(world)


def _verified(world: World, carrier: Carrier, person: Person, kind: str = "sms", address: str = NUMBER, **more: Any) -> int:
    row = contacts.add_contact(kind=kind, address=address, **more, **world.by(person))
    assert contacts.verify(row.pk, code=carrier.code(), **world.by(person)).is_verified
    return row.pk


def test_a_number_is_added_and_shown_to_be_theirs(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address="0049 151 12345678", label="Work phone", **world.by(world.jonas))
    assert (row.address, row.shown, row.verified_at) == (NUMBER, "+49 … 678", None)
    assert ContactKind.SMS not in queries.reachable([world.jonas.pk])[world.jonas.pk].kinds
    code = carrier.code()
    assert [(kind, to) for kind, _, to in carrier.sent] == [("sms", NUMBER)]
    assert contacts.verify(row.pk, code=f" {code[:3]} {code[3:]} ", **world.by(world.jonas)).is_verified
    assert ContactKind.SMS in queries.reachable([world.jonas.pk])[world.jonas.pk].kinds
    assert contacts.verify(row.pk, code="", **world.by(world.jonas)).is_verified


def test_two_people_may_share_a_number_but_each_shows_it_once(world: World, carrier: Carrier) -> None:
    one, two = (_verified(world, carrier, person) for person in (world.jonas, world.julia))
    assert queries.contacts_by_number(NUMBER) == [(one, world.jonas.pk), (two, world.julia.pk)]
    with pytest.raises(Invalid) as refused:
        contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    assert refused.value.field == "address"


def test_guessing_ends_after_five_tries(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    code = carrier.code()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    left = [contacts.verify(row.pk, code=wrong, **world.by(world.jonas)).guesses_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert not contacts.verify(row.pk, code=code, **world.by(world.jonas)).is_verified
    contacts.send_code(row.pk, **world.by(world.jonas))
    assert contacts.verify(row.pk, code=carrier.code(), **world.by(world.jonas)).is_verified


def test_a_code_opens_ten_minutes_and_only_the_newest_does(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    first = carrier.code()
    contacts.send_code(row.pk, **world.by(world.jonas))
    second = carrier.code()
    if first != second:
        assert not contacts.verify(row.pk, code=first, **world.by(world.jonas)).is_verified
    world.forward(minutes=10)
    assert not contacts.verify(row.pk, code=second, **world.by(world.jonas)).is_verified


def test_codes_are_not_sent_without_end(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    for _ in range(rules.MOST_CODES - 1):
        contacts.send_code(row.pk, **world.by(world.jonas))
    with pytest.raises(DeskError) as refused:
        contacts.send_code(row.pk, **world.by(world.jonas))
    assert refused.value.http == 429
    for n in range(rules.MOST_MESSAGES - rules.MOST_CODES):
        contacts.add_contact(kind="sms", address=f"+49151000000{n:02d}", **world.by(world.jonas))
    with pytest.raises(DeskError) as many:
        contacts.add_contact(kind="sms", address="+4915100000099", **world.by(world.jonas))
    assert many.value.http == 429
    world.forward(hours=1, minutes=1)
    contacts.send_code(row.pk, **world.by(world.jonas))


@pytest.mark.parametrize(
    ("kind", "address", "flavor", "field"),
    [
        ("sms", "0151 12345678", "", "address"),
        ("voice", "not a number", "", "address"),
        ("sms", "1" * 100_000, "", "address"),
        ("email", "nobody", "", "address"),
        ("chat", "ftp://example.org/x", "slack", "address"),
        ("chat", "http://169.254.169.254/latest", "slack", "address"),
        ("chat", CHAT, "irc", "flavor"),
        ("webhook", "https://localhost/x", "", "address"),
        ("ntfy", "https://ntfy.example.org/", "", "address"),
        ("push", "{}", "", "address"),
        ("apprise", "json://10.0.0.1/", "", "address"),
        ("desk", "x", "", "kind"),
        ("pigeon", "x", "", "kind"),
        ("", "", "", "kind"),
        ("email", "", "", "address"),
    ],
)
def test_bad_input_is_answered_beside_its_field(
    world: World, carrier: Carrier, kind: str, address: str, flavor: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        contacts.add_contact(kind=kind, address=address, flavor=flavor, **world.by(world.jonas))
    assert refused.value.field == field
    assert not ContactMethod.objects.exists()


def test_what_has_no_carrier_cannot_be_added(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allswell.notifications.carriers.is_ready", lambda kind: kind != "sms")
    with pytest.raises(Invalid) as refused:
        contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    assert refused.value.field == "kind"


def test_somebody_elses_contact_is_not_there(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    code = carrier.code()
    for person in (world.julia, world.lena, world.ada, world.oskar, world.audrey):
        by = world.by(person)
        with pytest.raises(NotFound):
            contacts.verify(row.pk, code=code, **by)
        with pytest.raises(NotFound):
            contacts.send_code(row.pk, **by)
        with pytest.raises(NotFound):
            contacts.remove_contact(row.pk, **by)
    other = _verified(world, carrier, world.julia)
    with pytest.raises(Invalid):
        contacts.set_rules("urgent", wanted=[(other, 0)], **world.by(world.jonas))
    with pytest.raises(NotAllowed):
        contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.maria))


def test_secrets_are_sealed_and_never_written_down_elsewhere(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="chat", address=CHAT, flavor="slack", **world.by(world.jonas))
    message = ContactMessage.objects.get()
    code = carrier.code()
    row.refresh_from_db()
    assert "secret-part" not in row.address
    assert row.shown == "https://hooks.example.org/…"
    assert contacts.opened(row.kind, row.address) == CHAT
    assert carrier.sent[-1][2] == CHAT
    contacts.verify(row.pk, code=code, **world.by(world.jonas))
    contacts.remove_contact(row.pk, **world.by(world.jonas))
    written = str(list(Entry.objects.values_list("data", flat=True)))
    assert "example.org" not in written
    assert code not in written
    message.refresh_from_db()
    assert (message.code, code in message.digest) == ("", False)
    row.refresh_from_db()
    assert row.address == ""
    assert Entry.objects.filter(about_kind="contact_method", about_id=row.pk).count() == 3


def test_rules_are_kept_in_order_and_taken_back(world: World, carrier: Carrier) -> None:
    sms = _verified(world, carrier, world.jonas)
    contacts.set_rules("urgent", wanted=[(sms, 120), (None, 0), (sms, 120)], **world.by(world.jonas))
    reach = queries.reachable([world.jonas.pk])[world.jonas.pk]
    assert [(rule.contact, rule.after) for rule in reach.rules] == [(None, 0), (sms, 120)]
    contacts.set_rules("urgent", wanted=[], **world.by(world.jonas))
    assert queries.reachable([world.jonas.pk])[world.jonas.pk].rules == ()
    for urgency, wanted, field in (
        ("loud", [], "urgency"),
        ("urgent", [(sms, 3601)], "rules"),
        ("urgent", [(sms, -1)], "rules"),
        ("urgent", [(10**12, 0)], "rules"),
        ("urgent", [(None, n) for n in range(30)], "rules"),
    ):
        with pytest.raises(Invalid) as refused:
            contacts.set_rules(urgency, wanted=wanted, **world.by(world.jonas))
        assert refused.value.field == field


def test_quiet_hours_hold_normal_pages_in_ones_own_zone(world: World) -> None:
    Person.objects.filter(pk=world.jonas.pk).update(time_zone="Europe/Berlin")
    contacts.set_quiet_hours(since=22 * 60, until=7 * 60, **world.by(world.jonas))
    reach = queries.reachable([world.jonas.pk])[world.jonas.pk]
    night = world.now.replace(hour=23)
    assert {row.due_at for row in reach.plan(Urgency.NORMAL, night)} == {night.replace(day=night.day + 1, hour=6)}
    assert {row.due_at for row in reach.plan(Urgency.URGENT, night)} == {night}
    contacts.set_quiet_hours(since=None, until=None, **world.by(world.jonas))
    assert queries.reachable([world.jonas.pk])[world.jonas.pk].quiet is None
    for since, until, field in ((60, 60, "until"), (60, None, "until"), (None, 5, "since"), (1440, 5, "since"), (-1, 5, "since")):
        with pytest.raises(Invalid) as refused:
            contacts.set_quiet_hours(since=since, until=until, **world.by(world.jonas))
        assert refused.value.field == field


def test_a_room_belongs_to_a_team_and_to_who_leads_it(world: World, carrier: Carrier) -> None:
    world.dba_team.organization = world.bank
    world.dba_team.save()
    row = contacts.add_room(world.dba_team.pk, kind="chat", address=CHAT, flavor="mattermost", **world.by(world.lena))
    assert contacts.verify(row.pk, code=carrier.code(), **world.by(world.ada)).is_verified
    assert [room.pk for room in queries.rooms_of(world.dba_team.pk)] == [row.pk]
    with pytest.raises(NotFound):
        contacts.remove_contact(row.pk, **world.by(world.amir))
    with pytest.raises(NotAllowed):
        contacts.add_room(world.dba_team.pk, kind="chat", address=CHAT + "2", flavor="slack", **world.by(world.amir))
    with pytest.raises(NotFound):
        contacts.add_room(world.dba_team.pk, kind="chat", address=CHAT + "2", flavor="slack", **world.by(world.oskar))
    with pytest.raises(Invalid):
        contacts.add_room(world.dba_team.pk, kind="sms", address=NUMBER, **world.by(world.lena))
    contacts.remove_contact(row.pk, **world.by(world.ada))
    assert not queries.rooms_of(world.dba_team.pk).exists()


def test_a_test_goes_by_every_way_that_is_verified(world: World, carrier: Carrier) -> None:
    sms = _verified(world, carrier, world.jonas)
    contacts.add_contact(kind="voice", address=NUMBER, **world.by(world.jonas))
    carrier.work()
    carrier.sent.clear()
    assert contacts.send_test(**world.by(world.jonas)) == 2
    carrier.work()
    assert {(kind, to) for kind, _, to in carrier.sent} == {("sms", NUMBER), ("email", "jonas@example.org")}
    assert all(message.is_drill for _, message, _ in carrier.sent)
    assert {(row.contact_id, row.outcome) for row in queries.last_test(world.jonas.pk, world.now)} == {
        (sms, "sent"),
        (None, "sent"),
    }
    for _ in range(rules.MOST_TESTS - 1):
        world.forward(seconds=1)
        contacts.send_test(**world.by(world.jonas))
    with pytest.raises(DeskError) as refused:
        contacts.send_test(**world.by(world.jonas))
    assert refused.value.http == 429


def test_who_has_no_way_at_all_is_told_so(world: World, carrier: Carrier) -> None:
    world.jonas.addresses.update(proof="vouched")
    with pytest.raises(Conflict):
        contacts.send_test(**world.by(world.jonas))


def test_a_carrier_that_is_busy_is_asked_again_and_then_named(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    carrier.answers = [Outcome.RETRY] * 9
    for _ in range(9):
        carrier.work()
        world.forward(seconds=31)
    message = queries.last_messages([row.pk])[row.pk]
    assert (message.outcome, message.attempts, message.detail) == ("failed", 5, "503 busy")
    row.refresh_from_db()
    assert row.failing_since is not None


def test_an_engine_that_died_is_followed_by_another(world: World, carrier: Carrier) -> None:
    contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    (dead,) = contact_messages.claim(8, **world.by(world.ada))
    assert not carrier.engine.is_due(world.now)
    world.forward(seconds=61)
    carrier.work()
    answer = Answer(Outcome.SENT, world.now, world.now)
    assert not contact_messages.settle(dead, answer, **world.by(world.ada))
    assert len(carrier.sent) == 1


def test_what_is_removed_before_it_is_sent_is_not_sent(world: World, carrier: Carrier) -> None:
    row = contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    contacts.remove_contact(row.pk, **world.by(world.jonas))
    carrier.work()
    assert carrier.sent == []
    assert ContactMessage.objects.get().outcome == "moot"


def test_a_sender_that_breaks_spoils_nothing_for_the_others(world: World, carrier: Carrier) -> None:
    def broken(*args: Any, **kwargs: Any) -> Answer:
        raise RuntimeError("no")

    contacts.add_contact(kind="sms", address=NUMBER, **world.by(world.jonas))
    contacts.add_contact(kind="voice", address=NUMBER, **world.by(world.jonas))
    carrier.engine.channels = {"sms": broken, "voice": carrier}
    carrier.engine.tick(world.now)
    assert [kind for kind, _, _ in carrier.sent] == ["voice"]
    assert contact_messages.tidy(actor=world.actor(world.ada), now=world.forward(days=8)) == 2
