"""Other programs are told what happens, signed, in the end, and only what the webhook's owner may see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Verifier

from allswell.desk import tickets as desk
from allswell.desk import webhooks
from allswell.engine.outbox import Calls
from allswell.kernel import clock
from allswell.kernel.errors import Conflict, Invalid, NotAllowed
from allswell.notifications import queries
from allswell.notifications.models import Attempt, Delivery, Webhook
from allswell.tickets.models import Ticket
from tests.support.receiver import Receiver
from tests.support.world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def hook(world: World, receiver: Receiver, owner: int | None = None, **values: object) -> tuple[Webhook, str]:
    who = owner or world.julia.pk
    return webhooks.create(name="Chat", url=receiver.url(), owner=who, **values, **world.by(world.ada))  # type: ignore[arg-type]


def call(world: World, **later: float) -> None:
    """The engine works until nothing is due."""
    world.forward(**later)
    calls = Calls(["127.0.0.1"], now=lambda: world.now)
    for _ in range(50):
        if not calls.is_due(world.now):
            return
        calls.tick(world.now)
    raise AssertionError("the outbox does not end")


def test_a_program_is_told_and_can_verify_who_told_it(world: World, receiver: Receiver) -> None:
    world.now = clock.now()
    _, secret = hook(world, receiver)
    ticket = world.report()
    desk.note(ticket.pk, body="the pool's password is hunter2", **world.by(world.jonas))
    call(world)
    reported, noted = sorted(receiver.calls, key=lambda one: json.loads(one.body)["data"]["entry"])
    said = Verifier(secret).verify(reported.body, reported.headers)
    assert said["type"] == "incident.reported"
    assert said["data"]["ticket"]["reference"] == f"INC-{ticket.pk}"
    assert said["data"]["actor"]["person"] == world.maria.pk
    assert Verifier(secret).verify(noted.body, noted.headers)["type"] == "ticket.noted"
    assert b"hunter2" not in noted.body
    assert reported.headers["webhook-id"].startswith("msg_")
    assert len(reported.body) < 20_000


def test_the_secret_is_shown_once_and_stored_sealed(world: World, receiver: Receiver) -> None:
    webhook, secret = hook(world, receiver)
    assert secret.startswith("whsec_")
    row = Webhook.objects.get(pk=webhook.pk)
    assert secret not in row.secret
    assert secret.removeprefix("whsec_") not in row.secret


def test_while_a_secret_changes_both_sign(world: World, receiver: Receiver) -> None:
    world.now = clock.now()
    webhook, old = hook(world, receiver)
    new = webhooks.rotate_secret(webhook.pk, **world.by(world.ada))
    world.report()
    call(world)
    told = receiver.calls[0]
    assert Verifier(old).verify(told.body, told.headers) == Verifier(new).verify(told.body, told.headers)
    world.now += timedelta(hours=25)
    world.report()
    call(world)
    assert len(told.headers["webhook-signature"].split()) == 2
    assert len(receiver.calls[1].headers["webhook-signature"].split()) == 1


def test_it_hears_what_it_asked_for_and_its_owner_may_see(world: World, receiver: Receiver) -> None:
    hook(world, receiver, verbs=["ticket.resolved"], owner=world.oskar.pk)
    ours = world.report()
    theirs = world.report(world.otto)
    for ticket in (ours, theirs):
        desk.resolve(ticket.pk, code="fixed", **world.by(world.jonas))
    call(world)
    assert [json.loads(one.body)["data"]["ticket"]["number"] for one in receiver.calls] == [theirs.pk]
    assert sorted(Delivery.objects.filter(channel="webhook").values_list("outcome", flat=True)) == ["moot", "sent"]


def test_what_was_restricted_meanwhile_is_not_told(world: World, receiver: Receiver) -> None:
    hook(world, receiver)
    ticket = world.report(service="ledger-database")
    Ticket.objects.filter(pk=ticket.pk).update(is_restricted=True)
    call(world)
    assert receiver.calls == []


def test_a_failing_endpoint_is_tried_again_ever_more_rarely_with_the_same_id(world: World, receiver: Receiver) -> None:
    webhook, _ = hook(world, receiver, verbs=["incident.reported"])
    receiver.answers["/hook"] = (500, {}, b"")
    world.report()
    call(world)
    for later in ({"seconds": 7}, {"minutes": 7}, {"minutes": 40}, {"hours": 3}, {"hours": 7}, {"hours": 13}, {"hours": 18}):
        call(world, **later)
    assert len(receiver.calls) == 8
    assert queries.queue("webhook", now=world.now).failing_since is not None
    receiver.answers.clear()
    call(world, hours=25)
    assert len({one.headers["webhook-id"] for one in receiver.calls}) == 1
    (log,) = webhooks.log(webhook.pk, actor=world.actor(world.ada))
    assert (log.outcome, [one.status for one in log.tries.all()]) == ("sent", [500] * 8 + [204])
    assert Webhook.objects.get().failing_since is None


def test_after_the_last_try_it_has_failed_and_can_be_sent_again(world: World, receiver: Receiver) -> None:
    hook(world, receiver, verbs=["incident.reported"])
    receiver.answers["/hook"] = (500, {}, b"")
    world.report()
    for _ in range(11):
        call(world, hours=30)
    delivery = Delivery.objects.get(channel="webhook")
    assert (delivery.outcome, len(receiver.calls)) == ("failed", 10)
    receiver.answers.clear()
    webhooks.redeliver(delivery.pk, **world.by(world.ada))
    with pytest.raises(Conflict):
        webhooks.redeliver(delivery.pk, **world.by(world.ada))
    call(world)
    assert Delivery.objects.get(channel="webhook").outcome == "sent"
    assert receiver.calls[-1].headers["webhook-id"] == receiver.calls[0].headers["webhook-id"]
    assert receiver.calls[-1].body == receiver.calls[0].body


def test_gone_means_gone(world: World, receiver: Receiver) -> None:
    webhook, _ = hook(world, receiver, verbs=["incident.reported"])
    receiver.answers["/hook"] = (410, {}, b"")
    world.report()
    call(world)
    world.report()
    call(world)
    assert len(receiver.calls) == 1
    row = Webhook.objects.get(pk=webhook.pk)
    assert (row.is_active, row.disabled_reason) == (False, "gone")


def test_retry_after_is_honored(world: World, receiver: Receiver) -> None:
    hook(world, receiver, verbs=["incident.reported"])
    receiver.answers["/hook"] = (503, {"Retry-After": "1800"}, b"")
    world.report()
    call(world)
    call(world, minutes=29)
    assert len(receiver.calls) == 1
    call(world, minutes=2)
    assert len(receiver.calls) == 2


def test_one_dead_endpoint_does_not_hold_up_the_others(world: World, receiver: Receiver) -> None:
    hook(world, receiver, verbs=["incident.reported"])
    webhooks.create(
        name="Dead", url="http://127.0.0.1:9/", owner=world.julia.pk, verbs=["incident.reported"], **world.by(world.ada)
    )
    for _ in range(30):
        world.report()
    call(world)
    assert len(receiver.calls) == 30
    assert Attempt.objects.filter(outcome="retry").count() < 15


def test_a_private_address_is_refused_when_called(world: World, receiver: Receiver) -> None:
    hook(world, receiver, verbs=["incident.reported"])
    world.report()
    Calls([], now=lambda: world.now).tick(world.now)
    assert receiver.connections == 0
    assert Attempt.objects.get().detail == "The address cannot be reached."


def test_who_may_set_up_webhooks(world: World, receiver: Receiver) -> None:
    with pytest.raises(NotAllowed):
        webhooks.create(name="Mine", url=receiver.url(), **world.by(world.jonas))
    with pytest.raises(NotAllowed):
        webhooks.all_webhooks(world.actor(world.maria))
    for url in ("ftp://example.org/", "https://user:password@example.org/", "https://", "javascript:alert(1)", "http://a b/"):
        with pytest.raises(Invalid):
            webhooks.create(name="Bad", url=url, **world.by(world.ada))
    with pytest.raises(Invalid):
        webhooks.create(name="Bad", url=receiver.url(), verbs=["person.signed_in"], **world.by(world.ada))
    webhook, _ = hook(world, receiver)
    webhooks.change(webhook.pk, name="Better", verbs=["ticket.closed"], **world.by(world.ada))
    assert Webhook.objects.get().verbs == ["ticket.closed"]
    webhooks.disable(webhook.pk, **world.by(world.ada))
    world.report()
    assert not Delivery.objects.filter(channel="webhook").exists()
