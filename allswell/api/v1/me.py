"""Who the token is, and the tokens of its person."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import Body, Call, operation
from allswell.desk import people as desk
from allswell.people import queries as people

from .shapes import NamedRef, changes, named_ref

TAG = "Me"


class Me(Struct):
    """The person behind the token, their roles and teams, and what the token may do."""

    id: int
    name: str
    organization: NamedRef | None
    phone: str
    location: str
    theme: str
    locale: str
    time_zone: str
    roles: list[str]
    teams: list[NamedRef]
    scopes: list[str]


def _shown(call: Call, person: Any) -> Me:
    actor = replace(call.actor, locale=person.locale or "en", time_zone=person.time_zone or "UTC")
    shown: Me = me(replace(call, actor=actor))
    return shown


class MeChange(Body):
    """What one may change about oneself; what is left out stays. "" for `locale`, `time_zone` and `theme`: what is usual here."""

    phone: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    location: Annotated[str, Meta(max_length=120)] | UnsetType = UNSET
    locale: Annotated[str, Meta(max_length=12)] | UnsetType = UNSET
    time_zone: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    theme: Literal["light", "dark", ""] | UnsetType = UNSET


@operation("GET", "/me", id="getMe", summary="Who this token is", tag=TAG, answer=Me)
def me(call: Call) -> Me:
    actor = call.actor
    person = people.any_person(actor.person or 0)
    teams = people.teams().filter(pk__in=actor.teams).order_by("name", "pk").values_list("pk", "slug", "name")
    home = people.organizations().filter(pk=actor.organization or 0).values_list("pk", "slug", "name").first()
    return Me(
        id=actor.person or 0,
        name=actor.name,
        organization=named_ref(*home) if home else None,
        phone=person.phone if person else "",
        location=person.location if person else "",
        theme=person.theme if person else "",
        locale=actor.locale,
        time_zone=actor.time_zone,
        roles=sorted({grant.role.value for grant in actor.grants}),
        teams=[NamedRef(*row) for row in teams],
        scopes=sorted(actor.scopes or ()),
    )


@operation(
    "PATCH",
    "/me",
    id="updateMe",
    summary="Change what is one's own to change",
    tag=TAG,
    scope="people:write",
    body=MeChange,
    answer=Me,
    present=_shown,
    current=me,
)
def update(call: Call) -> Any:
    return desk.edit_profile(actor=call.actor, now=call.now, **changes(call.body))
