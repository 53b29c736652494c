"""Mailboxes are set up on pages that say how each stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from allswell.desk.mail import fetching, mailboxes
from allswell.intake.models import InboundMessage, Mailbox
from allswell.kernel.actor import engine
from tests.support.boxes import PASSWORD, a_mailbox, mail
from tests.support.world import World

Browser = Callable[..., Client]
FORM = {
    "name": "Desk",
    "address": "support@example.org",
    "hops": "2",
    "unknown_senders": "hold",
    "ticket_kind": "request",
    "host": "imap.example.org",
    "user": "support",
    "security": "tls",
    "login": "password",
}


def test_one_that_is_fetched_is_set_up_and_changed(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    assert "No mail comes in yet." in ada.get("/setup/mailboxes").content.decode()
    assert "Name of the server" in ada.get("/setup/mailboxes/new?kind=imap").content.decode()
    made = ada.post("/setup/mailboxes/new", {**FORM, "kind": "imap", "password": PASSWORD, "service": world.lookup.pk})
    row = Mailbox.objects.get()
    assert (made.status_code, made.headers["Location"]) == (303, f"/setup/mailboxes/{row.pk}")
    assert (row.unknown_senders, row.ticket_kind, row.service, row.connection["port"]) == ("hold", "request", world.lookup, 993)
    text = ada.get(f"/setup/mailboxes/{row.pk}").content.decode()
    assert PASSWORD not in text
    assert "imap.example.org" in text
    assert "Not tried yet" in ada.get("/setup/mailboxes").content.decode()
    changed = ada.post(f"/setup/mailboxes/{row.pk}", {**FORM, "service": "", "folder": "Desk", "team": world.dba_team.pk})
    assert changed.status_code == 303
    row.refresh_from_db()
    assert (row.service, row.team, row.connection["folder"]) == (None, world.dba_team, "Desk")
    assert mailboxes.opened_secrets(row) == {"password": PASSWORD}


def test_what_was_typed_stays_beside_what_is_wrong_with_it_but_no_password(world: World, browser: Browser) -> None:
    answer = browser(world.ada).post("/setup/mailboxes/new", {**FORM, "kind": "imap", "host": "a b", "password": PASSWORD})
    text = answer.content.decode()
    assert (answer.status_code, 'id="host-error"' in text, 'value="a b"' in text, PASSWORD in text) == (422, True, True, False)
    row, _key = a_mailbox(world, "imap")
    answer = browser(world.ada).post(f"/setup/mailboxes/{row.pk}", {**FORM, "host": "other.example.org"})
    assert (answer.status_code, 'id="password-error"' in answer.content.decode()) == (422, True)
    answer = browser(world.ada).post("/setup/mailboxes/new", {**FORM, "kind": "pipe", "hops": "many"})
    assert (answer.status_code, 'id="hops-error"' in answer.content.decode()) == (422, True)


def test_the_key_of_one_that_is_posted_is_shown_once(world: World, browser: Browser) -> None:
    ada = browser(world.ada)
    text = ada.post("/setup/mailboxes/new", {**FORM, "kind": "http"}).content.decode()
    row = Mailbox.objects.get()
    key = text.split("/in/mail/")[1].split("<")[0]
    place = f"/setup/mailboxes/{row.pk}"
    assert key not in ada.get(place).content.decode()
    assert Client().post(f"/in/mail/{key}", mail(), content_type="message/rfc822").status_code == 202
    fresh = ada.post(f"{place}/new-key").content.decode().split("/in/mail/")[1].split("<")[0]
    assert Client().post(f"/in/mail/{key}", mail(), content_type="message/rfc822").status_code == 404
    assert Client().post(f"/in/mail/{fresh}", mail(), content_type="message/rfc822").status_code == 202
    assert InboundMessage.objects.count() == 1


@pytest.mark.parametrize("kind", ["listener", "pipe"])
def test_what_to_do_at_the_mail_server_is_said(world: World, browser: Browser, kind: str) -> None:
    browser(world.ada).post("/setup/mailboxes/new", {**FORM, "kind": kind})
    text = browser(world.ada).get(f"/setup/mailboxes/{Mailbox.objects.get().pk}").content.decode()
    said = {"listener": "ALLSWELL_MAIL_LISTEN says where", "pipe": "allswell mail receive --mailbox support@example.org"}
    assert said[kind] in text


def test_trouble_is_said_in_plain_words(world: World, browser: Browser) -> None:
    row, _key = a_mailbox(world, "imap", connection={"host": "127.0.0.1", "user": "x"})
    fetching.note_trouble(row.pk, "folder: <b>Mailbox</b> doesn't exist", actor=engine(), now=world.now)
    ada = browser(world.ada)
    text = ada.get("/setup/mailboxes").content.decode()
    assert "The folder cannot be opened. (&lt;b&gt;Mailbox&lt;/b&gt; doesn&#39;t exist)" in text
    assert "Failing since" in text
    assert "No mail can be fetched since" in ada.get(f"/setup/mailboxes/{row.pk}").content.decode()
    assert "The server cannot be reached." in ada.post(f"/setup/mailboxes/{row.pk}/try").content.decode()


def test_one_is_switched_off_and_deleted_as_long_as_nothing_came(world: World, browser: Browser) -> None:
    row, _key = a_mailbox(world, "pipe")
    ada, place = browser(world.ada), f"/setup/mailboxes/{row.pk}"
    assert ada.post(f"{place}/switch").status_code == 303
    assert "no mail is taken there" in ada.get(place).content.decode()
    assert ada.post(f"{place}/switch", {"on": "1"}).status_code == 303
    assert ada.post(f"{place}/remove").status_code == 303
    assert not Mailbox.objects.exists()
    assert ada.get(place).status_code == 404


def test_who_reads_the_setup_changes_nothing(world: World, browser: Browser) -> None:
    row, _key = a_mailbox(world, "imap")
    assert browser(world.jonas).get(f"/setup/mailboxes/{row.pk}").status_code in (403, 404)
    assert browser(world.jonas).post("/setup/mailboxes/new", {**FORM, "kind": "pipe"}).status_code in (403, 404)
    assert Mailbox.objects.count() == 1
