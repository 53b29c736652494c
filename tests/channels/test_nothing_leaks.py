"""Addresses of channels are secrets: neither the log nor an answer tells them, whatever the other side does (abuse test)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from allswell.notifications import push_keys
from allswell.notifications.addresses import padless
from allswell.notifications.letters import Way
from tests.channels.pages import send
from tests.support.receiver import Receiver

CANARY = "canary-3f9"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise's own, while it is imported


@pytest.fixture
def there(settings: object) -> Iterator[Receiver]:
    with Receiver() as receiver:
        url = f"twilio+http://AC1:{CANARY}@127.0.0.1:{receiver.port}/?from=%2B1555"
        settings.SMS_URL = settings.VOICE_URL = url  # type: ignore[attr-defined]
        settings.APPRISE = True  # type: ignore[attr-defined]
        yield receiver


def ways(receiver: Receiver) -> list[Way]:
    host, pair = f"127.0.0.1:{receiver.port}", push_keys.new_pair()
    keys = {"p256dh": pair.public, "auth": padless(b"s" * 16)}
    return [
        Way("ntfy", f"http://:{CANARY}@{host}/{CANARY}"),
        Way("webhook", f"http://{host}/{CANARY}"),
        Way("chat", f"http://{host}/services/{CANARY}", "slack"),
        Way("chat", f"http://:{CANARY}@{host}/!{CANARY}:example.org", "matrix"),
        Way("push", json.dumps({"endpoint": f"http://{host}/{CANARY}", "keys": keys}), secret=pair.private),
        Way("sms", "+41790000001"),
        Way("voice", "+41790000001"),
        Way("apprise", f"json://{host}/{CANARY}"),
    ]


@pytest.mark.parametrize("status", [200, 302, 400, 500])
def test_no_answer_and_no_line_of_the_log_tells_an_address(
    status: int, there: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for way in ways(there):
        before = len(there.calls)
        answer = send(way)
        assert CANARY not in answer.detail + answer.reference
        assert CANARY not in repr(way)
        there.answers[there.calls[before].path] = (status, {"location": f"/{CANARY}"}, f"no {CANARY} here".encode())
        answer = send(way)
        assert CANARY not in answer.detail + answer.reference
    assert CANARY not in caplog.text
    assert "+41790000001" not in caplog.text


def test_who_cannot_be_reached_is_not_named(caplog: pytest.LogCaptureFixture, settings: object) -> None:
    caplog.set_level(logging.DEBUG)
    with Receiver() as gone:
        pass
    settings.APPRISE = True  # type: ignore[attr-defined]
    for way in ways(gone):
        assert CANARY not in send(way).detail
    assert CANARY not in caplog.text
