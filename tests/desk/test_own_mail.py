"""Our own ids and addresses in mails: known again after a restart and a change of keys, made up by nobody."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from allswell.desk.mail import ours
from allswell.intake.models import Mailbox
from allswell.intake.parsers.mail import references
from allswell.kernel import clock
from tests.support.world import World


@pytest.fixture
def mailbox(world: World) -> Mailbox:
    return Mailbox.objects.create(name="Support", address="help@desk.example", kind="imap", created_at=clock.now())


def test_what_we_sent_is_ours(world: World, mailbox: Mailbox, settings: LazySettings) -> None:
    settings.MAIL_FROM = "Service desk <Desk@Example.ORG>"
    said = ours.message_id(1042, "ab12.7.replied.3.email")
    address = ours.reply_address(1042, mailbox.address)
    own = ours.own()
    assert ours.message_id(1042, "ab12.7.replied.3.email") == said, "a second try is the same mail"
    assert references.ticket_of_id(said, own) == 1042
    assert references.ticket_of_address(address, own) == 1042
    assert own.addresses == {"help@desk.example", "desk@example.org"}
    assert "key" not in repr(own)


def test_a_change_of_the_secret_key_voids_no_mail(world: World, mailbox: Mailbox, settings: LazySettings) -> None:
    said, address = ours.message_id(7, "x"), ours.reply_address(7, mailbox.address)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key-of-this-installation"
    assert references.ticket_of_id(said, ours.own()) is None, "the key is gone: nobody proves it ours"
    settings.SECRET_KEY_FALLBACKS = [former]
    assert references.ticket_of_id(said, ours.own()) == 7
    assert references.ticket_of_address(address, ours.own()) == 7
    assert references.ticket_of_id(ours.message_id(7, "x"), ours.own()) == 7


def test_the_number_cannot_be_exchanged(world: World, mailbox: Mailbox) -> None:
    own = ours.own()
    said, address = ours.message_id(7, "x"), ours.reply_address(7, mailbox.address)
    assert references.ticket_of_id("8" + said[1:], own) is None
    assert references.ticket_of_address(address.replace("+t7-", "+t8-"), own) is None
    assert references.ticket_of_address(address.replace("desk.example", "elsewhere.example"), own) is None
