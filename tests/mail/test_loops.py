"""Programs that answer programs: every exchange ends by itself, whatever they say of themselves."""

from __future__ import annotations

import pytest

from allswell.intake.models import InboundMessage
from allswell.tickets.models import Comment, Ticket
from tests.support.post import Post
from tests.support.responders import Exchange, Responder, days, talkative, with_headers, without_any
from tests.support.world import World

MARIA, JONAS = "maria@example.org", "jonas@example.org"


@pytest.mark.parametrize("maria", [with_headers, without_any, talkative])
@pytest.mark.parametrize("jonas", [with_headers, without_any])
def test_responders_on_both_sides_end_by_themselves(
    world: World, monkeypatch: pytest.MonkeyPatch, maria: Responder, jonas: Responder
) -> None:
    exchange = Exchange(Post(world), monkeypatch, {MARIA: maria, JONAS: jonas})
    longest = days(exchange, 3)
    assert longest < 150
    assert exchange.answered < 400
    if maria is with_headers and jonas is with_headers:
        assert not Comment.objects.filter(is_public=True, is_auto=True).exists()
        assert Ticket.objects.count() == 3


def test_a_program_is_never_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(Post(world), monkeypatch, {})
    exchange.post.mail("x@nowhere.example", "Away", more="Auto-Submitted: auto-replied\n")
    exchange.post.mail("noreply@vendor.example", "Your certificate ends soon", subject="Certificate")
    exchange.post.mail("news@vendor.example", "News", more="List-Id: <news.vendor.example>\n")
    assert exchange.settle() == 0
    assert list(InboundMessage.objects.order_by("pk").values_list("state", flat=True)) == ["ignored", "taken", "held"]
