"""Mailboxes are set up; what lets us in is sealed, and never goes anywhere else."""

from __future__ import annotations

import json

import pytest

from allswell.desk.mail import brought, fetching, mailboxes
from allswell.intake.models import InboundMessage, Mailbox
from allswell.intake.servers.trouble import Problem
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound
from tests.support.boxes import PASSWORD, SERVER, a_mailbox, mail
from tests.support.world import World


def test_a_password_is_sealed_and_stands_nowhere(world: World) -> None:
    row, key = a_mailbox(world, "imap")
    assert key == ""
    row.refresh_from_db()
    assert PASSWORD not in row.secret
    assert mailboxes.opened_secrets(row) == {"password": PASSWORD}
    mailboxes.change(row.pk, name="Other", secret={"password": "another-one"}, **world.by(world.ada))
    said = json.dumps([one.data for one in Entry.objects.filter(about_kind="mailbox")])
    assert PASSWORD not in said
    assert "another-one" not in said
    assert "example.org" not in said
    (post,) = fetching.posts()
    assert PASSWORD not in repr(post)
    assert "another-one" not in repr(post)


def test_a_kept_password_is_not_sent_to_another_server(world: World) -> None:
    row, _key = a_mailbox(world, "imap")
    for other in (
        {"host": "evil.example.net"},
        {"user": "root"},
        {"login": "oauth", "token_url": "https://e.net/t", "client_id": "x"},
    ):
        with pytest.raises(Invalid):
            mailboxes.change(row.pk, connection=other, **world.by(world.ada))
    mailboxes.change(row.pk, connection={"folder": "Desk", "port": 1993}, **world.by(world.ada))
    mailboxes.change(row.pk, connection={"host": "imap2.example.org"}, secret={"password": "fresh"}, **world.by(world.ada))
    row.refresh_from_db()
    assert (row.connection["host"], row.connection["folder"], row.connection["port"]) == ("imap2.example.org", "Desk", 1993)
    assert mailboxes.opened_secrets(row) == {"password": "fresh"}


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", {"name": " "}),
        ("address", {"address": "no address"}),
        ("address", {"address": "support+x@example.org"}),
        ("kind", {"kind": "pigeon"}),
        ("host", {"connection": {**SERVER, "host": "a b"}}),
        ("host", {"connection": {**SERVER, "host": ""}}),
        ("user", {"connection": {**SERVER, "user": ""}}),
        ("port", {"connection": {**SERVER, "port": 70_000}}),
        ("security", {"connection": {**SERVER, "security": "none"}}),
        ("done_folder", {"connection": {**SERVER, "done_folder": "INBOX"}}),
        ("password", {"secret": {}}),
        ("password", {"secret": {"password": "a\r\nb LOGOUT"}}),
        ("token_url", {"connection": {**SERVER, "login": "oauth", "token_url": "http://x/", "client_id": "c"}}),
        ("client_id", {"connection": {**SERVER, "login": "oauth", "token_url": "https://x/"}}),
        ("unknown_senders", {"unknown_senders": "shout"}),
        ("ticket_kind", {"ticket_kind": "change"}),
        ("authserv", {"authserv": "not a name"}),
        ("hops", {"hops": 0}),
        ("service", {"service": 999_999}),
        ("organization", {"organization": 999_999}),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(world: World, field: str, wrong: dict[str, object]) -> None:
    usual = {"name": "Desk", "address": "support@example.org", "kind": "imap", "connection": SERVER, "secret": {"password": "x"}}
    with pytest.raises(DeskError) as told:
        mailboxes.create(**{**usual, **wrong}, **world.by(world.ada))  # type: ignore[arg-type]
    assert getattr(told.value, "field", "") == field
    assert not Mailbox.objects.exists()


def test_an_address_belongs_to_one_mailbox(world: World) -> None:
    a_mailbox(world, "pipe")
    with pytest.raises(Invalid):
        a_mailbox(world, "listener", "SUPPORT@example.org")


