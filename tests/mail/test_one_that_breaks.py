"""A mail at which the database always fails is put aside in the end; a database that is away costs no mail."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from allswell.desk.mail import taking
from allswell.engine import mail_in
from allswell.intake.models import InboundMessage
from tests.support.post import Post
from tests.support.world import World

TAKE = taking.take


def _states() -> list[str]:
    return list(InboundMessage.objects.order_by("pk").values_list("state", flat=True))


def test_one_mail_at_which_the_database_fails_does_not_hold_up_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(world)
    bad = post.kept(post.write("maria@example.org", "It breaks."))
    post.kept(post.write("rolf@example.org", "It does not."))

    def take(read, **by):  # type: ignore[no-untyped-def]
        if read.message == bad:
            raise OperationalError("stack depth limit exceeded")
        return TAKE(read, **by)

    monkeypatch.setattr(taking, "take", take)
    for _ in range(mail_in.MOST_FAILURES - 1):
        with pytest.raises(OperationalError):
            post.module.tick(world.now)
        assert _states() == ["pending", "pending"], "perhaps it is the database"
    post.take()
    assert _states() == ["quarantined", "taken"]
    row = InboundMessage.objects.get(pk=bad)
    assert row.reason == "failed"
    assert "stack depth" in row.detail


def test_a_database_that_is_away_for_long_costs_no_mail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(world)
    post.kept(post.write("maria@example.org", "While it is away."))

    def away(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(taking, "take", away)
        patch.setattr(taking, "give_up", away)
        for _ in range(3 * mail_in.MOST_FAILURES):
            with pytest.raises(OperationalError):
                post.module.tick(world.now)
    post.take()
    assert _states() == ["taken"]
