"""Mailboxes over the API, mail that came to them, and what rules would make of it."""

from __future__ import annotations

from typing import Any

import pytest

from allswell.desk.mail import fetching
from allswell.intake.models import InboundMessage, Mailbox
from allswell.intake.servers import signing_in
from allswell.intake.servers.trouble import Problem, Trouble
from allswell.kernel.actor import engine
from tests.support.boxes import PASSWORD, SERVER, a_mailbox
from tests.support.post import Post
from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def ada(world: World) -> Program:
    return Program(world, world.ada)


def test_a_mailbox_is_set_up_changed_and_forgotten_and_tells_no_secret(world: World, ada: Program) -> None:
    made = ada.post(
        "/mailboxes",
        name="Support",
        address="Support@Example.org",
        kind="imap",
        connection=SERVER,
        secret={"password": PASSWORD},
        team=world.desk_team.pk,
    )
    said = made.json()
    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1/mailboxes/{said['id']}")
    assert (said["address"], said["connection"]["port"], said["has_secret"], said["key"]) == (
        "support@example.org",
        993,
        True,
        None,
    )
    one = f"/mailboxes/{said['id']}"
    changed = ada.patch(one, connection={"folder": "Desk"}, team=None, hops=3).json()
    assert (changed["connection"]["folder"], changed["connection"]["host"]) == ("Desk", SERVER["host"])
    assert (changed["team"], changed["hops"], changed["has_secret"]) == (None, 3, True)
    assert ada.patch(one, connection={"host": "elsewhere.example.org"}).status_code == 422  # its password goes to no other server
    assert PASSWORD not in ada.get("/mailboxes").content.decode() + ada.get(one).content.decode()
    assert ada.post(f"{one}/disable").json()["is_active"] is False
    assert ada.post(f"{one}/enable").json()["is_active"] is True
    assert ada.post(f"{one}/rotate_key").status_code == 409
    assert ada.call("DELETE", one).status_code == 204
    assert not Mailbox.objects.exists()


def test_that_the_engine_looked_is_no_change_for_if_match(world: World, ada: Program) -> None:
    made = ada.post(
        "/mailboxes", name="Support", address="a@example.org", kind="imap", connection=SERVER, secret={"password": PASSWORD}
    )
    one, seen = f"/mailboxes/{made.json()['id']}", made.headers["ETag"]
    fetching.note_look(made.json()["id"], actor=engine(), now=world.now)
    assert ada.get(one).json()["looked_at"] is not None
    assert ada.get(one).headers["ETag"] == seen
    changed = ada.patch(one, hops=3, headers={"If-Match": seen})
    assert changed.status_code == 200
    assert ada.patch(one, hops=4, headers={"If-Match": seen}).status_code == 412  # somebody changed it
    assert ada.patch(one, hops=4, headers={"If-Match": changed.headers["ETag"]}).status_code == 200


def test_the_key_of_one_that_is_posted_is_shown_once(world: World, ada: Program) -> None:
    sent: dict[str, Any] = {"name": "Provider", "address": "desk@example.org", "kind": "http"}
    first = ada.post("/mailboxes", headers={"Idempotency-Key": "one"}, **sent).json()
    again = ada.post("/mailboxes", headers={"Idempotency-Key": "one"}, **sent).json()
    assert len(first["key"]) > 20
    assert (again["id"], again["key"], again["key_hint"]) == (first["id"], None, first["key"][-4:])
    rotated = ada.post(f"/mailboxes/{first['id']}/rotate_key").json()["key"]
    assert rotated != first["key"]
    assert ada.get(f"/mailboxes/{first['id']}").json()["key_hint"] == rotated[-4:]


def test_what_is_wrong_is_said_of_its_field(ada: Program) -> None:
    right: dict[str, Any] = {
        "name": "x",
        "address": "x@example.org",
        "kind": "imap",
        "connection": SERVER,
        "secret": {"password": "x"},
    }
    for field, wrong in {
        "address": {"address": "x+y@example.org"},
        "host": {"connection": {"host": "-", "user": "x"}},
        "password": {"secret": None},
        "organization": {"organization": 999_999},
        "service": {"service": 999_999},
        "token_url": {"connection": SERVER | {"login": "oauth", "token_url": "http://x"}},
    }.items():
        answer = ada.post("/mailboxes", **right | wrong)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert not Mailbox.objects.exists()


