"""The real mails of other programs' tests through the whole pipeline."""

from __future__ import annotations

import pytest

from allswell.intake.models import InboundMessage
from allswell.tickets.models import Ticket
from tests.rules.mail import test_real_mail as corpus
from tests.support.post import Post
from tests.support.responders import Exchange
from tests.support.world import World


def test_real_mails_go_all_the_way_and_programs_get_no_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    files = corpus._files()
    exchange = Exchange(Post(world), monkeypatch, {})
    programs = set()
    opened: dict[str, Ticket] = {}
    for name, raw in files.items():
        world.forward(minutes=11)
        before = Ticket.objects.count()
        number = exchange.post.kept(b"X-Sample: " + name.encode() + b"\n" + raw.lstrip())
        exchange.post.take()
        message = InboundMessage.objects.get(pk=number)
        assert message.state in ("taken", "ignored", "held"), (name, message.state, message.reason, message.detail)
        label = corpus._label(name)
        if Ticket.objects.count() > before:
            opened[name] = Ticket.objects.latest("pk")
        if label in corpus.BY_PROGRAMS:
            programs.add(name)
    assert len(programs) == 109
    assert len([name for name in programs if name in opened]) <= 0.03 * len(programs)
    exchange.settle()
    recipients = {str(mail["To"]) for mail in exchange.sent}
    senders = {
        row.sender
        for row in InboundMessage.objects.exclude(mail_kind__in=["person", "calendar"])
        if row.sender and row.person is None
    }
    answered = {row.sender for row in InboundMessage.objects.filter(mail_kind__in=["person", "calendar"])}
    assert [one for one in recipients if any(sender in one for sender in senders - answered)] == []
    assert len(exchange.sent) > 30
