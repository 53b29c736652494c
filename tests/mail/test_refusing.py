"""A mailbox that takes no mail of strangers tells them so: once, politely, and never to whom somebody else named as the sender."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from allswell.notifications.models import Delivery
from allswell.people.models import Person
from allswell.tickets.models import Ticket
from tests.support.post import Post
from tests.support.responders import Exchange, without_any
from tests.support.world import World

UDO = "Udo Unbekannt <udo@customer.example>"


@pytest.fixture
def exchange(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    settings.MAIL_FROM = "Desk <notices@desk.example>"
    return Exchange(Post(world, unknown_senders="refuse"), monkeypatch, {})


def _told(exchange: Exchange) -> list[EmailMessage]:
    exchange.settle()
    return exchange.sent


def test_a_stranger_is_told_once_in_a_week(exchange: Exchange, world: World) -> None:
    people = Person.objects.count()
    found = exchange.post.mail(UDO, "Let me in.", subject="A question", message_id="q1@customer.example")
    assert (found.state, found.reason) == ("refused", "unknown_told")
    (mail,) = _told(exchange)
    assert str(mail["To"]) == UDO
    assert str(mail["From"]) == '"Support (Northbank)" <support@desk.example>'
    assert (mail["Subject"], mail["In-Reply-To"]) == ("Your mail was not taken", "<q1@customer.example>")
    assert (mail["Auto-Submitted"], mail["Precedence"]) == ("auto-replied", None)
    words = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert '"A question" to support@desk.example' in words.replace("\n", " ")
    assert "profile" not in words, "they have none"
    assert exchange.post.mail(UDO, "Please.").reason == "unknown"
    assert len(_told(exchange)) == 1
    world.forward(days=8)
    exchange.post.mail(UDO, "Still here.")
    assert len(_told(exchange)) == 2
    assert not Ticket.objects.exists()
    assert Person.objects.count() == people


def test_nobody_is_told_who_is_not_proven_to_have_written(exchange: Exchange) -> None:
    for proven in (False, "dmarc=fail header.from=customer.example", "spf=softfail smtp.mailfrom=udo@customer.example"):
        found = exchange.post.mail(UDO, f"It was me, they say: {proven}", proven=proven)
        assert found.state in ("refused", "held")
    assert _told(exchange) == []


@pytest.mark.parametrize(
    "more",
    ["Auto-Submitted: auto-replied\n", "Precedence: bulk\n", "List-Id: <news.customer.example>\n", "Return-Path: <>\n"],
)
def test_no_program_is_told(exchange: Exchange, more: str) -> None:
    exchange.post.mail(UDO, "Buy three of them.", more=more)
    assert _told(exchange) == []


def test_a_stranger_whose_program_answers_ends_it(exchange: Exchange) -> None:
    exchange.responders["udo@customer.example"] = without_any
    exchange.post.mail(UDO, "Let me in.")
    assert len(_told(exchange)) == 1
    assert exchange.answered == 1


def test_nothing_goes_out_when_the_mailbox_is_switched_off_meanwhile(exchange: Exchange) -> None:
    exchange.post.mail(UDO, "Let me in.")
    exchange.post.mailbox.is_active = False
    exchange.post.mailbox.save()
    assert _told(exchange) == []
    assert Delivery.objects.get(address="udo@customer.example").outcome == "moot"


def test_odd_words_of_theirs_break_nothing(exchange: Exchange) -> None:
    exchange.post.mail('"%(who)s <b>" <udo@customer.example>', "x", subject="100 % <script>alert(1)</script> %(to)d")
    (mail,) = _told(exchange)
    page = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script" not in page
    assert "100 %" in page
