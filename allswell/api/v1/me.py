"""Who the token is, and the tokens of its person."""

from __future__ import annotations

from msgspec import Struct

from allswell.api.contract import Call, operation
from allswell.people import queries as people

from .shapes import NamedRef, named_ref

TAG = "Me"


class Me(Struct):
    """The person behind the token, their roles and teams, and what the token may do."""

    id: int
    name: str
    organization: NamedRef | None
    locale: str
    time_zone: str
    roles: list[str]
    teams: list[NamedRef]
    scopes: list[str]


@operation("GET", "/me", id="getMe", summary="Who this token is", tag=TAG, answer=Me)
def me(call: Call) -> Me:
    actor = call.actor
    teams = people.teams().filter(pk__in=actor.teams).order_by("name", "pk").values_list("pk", "slug", "name")
    home = people.organizations().filter(pk=actor.organization or 0).values_list("pk", "slug", "name").first()
    return Me(
        id=actor.person or 0,
        name=actor.name,
        organization=named_ref(*home) if home else None,
        locale=actor.locale,
        time_zone=actor.time_zone,
        roles=sorted({grant.role.value for grant in actor.grants}),
        teams=[NamedRef(*row) for row in teams],
        scopes=sorted(actor.scopes or ()),
    )
