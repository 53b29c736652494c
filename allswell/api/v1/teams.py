"""Teams and who works in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, Page, Paged, operation
from allswell.api.paging import page
from allswell.desk import teams as desk
from allswell.kernel.actor import Actor
from allswell.kernel.errors import NotFound
from allswell.people import queries

from .shapes import Email, Name, NamedRef, PersonRef, Ref, changes, named_ref, person_ref

TAG = "Teams"
SCOPE = "setup:write"
Line = Literal[1, 2, 3]
Assignment = Literal["manual", "round_robin", "least_loaded"]


class Team(Struct):
    """Agents who receive tickets together. `line` is 1 for the service desk, 2 and 3 for specialists."""

    id: int
    slug: str
    name: str
    line: int
    email: str
    description: str
    assignment: str
    is_active: bool
    organization: NamedRef | None
    lead: PersonRef | None


class TeamDetails(Team):
    """A team with its members."""

    members: list[PersonRef] = []


_COLUMNS = (
    "pk",
    "slug",
    "name",
    "line",
    "email",
    "description",
    "assignment",
    "is_active",
    "organization_id",
    "organization__slug",
    "organization__name",
    "lead_id",
    "lead__name",
)


def _make_all(rows: Sequence[Sequence[Any]], *, actor: Actor, shape: type[Any] = Team) -> list[Any]:
    """Teams from rows; who leads one is shown to those who may know them."""
    leads = [row[-2] for row in rows if row[-2]]
    known = set(queries.people_visible_to(actor).filter(pk__in=leads).values_list("pk", flat=True)) if leads else set()
    made = []
    for *plain, home, home_slug, home_name, lead, lead_name in rows:
        made.append(shape(*plain, named_ref(home, home_slug, home_name), person_ref(lead, lead_name) if lead in known else None))
    return made


class TeamFilters(Paged):
    """Which teams."""

    line: Annotated[int, Meta(ge=1, le=3)] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


@operation(
    "GET",
    "/teams",
    id="listTeams",
    summary="Teams the caller may know, newest first",
    tag=TAG,
    scope="people:read",
    query=TeamFilters,
    answer=Page[Team],
)
def list_teams(call: Call) -> Page[Team]:
    rows = queries.teams_visible_to(call.actor)
    for name in ("line", "is_active"):
        if (wanted := getattr(call.query, name)) is not UNSET:
            rows = rows.filter(**{name: wanted})
    return page(call, rows.values_list(*_COLUMNS), lambda found: _make_all(found, actor=call.actor))


@operation(
    "GET",
    "/teams/{ref}",
    id="getTeam",
    summary="One team, by id or short name",
    tag=TAG,
    scope="people:read",
    answer=TeamDetails,
)
def get(call: Call) -> TeamDetails:
    return _details(call, call.path["ref"])


def _details(call: Call, ref: int | str) -> TeamDetails:
    known = queries.team_by_ref(ref)
    rows = queries.teams_visible_to(call.actor).filter(pk=known.pk if known else 0)
    row = rows.values_list(*_COLUMNS).first()
    if row is None:
        raise NotFound("There is no such team, or you may not know it.")
    made: TeamDetails = _make_all([row], actor=call.actor, shape=TeamDetails)[0]
    people = queries.people_visible_to(call.actor).filter(memberships__team=made.id, is_active=True)
    made.members = [PersonRef(*person) for person in people.order_by("name", "pk").values_list("pk", "name")]
    return made


def _shown(call: Call, team: Any) -> TeamDetails:
    return _details(call, call.path["ref"])


class NewTeam(Body):
    """A team to set up. The lead gets the lead's role in it."""

    name: Name
    line: Line = 1
    email: Email = ""
    description: Annotated[str, Meta(max_length=2000)] = ""
    assignment: Assignment = "manual"
    organization: Ref | None = None
    lead: Id | None = None


@operation(
    "POST",
    "/teams",
    id="createTeam",
    summary="Set up a team",
    tag=TAG,
    scope=SCOPE,
    body=NewTeam,
    answer=TeamDetails,
    status=201,
    present=lambda call, team: _created(call, team),
)
def create(call: Call) -> Any:
    values = {name: getattr(call.body, name) for name in NewTeam.__struct_fields__}
    return desk.create_team(actor=call.actor, now=call.now, **values)


def _created(call: Call, team: Any) -> TeamDetails:
    call.headers["Location"] = f"{BASE}/teams/{team.slug}"
    return _details(call, team.pk)


class TeamChange(Body):
    """What to change; what is left out stays."""

    name: Name | UnsetType = UNSET
    line: Line | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET
    assignment: Assignment | UnsetType = UNSET
    organization: Ref | UnsetType | None = UNSET
    lead: Id | UnsetType | None = UNSET


@operation(
    "PATCH",
    "/teams/{ref}",
    id="updateTeam",
    summary="Change a team",
    tag=TAG,
    scope=SCOPE,
    body=TeamChange,
    answer=TeamDetails,
    present=_shown,
    current=get,
)
def update(call: Call) -> Any:
    return desk.edit_team(call.path["ref"], actor=call.actor, now=call.now, **changes(call.body))


@operation(
    "POST",
    "/teams/{ref}/deactivate",
    id="deactivateTeam",
    summary="Take a team out of use; refused while it holds open tickets",
    tag=TAG,
    scope=SCOPE,
    answer=TeamDetails,
    present=_shown,
)
def deactivate(call: Call) -> Any:
    return desk.deactivate_team(call.path["ref"], actor=call.actor, now=call.now)


@operation(
    "POST",
    "/teams/{ref}/activate",
    id="activateTeam",
    summary="Bring a team back into use",
    tag=TAG,
    scope=SCOPE,
    answer=TeamDetails,
    present=_shown,
)
def activate(call: Call) -> Any:
    return desk.activate_team(call.path["ref"], actor=call.actor, now=call.now)


class NewMember(Body):
    """Who joins."""

    person: Id


@operation(
    "POST",
    "/teams/{ref}/members",
    id="joinTeam",
    summary="Make somebody a member; they become an agent of the team",
    tag=TAG,
    scope=SCOPE,
    body=NewMember,
    answer=TeamDetails,
    present=_shown,
)
def join(call: Call) -> Any:
    return desk.join_team(call.body.person, team=call.path["ref"], actor=call.actor, now=call.now)


@operation(
    "DELETE",
    "/teams/{ref}/members/{person}",
    id="leaveTeam",
    summary="End a membership, and with it the agent's role in this team",
    tag=TAG,
    scope=SCOPE,
    status=204,
)
def leave(call: Call) -> Any:
    if not desk.leave_team(call.path["person"], team=call.path["ref"], actor=call.actor, now=call.now):
        raise NotFound("This person is not in the team.")
