"""Mail that is signed: others can prove by whose domain it was sent, and a key that cannot be used stops nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from allswell.engine.outbox import Mail
from allswell.notifications import signing
from allswell.notifications.letters import Way
from allswell.notifications.rules.signing import Place, domain_name
from tests.channels.pages import send as send_page
from tests.support.mailbox import Mailbox
from tests.support.world import World

SENDER = "Service desk <desk@example.org>"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with Mailbox() as box:
        settings.SMTP_URL, settings.MAIL_FROM = box.url, SENDER
        yield box


@pytest.fixture
def keys(settings: Any, tmp_path: Path) -> list[Place]:
    """An RSA and an Ed25519 key in use."""
    places = [Place("desk-rsa", tmp_path / "rsa.pem"), Place("desk-ed", tmp_path / "ed.pem")]
    signing.make(places[0], kind="rsa")
    signing.make(places[1], kind="ed25519")
    settings.DKIM_KEYS = places
    return places


def send(world: World) -> None:
    """The engine works until nothing is due."""
    world.forward(seconds=15)
    module = Mail(now=lambda: world.now)
    while module.is_due(world.now):
        module.tick(world.now)


def proven(raw: bytes, places: list[Place]) -> list[bool]:
    """What a mail server that looks the keys up finds of each signature."""
    published = {domain_name(place.selector, "example.org"): signing.load(place).record for place in places}

    def asked(name: bytes | str, timeout: float = 5) -> bytes | None:
        found = published.get((name.decode() if isinstance(name, bytes) else name).rstrip("."))
        return found.encode() if found else None

    checked = dkim.DKIM(raw)
    found = []
    for place in range(raw.lower().count(b"dkim-signature:")):
        try:
            found.append(bool(checked.verify(idx=place, dnsfunc=asked)))
        except dkim.ValidationError:
            found.append(False)
    return found


def test_every_mail_has_a_signature_of_each_key(world: World, mailbox: Mailbox, keys: list[Place]) -> None:
    world.report(title="Größe paßt nicht: " + "sehr lang " * 15)
    send(world)
    (raw,) = mailbox.raw
    assert raw.startswith(b"DKIM-Signature:")
    assert proven(raw, keys) == [True, True]
    (first, second) = mailbox.received[0].get_all("DKIM-Signature") or []
    assert "a=rsa-sha256" in first
    assert "a=ed25519-sha256" in second
    assert "d=example.org" in first


def test_nobody_can_change_it_on_the_way_nor_put_another_sender_in_front(
    world: World, mailbox: Mailbox, keys: list[Place]
) -> None:
    world.report()
    send(world)
    (raw,) = mailbox.raw
    for forged in (
        raw.replace(b"We have", b"We lost", 1),
        b"From: Somebody <else@example.org>\r\n" + raw,
        b"Subject: Another\r\n" + raw,
        b"List-Unsubscribe: <https://evil.example/>\r\n" + raw,
        b"Reply-To: evil@evil.example\r\n" + raw,
    ):
        assert forged != raw
        assert proven(forged, keys) == [False, False]
    assert proven(b"Received: from relay.example\r\n" + raw, keys) == [True, True]


def test_the_one_click_that_ends_notices_is_signed(keys: list[Place]) -> None:
    signed = signing.Signer(keys).signed(
        b"From: desk@example.org\r\nSubject: x\r\nList-Unsubscribe: <https://a/>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello\r\n",
        sender="desk@example.org",
    )
    covered = signed.partition(b"h=")[2].partition(b";")[0].replace(b" ", b"").split(b":")
    named = [word.strip() for word in covered]
    assert named.count(b"list-unsubscribe") == named.count(b"list-unsubscribe-post") == named.count(b"from") == 2
    assert proven(signed, keys) == [True, True]


def test_pages_are_signed_too(mailbox: Mailbox, keys: list[Place]) -> None:
    send_page(Way("email", "lena.frei@northbank.example"))
    assert proven(mailbox.raw[0], keys) == [True, True]


def _pem(private: Any, password: bytes | None = None) -> bytes:
    kept = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept))


BROKEN = {
    "empty": b"",
    "garbage": b"\x00\xff" * 50,
    "cut": _pem(ec.generate_private_key(ec.SECP256R1()))[:80],
    "another kind": _pem(ec.generate_private_key(ec.SECP256R1())),
    "a password": _pem(ec.generate_private_key(ec.SECP256R1()), b"canary-password"),
}


@pytest.mark.parametrize("how", [*BROKEN, "missing", "a folder"])
def test_a_key_that_cannot_be_used_stops_no_mail_and_is_said_once(
    how: str, world: World, mailbox: Mailbox, keys: list[Place], caplog: pytest.LogCaptureFixture
) -> None:
    path = keys[0].path
    path.unlink()
    if how == "a folder":
        path.mkdir()
    elif how != "missing":
        path.write_bytes(BROKEN[how])
    signing._signer.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            world.report()
            send(world)
    assert [proven(raw, keys[1:]) for raw in mailbox.raw] == [[True], [True]]
    said = [record.getMessage() for record in caplog.records if "DKIM" in record.getMessage()]
    assert len(said) == 1
    assert "mails go out without the DKIM signature of desk-rsa" in said[0]
    assert str(path) in said[0]


def test_a_key_that_is_put_in_place_signs_from_then_on(world: World, mailbox: Mailbox, keys: list[Place]) -> None:
    kept = keys[0].path.read_bytes()
    keys[0].path.write_bytes(b"nothing")
    world.report()
    send(world)
    keys[0].path.write_bytes(kept)
    world.report()
    send(world)
    assert [len(mail.get_all("DKIM-Signature") or []) for mail in mailbox.received] == [1, 2]


def test_whatever_the_library_says_the_mail_goes_out(
    world: World, mailbox: Mailbox, keys: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> bytes:
        raise RuntimeError("secret words")

    monkeypatch.setattr(dkim, "sign", breaks)
    world.report()
    send(world)
    assert mailbox.received[0]["DKIM-Signature"] is None


def test_no_key_is_shown_and_a_file_name_that_is_none_is_said(keys: list[Place], tmp_path: Path) -> None:
    for place in keys:
        key = signing.load(place)
        assert "PrivateKey" not in repr(key)
        assert place.path.read_text().splitlines()[1] not in repr(key)
    with pytest.raises(signing.BadKey, match="cannot be read"):
        signing.load(Place("none", tmp_path / "nul\0"))