def test_a_connection_is_tried(world: World, ada: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    box, piped = a_mailbox(world, "imap")[0].pk, a_mailbox(world, "pipe", "pipe@example.org")[0].pk
    monkeypatch.setattr(signing_in, "look", lambda *_said, **_more: 7)
    assert ada.post(f"/mailboxes/{box}/try").json() == {"problem": "", "said": "", "messages": 7}

    def refused(*_said: object, **_more: object) -> int:
        raise Trouble(Problem.SIGN_IN, "NO go away")

    monkeypatch.setattr(signing_in, "look", refused)
    assert ada.post(f"/mailboxes/{box}/try").json() == {"problem": "sign_in", "said": "NO go away", "messages": 0}
    assert ada.post(f"/mailboxes/{piped}/try").status_code == 409


# what came

STRANGER = "Eve <eve@elsewhere.example>"


@pytest.fixture
def post(world: World) -> Post:
    """A mailbox that holds the mail of strangers."""
    return Post(world, unknown_senders="hold")


def test_mail_that_waits_is_read_and_decided_about(world: World, ada: Program, post: Post) -> None:
    taken, held, thrown = post.mail("maria@example.org"), post.mail(STRANGER), post.mail(STRANGER, subject="Win")
    assert [row.state for row in (taken, held, thrown)] == ["taken", "held", "held"]
    listed = ada.get("/mail-messages?state=held").json()["items"]
    assert [(row["id"], row["sender"], row["reason"]) for row in listed] == [
        (row.pk, "eve@elsewhere.example", "unknown") for row in (thrown, held)
    ]
    assert len(ada.get("/mail-messages?sender=EVE@elsewhere.example").json()["items"]) == 2
    assert [row["id"] for row in ada.get("/mail-messages?limit=1").json()["items"]] == [thrown.pk]
    one = f"/mail-messages/{held.pk}"
    assert "The sender is proven: DMARC pass" in ada.get(one).json()["why"]
    assert b"From: Eve" in ada.get(f"{one}/source").content
    released = ada.post(f"{one}/release", person=world.maria.pk)
    assert (released.status_code, released.json()["state"]) == (200, "pending")
    assert ada.post(f"{one}/release").status_code == 409
    assert ada.post(f"/mail-messages/{thrown.pk}/forget").json()["state"] == "deleted"
    assert ada.get(f"/mail-messages/{thrown.pk}/source").status_code == 404
    assert ada.post(f"/mail-messages/{taken.pk}/try_again").status_code == 409
    assert ada.post(f"/mail-messages/{taken.pk}/forget").status_code == 409
    post.take()
    assert ada.get(one).json()["state"] == "taken"
    assert InboundMessage.objects.get(pk=held.pk).person == world.maria


def test_mail_that_was_held_is_read_again(world: World, ada: Program, post: Post) -> None:
    held = post.mail(STRANGER)
    ada.patch(f"/mailboxes/{post.mailbox.pk}", unknown_senders="create")
    assert ada.post(f"/mail-messages/{held.pk}/try_again").json()["state"] == "pending"
    post.take()
    assert ada.get(f"/mail-messages/{held.pk}").json()["state"] == "taken"


def test_a_ticket_the_caller_does_not_see_is_not_named(world: World, ada: Program, post: Post) -> None:
    taken = post.mail("maria@example.org")
    auditor = Program(world, world.audrey)
    assert auditor.get(f"/mail-messages/{taken.pk}").json()["ticket"] == taken.ticket_id
    assert ada.get(f"/tickets/{taken.ticket_id}").status_code == 404  # who sets up is not at the desk
    assert ada.get(f"/mail-messages/{taken.pk}").json()["ticket"] is None


def test_a_rule_is_tried_before_it_is_written(world: World, ada: Program, post: Post) -> None:
    one, other = post.mail("maria@example.org", subject="Ledger is slow"), post.mail("maria@example.org")
    tried = ada.post("/mail-rules/try", definition={"words": ["ledger"], "act": "hold"})
    assert tried.json()["looked_at"] == 2
    assert [(fit["id"], fit["decided_by"]) for fit in tried.json()["fits"]] == [(one.pk, None)]
    earlier = ada.post("/mail-rules", name="All", definition={"act": "ignore"}).json()["id"]
    fits = ada.post("/mail-rules/try", definition={}).json()["fits"]
    assert [(fit["id"], fit["decided_by"]) for fit in fits] == [(other.pk, earlier), (one.pk, earlier)]
    again = ada.post("/mail-rules/try", rule=earlier, definition={"words": ["ledger"]}).json()["fits"]
    assert [(fit["id"], fit["decided_by"]) for fit in again] == [(one.pk, None)]
    assert ada.post("/mail-rules/try", definition={"service": 999_999}).status_code == 422
    assert ada.post("/mail-rules/try", rule=999_999, definition={}).status_code == 404
