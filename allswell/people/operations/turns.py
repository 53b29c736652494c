"""Whose turn it is in a team."""

from __future__ import annotations

from allswell.people.models import Team


def remember_turn(team: Team, *, person: int) -> None:
    """It was this member's turn. Of two at once the later stands: at worst somebody gets two in a row."""
    Team.objects.filter(pk=team.pk).update(last_assignee=person)
    team.last_assignee_id = person
