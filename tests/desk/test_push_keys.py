"""The key of web push: made once, kept sealed, the same for every browser."""

from __future__ import annotations

import pytest

from allswell.desk import push_keys
from allswell.desk.contact_messages import way_of
from allswell.notifications.models import PushKey
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_a_key_is_made_at_first_need_and_stays(world: World) -> None:
    assert push_keys.private_key() == ""
    public = push_keys.public_key(**world.by(world.jonas))
    assert public == push_keys.public_key(**world.by(world.jonas))
    assert public == push_keys.make_push_key(**world.by(world.jonas))
    (row,) = PushKey.objects.all()
    private = push_keys.private_key()
    assert len(private) == 43
    assert private not in row.private, "it must be sealed"


def test_another_is_made_when_the_first_can_no_longer_be_opened(world: World, settings: object) -> None:
    first = push_keys.public_key(**world.by(world.jonas))
    settings.SECRET_KEY = "another-secret-" + "y" * 40  # type: ignore[attr-defined]
    assert push_keys.private_key() == ""
    second = push_keys.public_key(**world.by(world.jonas))
    assert second != first
    assert push_keys.private_key() != ""
    assert [row.number for row in PushKey.objects.order_by("number")] == [1, 2]


def test_the_way_to_a_browser_carries_the_key_and_no_other_way_does(world: World) -> None:
    push_keys.public_key(**world.by(world.jonas))
    sealed = push_keys.seal('{"endpoint": "https://push.example.org/x"}')
    assert way_of("push", sealed, "").secret == push_keys.private_key()
    assert way_of("sms", "+41790000001", "").secret == ""
