"""The pages of mail that came in: what has to be looked at, what became of it, try again, delete."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from allswell.desk.mail import keeping
from allswell.intake.models import InboundMessage, MessageSource
from tests.support.post import Post
from tests.support.world import World

Browser = Callable[..., Client]
RAW = b"From: Eve <eve@example.net>\r\nSubject: <script>hello</script>\r\n\r\n<b>The printer</b> is on fire\r\n"


@pytest.fixture
def held(world: World) -> InboundMessage:
    """A mail of somebody nobody knows."""
    number = keeping.keep(RAW, mailbox=None, **world.by(world.ada))
    InboundMessage.objects.filter(pk=number).update(
        state="held", sender="eve@example.net", subject="<script>hello</script>", detail="Nobody knows this sender."
    )
    return InboundMessage.objects.get(pk=number)


def test_what_waits_for_a_decision_is_shown_first(world: World, browser: Browser, held: InboundMessage) -> None:
    keeping.keep(b"Subject: another\r\n\r\nx", mailbox=None, **world.by(world.ada))
    ada = browser(world.ada)
    text = ada.get("/setup/mail").content.decode()
    assert "&lt;script&gt;hello" in text
    assert "<script>hello" not in text
    assert "Nobody knows this sender." in text
    assert f"/setup/mail/{held.pk}" in text
    assert "Waiting" in ada.get("/setup/mail?show=pending").content.decode()
    assert "No mail fits." in ada.get("/setup/mail?show=all&sender=nobody@example.net").content.decode()
    assert "eve@example.net" in ada.get("/setup/mail?show=all&sender=EVE@example.net").content.decode()


def test_the_list_says_why_a_mail_waits(world: World, browser: Browser) -> None:
    Post(world, unknown_senders="hold").mail("Max <max@elsewhere.example>")
    assert "Nobody knows this sender." in browser(world.ada).get("/setup/mail").content.decode()


def test_a_held_mail_is_read_and_its_words_are_only_words(world: World, browser: Browser, held: InboundMessage) -> None:
    text = browser(world.ada).get(f"/setup/mail/{held.pk}").content.decode()
    assert "&lt;b&gt;The printer&lt;/b&gt; is on fire" in text
    source = browser(world.ada).get(f"/setup/mail/{held.pk}/source")
    assert source.content == RAW
    assert source.headers["Content-Disposition"] == f'attachment; filename="mail-{held.pk}.eml"'
    assert source.headers["Content-Type"] == "application/octet-stream"


def test_mail_in_quarantine_is_not_read_in_a_page(world: World, browser: Browser, held: InboundMessage) -> None:
    InboundMessage.objects.filter(pk=held.pk).update(state="quarantined")
    text = browser(world.ada).get(f"/setup/mail/{held.pk}").content.decode()
    assert "In quarantine: it could not be read." in text
    assert "is on fire" not in text


def test_it_is_tried_again_or_deleted(world: World, browser: Browser, held: InboundMessage) -> None:
    ada = browser(world.ada)
    assert ada.post(f"/setup/mail/{held.pk}/try-again").status_code == 303
    held.refresh_from_db()
    assert (held.state, held.detail) == ("pending", "")
    assert ada.post(f"/setup/mail/{held.pk}/forget").status_code == 409
    InboundMessage.objects.filter(pk=held.pk).update(state="quarantined")
    assert ada.post(f"/setup/mail/{held.pk}/forget").status_code == 303
    held.refresh_from_db()
    assert held.state == "deleted"
    assert not MessageSource.objects.exists()
    assert ada.get(f"/setup/mail/{held.pk}/source").status_code == 404
    assert ada.post(f"/setup/mail/{held.pk}/try-again").status_code == 409
    assert ada.get(f"/setup/mail/{held.pk}").status_code == 200


def test_the_list_goes_on_page_by_page(world: World, browser: Browser) -> None:
    for number in range(51):
        keeping.keep(b"Subject: %d\r\n\r\nx" % number, mailbox=None, **world.by(world.ada))
    ada = browser(world.ada)
    first = ada.get("/setup/mail?show=all").content.decode()
    assert first.count("(no subject)") == 50
    following = first.split("before=")[1].split('"')[0]
    assert ada.get(f"/setup/mail?show=all&before={following}").content.decode().count("(no subject)") == 1


def test_why_is_told_on_its_page(world: World, browser: Browser) -> None:
    post = Post(world, unknown_senders="hold")
    held = post.mail("Eva <eva@customer.example>")
    page = browser(world.ada).get(f"/setup/mail/{held.pk}").content.decode()
    assert "Nobody knows this sender." in page
    assert "Judged as: a letter of a person" in page
    assert "The sender is proven: DMARC pass" in page
    assert browser(world.ada).post(f"/setup/mail/{held.pk}/release", {"person": ""}).status_code == 303
    post.take()
    held.refresh_from_db()
    text = browser(world.ada).get(f"/setup/mail/{held.pk}").content.decode()
    assert f"It opened ticket {held.ticket_id}." in text
