"""Mail that a provider posts."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from django.db import OperationalError
from django.test import Client

from allswell.desk.mail import brought, mailboxes
from allswell.intake.models import InboundMessage
from allswell.intake.queries import mail as queries
from allswell.kernel import clock
from tests.support.boxes import a_mailbox, mail
from tests.support.world import World

SECRET = "sixteen characters and more"


def post(key: str, raw: bytes, query: str = "", kind: str = "message/rfc822", **heads: str) -> int:
    """The status of the answer."""
    return Client().post(f"/in/mail/{key}{query}", raw, content_type=kind, headers=heads).status_code


def signed(raw: bytes, at: int, secret: str = SECRET) -> dict[str, str]:
    mac = hmac.new(secret.encode(), f"{at}.".encode() + raw, hashlib.sha256)
    return {"X-Allswell-Timestamp": str(at), "X-Allswell-Signature": mac.hexdigest()}


def test_a_mail_is_kept_word_for_word_with_its_envelope(world: World) -> None:
    row, key = a_mailbox(world, "http")
    raw = mail() + b"\xff\x00\x80"
    assert post(key, raw, "?from=&to=support%2Bx@example.org&to=b%00@example.org") == 202
    kept = InboundMessage.objects.get()
    assert (kept.mailbox_id, kept.envelope_from, kept.envelope_to) == (row.pk, "", ["support+x@example.org", "b@example.org"])
    assert queries.raw(kept.pk) == raw
    assert post(key, raw) == 202
    assert InboundMessage.objects.count() == 1


def test_who_has_no_key_gets_nothing(world: World) -> None:
    row, key = a_mailbox(world, "http")
    assert post("x" * 32, mail()) == 404
    assert post(f"{key}x", mail()) == 404
    assert Client().get(f"/in/mail/{key}").status_code == 405
    mailboxes.switch(row.pk, is_active=False, **world.by(world.ada))
    assert post(key, mail()) == 403
    assert not InboundMessage.objects.exists()


def test_what_is_no_mail_is_refused(world: World) -> None:
    _row, key = a_mailbox(world, "http")
    assert post(key, b"  ") == 422
    assert post(key, b"a=b", kind="application/x-www-form-urlencoded") == 415
    assert post(key, mail(), **{"Content-Encoding": "gzip"}) == 415
    assert post(key, mail(), **{"Content-Length": "9999999999"}) == 413
    assert post(key, b"x" * 25_000_001) == 413
    assert not InboundMessage.objects.exists()


def test_a_signature_is_asked_for_where_there_is_a_secret(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _row, key = a_mailbox(world, "http", secret={"signing": SECRET})
    monkeypatch.setattr(clock, "now", lambda: world.now)
    at, raw = int(world.now.timestamp()), mail()
    assert post(key, raw) == 401
    assert post(key, raw, **signed(raw, at, "another secret altogether")) == 401
    assert post(key, raw + b"x", **signed(raw, at)) == 401
    assert post(key, raw, **signed(raw, at - 301)) == 401
    assert post(key, raw, **signed(raw, at + 301)) == 401
    assert post(key, raw, **{**signed(raw, at), "X-Allswell-Timestamp": "²"}) == 401
    assert not InboundMessage.objects.exists()
    assert post(key, raw, **signed(raw, at - 200)) == 202


def test_a_database_that_is_away_is_no_reason_to_forget_a_mail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _row, key = a_mailbox(world, "http")

    def away(*_said: object, **_more: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(brought, "keep", away)
    answer = Client().post(f"/in/mail/{key}", mail(), content_type="message/rfc822")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
