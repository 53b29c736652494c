"""What goes over the wire to ntfy, webhooks and chats, and what is made of every kind of answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook as Signer

from allswell.notifications import addresses
from allswell.notifications.channels import calling
from allswell.notifications.channels.guarded_http import Allowed
from allswell.notifications.letters import Way
from allswell.notifications.rules import Outcome
from tests.channels.pages import AT, DRILL, PAGE, send
from tests.support.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def there() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def last(there: Receiver) -> dict[str, Any]:
    said = json.loads(there.calls[-1].body)
    assert isinstance(said, dict)
    return said


def test_ntfy_shouts_and_carries_two_buttons(there: Receiver) -> None:
    there.answers["/"] = (200, {}, b'{"id":"xE73Iyuabi","event":"message"}')
    answer = send(Way("ntfy", f"http://:tk_secret@127.0.0.1:{there.port}/on-call"))
    assert (answer.outcome, answer.reference, answer.status) == (Outcome.SENT, "xE73Iyuabi", 200)
    assert there.calls[0].headers["authorization"] == "Bearer tk_secret"
    assert last(there) == {
        "topic": "on-call",
        "title": PAGE.headline,
        "message": PAGE.text,
        "priority": 5,
        "tags": ["INC-1042"],
        "click": PAGE.link,
        "actions": [
            {"action": "view", "label": "Open the page", "url": PAGE.link},
            {"action": "http", "label": "Acknowledge", "url": PAGE.link, "method": "POST", "clear": True},
        ],
    }


def test_ntfy_speaks_the_language_of_who_reads_and_whispers_what_is_not_urgent(there: Receiver) -> None:
    there.answers["/n/"] = (200, {}, b'{"id":"1"}')
    assert (
        send(Way("ntfy", f"http://ada:pass@127.0.0.1:{there.port}/n/on-call"), replace(DRILL, locale="de")).outcome
        == Outcome.SENT
    )
    assert there.calls[0].headers["authorization"] == "Basic " + base64.b64encode(b"ada:pass").decode()
    assert (last(there)["priority"], last(there)["tags"]) == (3, ["INC-1042", "drill"])
    assert [button["label"] for button in last(there)["actions"]] == ["Seite öffnen", "Bestätigen"]


def test_a_long_text_stays_a_message_of_ntfy(there: Receiver) -> None:
    there.answers["/"] = (200, {}, b'{"id":"1"}')
    send(Way("ntfy", there.url("/t")), replace(PAGE, text="ü" * 5000))
    assert len(last(there)["message"].encode()) <= 3800
    assert last(there)["message"].endswith("ü…")


def test_a_bundle_has_nothing_to_acknowledge_at_once(there: Receiver) -> None:
    there.answers["/"] = (200, {}, b'{"id":"1"}')
    send(Way("ntfy", there.url("/t")), replace(PAGE, number=0, reference=""))
    assert [button["action"] for button in last(there)["actions"]] == ["view"]


def test_what_a_whole_room_reads_is_acknowledged_by_nobody_unknown(there: Receiver) -> None:
    there.answers["/"] = (200, {}, b'{"id":"1"}')
    send(Way("ntfy", there.url("/t")), replace(PAGE, link="https://desk.example.org/INC-1042"))
    assert [button["action"] for button in last(there)["actions"]] == ["view"]


def test_a_page_that_only_tries_the_way_can_be_acknowledged(there: Receiver) -> None:
    there.answers["/"] = (200, {}, b'{"id":"1"}')
    send(Way("ntfy", there.url("/t")), replace(DRILL, number=0, reference=""))
    assert [button["action"] for button in last(there)["actions"]] == ["view", "http"]


def test_a_webhook_is_signed_and_keeps_its_id_over_retries(there: Receiver) -> None:
    for _again in range(2):
        assert send(Way("webhook", f"{there.url('/mine')} {SECRET}")).outcome == Outcome.SENT
    first, second = there.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == PAGE.key
    assert Signer(SECRET).sign(PAGE.key, AT, first.body.decode()) == first.headers["webhook-signature"]
    assert json.loads(first.body) == {
        "type": "page",
        "timestamp": "2026-11-23T13:05:00+00:00",
        "data": {
            "key": "page.7.41",
            "reference": "INC-1042",
            "number": 1042,
            "headline": PAGE.headline,
            "text": PAGE.text,
            "short": PAGE.short,
            "spoken": PAGE.spoken,
            "link": PAGE.link,
            "code": "1042",
            "urgency": "urgent",
            "locale": "en",
            "is_drill": False,
        },
    }


def test_a_webhook_without_a_secret_is_not_signed(there: Receiver) -> None:
    assert send(Way("webhook", there.url("/mine"))).outcome == Outcome.SENT
    assert "webhook-signature" not in there.calls[0].headers
    assert there.calls[0].headers["webhook-id"] == PAGE.key


def test_slack_gets_blocks_in_which_nobody_is_mentioned(there: Receiver) -> None:
    shouted = replace(PAGE, text="<!channel> look", headline="P1 <!here>")
    assert send(Way("chat", there.url("/services/T/B/x"), "slack"), shouted).outcome == Outcome.SENT
    assert last(there) == {
        "text": "P1 &lt;!here&gt;",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "P1 <!here>"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "&lt;!channel&gt; look", "verbatim": True}},
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Open the page"},
                        "url": PAGE.link,
                        "style": "primary",
                    }
                ],
            },
        ],
    }


def test_slack_takes_a_text_that_grows_when_it_is_escaped(there: Receiver) -> None:
    send(Way("chat", there.url("/s"), "slack"), replace(PAGE, text="&" * 2500))
    assert len(last(there)["blocks"][1]["text"]["text"]) <= 3000


def test_mattermost_gets_an_attachment_in_which_nothing_is_marked_up(there: Receiver) -> None:
    assert send(Way("chat", there.url("/hooks/abc"), "mattermost"), replace(PAGE, text="@all *now*")).outcome == Outcome.SENT
    assert last(there)["attachments"] == [
        {
            "fallback": PAGE.headline,
            "color": "#c62828",
            "title": "P1 Payments are \\<stuck\\> in the queue & more",
            "title_link": PAGE.link,
            "text": "@\u200ball \\*now\\*",
        }
    ]


def test_teams_gets_an_adaptive_card(there: Receiver) -> None:
    there.answers["/workflows/abc?sig=x"] = (202, {}, b"")
    assert send(Way("chat", there.url("/workflows/abc?sig=x"), "teams")).outcome == Outcome.SENT
    (attachment,) = last(there)["attachments"]
    card = attachment["content"]
    assert (last(there)["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert [block["inlines"][0]["text"] for block in card["body"]] == [PAGE.headline, *PAGE.text.splitlines()]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open the page", "url": PAGE.link}]


def test_matrix_takes_the_same_page_once(there: Receiver) -> None:
    path = "/_matrix/client/v3/rooms/%21room%3Aexample.org/send/m.room.message/page.7.41"
    there.answers[path] = (200, {}, b'{"event_id":"$abc"}')
    answer = send(Way("chat", f"http://:syt_secret@127.0.0.1:{there.port}/!room:example.org", "matrix"))
    assert (answer.outcome, answer.reference) == (Outcome.SENT, "$abc")
    call = there.calls[0]
    assert (call.method, call.path, call.headers["authorization"]) == ("PUT", path, "Bearer syt_secret")
    assert last(there)["body"].endswith(PAGE.link)
    assert "&lt;stuck&gt;" in last(there)["formatted_body"]
    assert "<stuck>" not in last(there)["formatted_body"]


WAYS = [
    ("ntfy", "/t", "", "/"),
    ("webhook", "/mine", "", "/mine"),
    ("chat", "/hook", "slack", "/hook"),
    ("chat", "/hook", "teams", "/hook"),
    ("chat", "/hook", "mattermost", "/hook"),
]


@pytest.mark.parametrize(("kind", "address", "flavor", "path"), WAYS)
def test_a_server_in_trouble_is_asked_again(kind: str, address: str, flavor: str, path: str, there: Receiver) -> None:
    way = Way(kind, there.url(address), flavor)
    there.answers[path] = (500, {}, b"oops")
    assert (send(way).outcome, send(way).is_certain) == (Outcome.RETRY, True)
    there.answers[path] = (504, {}, b"")
    assert (send(way).outcome, send(way).is_certain) == (Outcome.RETRY, False)
    there.answers[path] = (429, {"retry-after": "7"}, b"")
    assert (send(way).outcome, send(way).retry_after) == (Outcome.RETRY, timedelta(seconds=7))


@pytest.mark.parametrize(("kind", "address", "flavor", "path"), WAYS)
def test_a_refusal_is_final_so_that_the_next_channel_begins(
    kind: str, address: str, flavor: str, path: str, there: Receiver
) -> None:
    way = Way(kind, there.url(address), flavor)
    for status in (302, 400, 401, 403, 404):
        there.answers[path] = (status, {"location": "http://127.0.0.1:1/"}, b"")
        answer = send(way)
        assert (answer.outcome, answer.status, answer.is_gone) == (Outcome.FAILED, status, False)
    there.answers[path] = (410, {}, b"")
    assert (send(way).outcome, send(way).is_gone) == (Outcome.FAILED, True)


@pytest.mark.parametrize(("kind", "address", "flavor", "path"), WAYS)
def test_who_hangs_up_or_talks_nonsense_may_have_taken_it(
    kind: str, address: str, flavor: str, path: str, there: Receiver
) -> None:
    way = Way(kind, there.url(address), flavor)
    there.dropped.add(path)
    assert (send(way).outcome, send(way).is_certain) == (Outcome.RETRY, False)
    there.dropped.clear()
    there.raw[path] = b"\x00\x01 this is no HTTP\r\n\r\n"
    assert (send(way).outcome, send(way).is_certain) == (Outcome.RETRY, False)


def test_who_never_answers_is_not_waited_for(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "DEADLINE", 3.0)
    there.silent.add("/")
    answer = send(Way("ntfy", there.url("/t")))
    assert (answer.outcome, answer.is_certain) == (Outcome.RETRY, False)


def test_who_is_not_there_has_certainly_not_taken_it(there: Receiver) -> None:
    with Receiver() as gone:
        pass
    for kind, flavor in (("ntfy", ""), ("webhook", ""), ("chat", "slack")):
        answer = send(Way(kind, gone.url("/x"), flavor))
        assert (answer.outcome, answer.is_certain, answer.detail) == (Outcome.RETRY, True, "The address cannot be reached.")


@pytest.mark.parametrize("said", [b"<html>welcome to our network</html>", b"[]", b'{"id":7}', b"{", b"\xff\xfe", b"[" * 60_000])
def test_a_page_of_a_hotel_is_not_a_message_taken(said: bytes, there: Receiver) -> None:
    there.answers["/"] = (200, {}, said)
    answer = send(Way("ntfy", there.url("/t")))
    assert (answer.outcome, answer.is_certain, answer.reference) == (Outcome.FAILED, False, "")


def test_a_private_address_is_not_called_unless_the_operator_allows_it(there: Receiver) -> None:
    for way in (
        Way("ntfy", there.url("/t")),
        Way("webhook", there.url("/x")),
        Way("chat", there.url("/x"), "slack"),
        Way("chat", f"http://:t@127.0.0.1:{there.port}/!r:x", "matrix"),
    ):
        answer = send(way, allowed=Allowed())
        assert (answer.outcome, answer.detail) == (Outcome.RETRY, "The address cannot be reached.")
    assert there.connections == 0


BROKEN = [
    ("ntfy", "", ""),
    ("ntfy", "https://ntfy.example.org", ""),
    ("ntfy", "https://ntfy.example.org/", ""),
    ("ntfy", "https://ntfy.example.org/t?x=1", ""),
    ("ntfy", "file:///etc/passwd", ""),
    ("ntfy", "https://[::1/x", ""),
    ("webhook", "https://user:name@example.org/", ""),
    ("webhook", "https://example.org/ nonsense", ""),
    ("webhook", "ftp://example.org/", ""),
    ("chat", "https://example.org/", "irc"),
    ("chat", "https://exa mple.org/", "slack"),
    ("chat", "https://matrix.example.org/!room:example.org", "matrix"),
    ("chat", "https://:token@matrix.example.org/#room:example.org", "matrix"),
    ("push", "{}", ""),
    ("push", "[" * 100_000, ""),
    ("push", '{"endpoint":"https://push.example.org/x","keys":{"p256dh":"AA","auth":"AA"}}', ""),
]


@pytest.mark.parametrize(("kind", "address", "flavor"), BROKEN)
def test_what_is_no_address_is_said_before_anything_is_sent(kind: str, address: str, flavor: str) -> None:
    if flavor != "irc":
        with pytest.raises(addresses.BadAddress):
            addresses.check(kind, address, flavor=flavor)
    if kind != "push":
        answer = send(Way(kind, address, flavor))
        assert (answer.outcome, answer.is_certain) == (Outcome.FAILED, True)


def test_an_address_is_never_shown_by_accident() -> None:
    assert "tk_secret" not in repr(Way("ntfy", "https://:tk_secret@ntfy.example.org/t"))
    assert "tk_secret" not in repr(addresses.ntfy("https://:tk_secret@ntfy.example.org/t"))
