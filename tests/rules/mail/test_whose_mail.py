"""What proves that a mail belongs to a ticket, and that its sender is who they say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allswell.intake.parsers.mail import references
from allswell.intake.parsers.mail.authentication import Authentication, authenticate
from allswell.intake.parsers.mail.references import Own

from .letters import mail

OWN = Own(frozenset({"desk.example"}), frozenset({"support@desk.example"}), b"a key of this installation")
ID = references.message_id(1042, "abc", "desk.example", OWN.key)
ADDRESS = references.reply_address(1042, "support@desk.example", OWN.key)


def test_our_ids_and_addresses_name_their_ticket() -> None:
    assert references.ticket_of_id(ID, OWN) == 1042
    assert references.ticket_of_address(ADDRESS, OWN) == 1042
    assert references.ticket_of_address(ADDRESS.upper(), OWN) == 1042
    assert references.message_id(1042, "abc", "desk.example", OWN.key) == ID
    assert len(ADDRESS.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    "forged",
    [
        ID.replace("1042", "1043"),
        ID.replace("abc", "abd"),
        ID.replace("desk.example", "evil.example"),
        references.message_id(1042, "abc", "desk.example", b"another key"),
        references.message_id(1042, "abc", "evil.example", OWN.key),
        "ticket.1042@desk.example",
        "",
    ],
)
def test_forged_ids_name_none(forged: str) -> None:
    assert references.ticket_of_id(forged, OWN) is None


def test_forged_addresses_name_none() -> None:
    assert references.ticket_of_address(ADDRESS.replace("1042", "1043"), OWN) is None
    assert references.ticket_of_address("support@desk.example", OWN) is None
    other = references.reply_address(1042, "sales@desk.example", OWN.key)
    assert references.ticket_of_address(other, OWN) is None
    assert references.ticket_of_address(ADDRESS, Own(OWN.hosts, OWN.addresses)) is None


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_is_taken_for_an_id_of_ours(said: str) -> None:
    assert references.ticket_of_id(said, OWN) is None
    assert references.ticket_of_address(said, OWN) is None


def test_subjects_name_tickets_without_proving_anything() -> None:
    assert references.tickets_of_subject("Re: [INC-1042] AW: [req-7] x [ABC-3] [INC-1042]", {"INC", "REQ"}) == (1042, 7)
    assert references.tickets_of_subject("INC-1042", {"INC"}) == ()


SENDER = "From: Eva <eva@customer.example>\n"
RECEIVED = "Received: from x by mx.desk.example\n"


def _checked(results: str, *, before: str = "", sender: str = SENDER) -> Authentication:
    return authenticate(mail(head=f"{before}Authentication-Results: {results}\n{RECEIVED}{sender}"), "mx.desk.example")


@pytest.mark.parametrize(
    ("results", "is_aligned"),
    [
        ("mx.desk.example; dmarc=pass header.from=customer.example", True),
        ("mx.desk.example 1; dkim=pass (2048-bit key; secure) header.d=customer.example header.s=x; spf=fail", True),
        ("mx.desk.example; dkim=pass header.i=@customer.example", True),
        ("mx.desk.example; spf=pass smtp.mailfrom=bounce@customer.example; dkim=none", True),
        ("mx.desk.example; dkim=fail header.d=customer.example; dkim=pass header.d=customer.example", True),
        ("mx.desk.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example", False),
        ("mx.desk.example; dmarc=fail header.from=customer.example; dkim=pass header.d=customer.example", False),
        ("mx.desk.example; dmarc=pass header.from=evil.example", False),
        ("mx.desk.example; spf=softfail smtp.mailfrom=customer.example", False),
        ("mx.desk.example; none", False),
        ("mx.desk.example (dmarc=pass header.from=customer.example); dmarc=none", False),
    ],
)
def test_a_sender_is_proven_by_a_trusted_server_alone(results: str, is_aligned: bool) -> None:
    found = _checked(results)
    assert (found.is_checked, found.is_aligned) == (True, is_aligned)


def test_what_others_wrote_about_themselves_is_ignored() -> None:
    good = "mx.desk.example; dmarc=pass header.from=customer.example"
    assert not _checked("mx.evil.example; dmarc=pass header.from=customer.example").is_checked
    assert not _checked(good, before=RECEIVED * 3).is_checked
    above = f"Authentication-Results: mx.desk.example; dmarc=fail\n{RECEIVED}"
    assert not _checked(good, before=above).is_aligned
    assert not authenticate(mail(head=f"Authentication-Results: {good}\n{SENDER}"), "").is_checked


def test_two_senders_are_never_proven() -> None:
    good = "mx.desk.example; dmarc=pass header.from=customer.example"
    assert not _checked(good, sender=f"{SENDER}From: boss@bank.example\n").is_aligned
    assert not _checked(good, sender="From: eva@customer.example, boss@bank.example\n").is_aligned
    assert not _checked(good, sender="").is_aligned