def test_a_key_opens_until_there_is_a_new_one(world: World) -> None:
    row, key = a_mailbox(world, "http")
    place = brought.posted_to(key)
    assert place is not None
    assert place.mailbox == row.pk
    fresh = mailboxes.rotate(row.pk, **world.by(world.ada))
    assert brought.posted_to(key) is None
    assert brought.posted_to(fresh) is not None
    pipe, _none = a_mailbox(world, "pipe", "pipe@example.org")
    with pytest.raises(Conflict):
        mailboxes.rotate(pipe.pk, **world.by(world.ada))


def test_one_to_which_mail_came_is_switched_off_and_not_deleted(world: World) -> None:
    row, _key = a_mailbox(world, "pipe")
    empty, _none = a_mailbox(world, "pipe", "other@example.org")
    brought.keep(mail(), mailbox=row.pk, actor=engine(), now=world.now)
    with pytest.raises(Conflict):
        mailboxes.remove(row.pk, **world.by(world.ada))
    mailboxes.switch(row.pk, is_active=False, **world.by(world.ada))
    mailboxes.remove(empty.pk, **world.by(world.ada))
    assert Mailbox.objects.get().is_active is False


def test_only_who_sets_up_may(world: World) -> None:
    row, _key = a_mailbox(world, "imap")
    for person in (world.jonas, world.maria, world.lena):
        with pytest.raises((NotAllowed, NotFound)):
            mailboxes.switch(row.pk, is_active=False, **world.by(person))
        with pytest.raises((NotAllowed, NotFound)):
            mailboxes.try_connection(row.pk, actor=world.actor(person))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.8", "169.254.169.254", "2130706433", "0x7f.1"])
def test_no_mailbox_reaches_into_the_installation(world: World, host: str) -> None:
    row, _key = a_mailbox(world, "imap", connection={**SERVER, "host": host, "port": 22})
    trial = mailboxes.try_connection(row.pk, actor=world.actor(world.ada))
    assert (trial.problem, trial.said) == (Problem.UNREACHABLE.value, "")


def test_the_same_mail_is_kept_once(world: World) -> None:
    row, _key = a_mailbox(world, "pipe")
    assert brought.keep(mail(), mailbox=row.pk, envelope_from="", actor=engine(), now=world.now)
    assert brought.keep(mail(), mailbox=row.pk, envelope_from="", actor=engine(), now=world.now) is None
    kept = InboundMessage.objects.get()
    assert (kept.envelope_from, kept.state) == ("", "pending")
    row.refresh_from_db()
    assert row.last_seen_at == world.now


def test_trouble_is_noted_with_the_time_it_began(world: World) -> None:
    row, _key = a_mailbox(world, "imap")
    fetching.note_trouble(row.pk, "sign_in", actor=engine(), now=world.now)
    began = world.now
    world.forward(minutes=5)
    fetching.note_trouble(row.pk, "unreachable", actor=engine(), now=world.now)
    row.refresh_from_db()
    assert (row.failing_since, row.last_error) == (began, "unreachable")
    fetching.note_look(row.pk, actor=engine(), now=world.now)
    row.refresh_from_db()
    assert (row.failing_since, row.last_error, row.looked_at) == (None, "", world.now)


def test_a_mail_that_is_too_large_is_shown_once_without_its_body(world: World) -> None:
    row, _key = a_mailbox(world, "imap")
    head = mail("Ein großes Bild").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    said = {"size": 40_000_000, "place": "7/12", "mailbox": row.pk, "actor": engine(), "now": world.now}
    assert fetching.leave_there(head, **said)  # type: ignore[arg-type]
    assert not fetching.leave_there(head, **said)  # type: ignore[arg-type]
    kept = InboundMessage.objects.get()
    assert (kept.state, kept.reason, kept.size) == ("quarantined", "too_large", 40_000_000)
    assert (kept.sender, kept.subject) == ("maria@example.org", "Ein großes Bild")
