"""A mail server hands a mail to the command; how it ends is what the mail server goes by."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.db import OperationalError

from allswell.desk.mail import brought, mailboxes
from allswell.intake.models import InboundMessage
from tests.support.boxes import a_mailbox, mail
from tests.support.world import World

from .conftest import Done

Run = Callable[..., Done]
Pipe = Callable[[bytes], None]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    for name in ("SENDER", "RECIPIENT", "ORIGINAL_RECIPIENT"):
        monkeypatch.delenv(name, raising=False)

    def hands_over(raw: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))

    return hands_over


def test_zero_means_that_it_is_kept(world: World, allswell: Run, pipe: Pipe) -> None:
    row, _key = a_mailbox(world, "pipe")
    pipe(mail())
    done = allswell("mail", "receive", "--mailbox", "Support+t1@example.org", "--from", "<>")
    assert (done.code, done.out) == (0, "")
    kept = InboundMessage.objects.get()
    assert (kept.mailbox_id, kept.envelope_from, kept.envelope_to) == (row.pk, "", ["support+t1@example.org"])


def test_the_mail_server_may_say_it_by_the_environment(
    world: World, allswell: Run, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_mailbox(world, "pipe", "first@example.org")
    row, _key = a_mailbox(world, "pipe")
    pipe(mail(to="somebody@example.net"))
    monkeypatch.setenv("RECIPIENT", "support@example.org")
    monkeypatch.setenv("SENDER", "maria@example.org")
    assert allswell("mail", "receive").code == 0
    kept = InboundMessage.objects.get()
    assert (kept.mailbox_id, kept.envelope_from) == (row.pk, "maria@example.org")


def test_the_head_says_where_it_belongs_or_there_is_only_one(world: World, allswell: Run, pipe: Pipe) -> None:
    row, _key = a_mailbox(world, "pipe")
    pipe(mail("One", to="somebody@example.net"))
    assert allswell("mail", "receive").code == 0
    a_mailbox(world, "pipe", "second@example.org")
    pipe(mail("Two", to="x@example.net, Second <second+a@example.org>"))
    assert allswell("mail", "receive").code == 0
    pipe(mail("Three", to="x@example.net"))
    assert allswell("mail", "receive").code == 67
    said = dict(InboundMessage.objects.order_by("id").values_list("mailbox__address", "mailbox"))
    assert list(said) == ["support@example.org", "second@example.org"]
    assert said["support@example.org"] == row.pk


def test_what_will_never_be_taken_is_sent_back_and_all_else_waits(
    world: World, allswell: Run, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, _key = a_mailbox(world, "pipe")
    pipe(b"x" * 25_000_001)
    assert allswell("mail", "receive").code == 65
    pipe(mail())
    assert allswell("mail", "receive", "--mailbox", "nobody@example.org").code == 67
    pipe(mail())
    assert allswell("mail", "receive", "--mailbocks", "x").code == 75
    mailboxes.switch(row.pk, is_active=False, **world.by(world.ada))
    pipe(mail())
    assert allswell("mail", "receive", "--mailbox", "support@example.org").code == 67
    mailboxes.switch(row.pk, is_active=True, **world.by(world.ada))

    def away(*_said: object, **_more: object) -> None:
        raise OperationalError("no such server")

    monkeypatch.setattr(brought, "place_of", away)
    pipe(mail())
    done = allswell("mail", "receive")
    assert (done.code, done.err.count("\n")) == (75, 1)
    assert not InboundMessage.objects.exists()
