"""A program reads the clocks of a ticket."""

from __future__ import annotations

from allswell.desk import tickets as desk
from allswell.sla.rules.terms import Audience
from tests.support.program import Program
from tests.support.promises import promise, target
from tests.support.world import World


def test_many_clocks_are_read_page_by_page_and_a_requester_sees_their_own(world: World) -> None:
    promise(world, target("resolution", 60))
    promise(world, target("team_time", 60), name="Between teams", audience=Audience.INTERNAL)
    ticket = world.report(world.jonas, team=world.desk_team.pk, requester=world.maria.pk)
    teams = [world.dba_team, world.desk_team]
    for turn in range(5):
        world.forward(minutes=5)
        desk.hand_over(ticket.pk, team=teams[turn % 2].pk, reason="Theirs", **world.by((world.jonas, world.amir)[turn % 2]))
    path = f"/tickets/{ticket.pk}/clocks"
    jonas, found, pages = Program(world, world.jonas), list[tuple[str, int]](), 0
    following = f"{path}?limit=3"
    while following:
        answer = jonas.get(following).json()
        assert len(answer["items"]) <= 3
        found += [(one["metric"], one["number"]) for one in answer["items"]]
        following = f"{path}?limit=3&cursor={answer['next']}" if answer["next"] else ""
        pages += 1
    assert (pages, len(found), len(set(found))) == (3, 7, 7)
    assert found[0] == ("team_time", 6)
    assert [one["metric"] for one in Program(world, world.maria).get(path).json()["items"]] == ["resolution"]
