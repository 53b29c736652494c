"""How the caller is reached by pages, the rooms of teams, and by what the members of a team are reached."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from allswell.api.contract import Body, Call, Id, operation
from allswell.desk import contacts as desk
from allswell.kernel.errors import Invalid
from allswell.notifications import queries, rules
from allswell.notifications.rules import Reach, Urgency
from allswell.people import queries as people

from .shapes import PersonRef

TAG = "Contacts"
READ, WRITE = "people:read", "people:write"

ContactKind = Literal["push", "ntfy", "chat", "email", "webhook", "apprise", "sms", "voice"]
UrgencyName = Literal["urgent", "normal"]
ContactAddress = Annotated[str, Meta(min_length=1, max_length=desk.ADDRESS_LIMIT)]
ContactLabel = Annotated[str, Meta(max_length=desk.LABEL_LIMIT)]
ContactFlavor = Annotated[str, Meta(max_length=40, description="Of a chat: slack, teams, mattermost or matrix.")]
Seconds = Annotated[int, Meta(ge=0, le=rules.LONGEST_AFTER)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="As the clock shows it: 22:00.")]


class Contact(Struct):
    """A way to reach the caller or a team's room. Of the address only what tells it from others is shown."""

    id: int
    kind: ContactKind
    flavor: str
    shown: str
    label: str
    created_at: datetime
    verified_at: datetime | None
    failing_since: datetime | None
    last_sent_at: datetime | None


def _contact(row: Any) -> Contact:
    return Contact(
        row.pk,
        row.kind,
        row.flavor if row.kind == "chat" else "",
        row.shown,
        row.label,
        row.created_at,
        row.verified_at,
        row.failing_since,
        row.last_sent_at,
    )


class NewContact(Body, kw_only=True):
    """`docs/extend/channels.md` says how an address of each kind is written."""

    kind: ContactKind
    address: ContactAddress
    label: ContactLabel = ""
    flavor: ContactFlavor = ""


@operation(
    "GET",
    "/contacts",
    id="listContacts",
    summary="The ways the caller has added, the oldest first",
    tag=TAG,
    scope=READ,
    answer=list[Contact],
)
def list_contacts(call: Call) -> list[Contact]:
    return [_contact(row) for row in desk.own_contacts(actor=call.actor)]


@operation(
    "POST",
    "/contacts",
    id="addContact",
    summary="Add a way to reach the caller; a code goes there at once",
    tag=TAG,
    scope=WRITE,
    body=NewContact,
    answer=Contact,
    status=201,
    present=lambda call, row: _contact(row),
)
def add_contact(call: Call) -> Any:
    return desk.add_contact(**_asked(call.body), actor=call.actor, now=call.now)


def _asked(body: NewContact) -> dict[str, Any]:
    return {"kind": body.kind, "address": body.address, "label": body.label, "flavor": body.flavor}


@operation(
    "POST",
    "/contacts/{id}/code",
    id="sendContactCode",
    summary="Send another code there; the former opens nothing any more",
    tag=TAG,
    scope=WRITE,
    answer=Contact,
    present=lambda call, row: _contact(row),
)
def send_code(call: Call) -> Any:
    return desk.send_code(call.path["id"], actor=call.actor, now=call.now)


class CodeTyped(Body):
    """The code that arrived there."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]


class CodeVerdict(Struct):
    """What came of it. No guesses left: ask for another code."""

    is_verified: bool
    guesses_left: int


@operation(
    "POST",
    "/contacts/{id}/verify",
    id="verifyContact",
    summary="Type in the code that arrived there",
    tag=TAG,
    scope=WRITE,
    details="A wrong code is an answer, not an error: it counts as a guess.",
    body=CodeTyped,
    answer=CodeVerdict,
    present=lambda call, said: CodeVerdict(said.is_verified, said.guesses_left),
)
def verify(call: Call) -> Any:
    return desk.verify(call.path["id"], code=call.body.code, actor=call.actor, now=call.now)


@operation(
    "DELETE",
    "/contacts/{id}",
    id="removeContact",
    summary="Send nothing there any more, and forget the address",
    tag=TAG,
    scope=WRITE,
    status=204,
)
def remove(call: Call) -> Any:
    return desk.remove_contact(call.path["id"], actor=call.actor, now=call.now)


# order and quiet hours


class PagingRule(Struct):
    """Pages go to this contact (null: the primary e-mail address) so many seconds after their first instant."""

    contact: int | None
    after: int


class PagingRules(Struct):
    """By what pages of an urgency go, the earliest first; `is_own` is false where nothing was set and the defaults hold."""

    is_own: bool
    rules: list[PagingRule]


class QuietHours(Struct):
    """When normal pages wait, in the caller's own zone."""

    since: str
    until: str
    zone: str


class Paging(Struct):
    """How the caller is reached."""

    is_reachable: bool
    urgent: PagingRules
    normal: PagingRules
    quiet_hours: QuietHours | None


def _rules(reach: Reach, urgency: Urgency) -> PagingRules:
    own = [rule for rule in reach.rules if rule.urgency is urgency]
    chosen = own or rules.default_rules(reach.methods, urgency)
    return PagingRules(bool(own), [PagingRule(rule.contact, rule.after) for rule in chosen])


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _paging(reach: Reach) -> Paging:
    quiet = reach.quiet
    hours = None if quiet is None else QuietHours(_clock(quiet.since), _clock(quiet.until), reach.zone)
    return Paging(reach.is_reachable, _rules(reach, Urgency.URGENT), _rules(reach, Urgency.NORMAL), hours)


def _of_caller(call: Call) -> Paging:
    return _paging(desk.own_reach(actor=call.actor))


@operation(
    "GET",
    "/paging",
    id="getPaging",
    summary="By what and when pages reach the caller",
    tag=TAG,
    scope=READ,
    answer=Paging,
)
def get_paging(call: Call) -> Paging:
    return _of_caller(call)


class RuleAsked(Body):
    """A contact of the caller's own that is verified, or null for the primary e-mail address."""

    contact: Id | None
    after: Seconds = 0


class RulesAsked(Body):
    """All rules of an urgency; none brings the defaults back."""

    urgency: UrgencyName
    rules: Annotated[list[RuleAsked], Meta(max_length=rules.MOST_RULES)]


@operation(
    "POST",
    "/paging/rules",
    id="setPagingRules",
    summary="Say by what pages of an urgency go, and after how long",
    tag=TAG,
    scope=WRITE,
    body=RulesAsked,
    answer=Paging,
    present=lambda call, _: _of_caller(call),
)
def set_rules(call: Call) -> Any:
    body: RulesAsked = call.body
    wanted = [(rule.contact, rule.after) for rule in body.rules]
    return desk.set_rules(body.urgency, wanted=wanted, actor=call.actor, now=call.now)


class QuietAsked(Body):
    """Both, or neither for no quiet hours."""

    since: TimeOfDay | None = None
    until: TimeOfDay | None = None


@operation(
    "POST",
    "/paging/quiet-hours",
    id="setQuietHours",
    summary="Say when normal pages wait; urgent ones pass",
    tag=TAG,
    scope=WRITE,
    body=QuietAsked,
    answer=Paging,
    present=lambda call, _: _of_caller(call),
)
def set_quiet_hours(call: Call) -> Any:
    body: QuietAsked = call.body
    return desk.set_quiet_hours(since=_minute(body.since), until=_minute(body.until), actor=call.actor, now=call.now)


def _minute(said: str | None) -> int | None:
    if said is None:
        return None
    try:
        return int(said[:2]) * 60 + int(said[3:5])
    except ValueError:
        raise Invalid("Give a time of day.", field="since") from None


class TestSent(Struct):
    """By how many ways it goes."""

    ways: int


@operation(
    "POST",
    "/paging/test",
    id="sendTestPage",
    summary="Send the caller a test page by every verified way",
    tag=TAG,
    scope=WRITE,
    answer=TestSent,
    present=lambda call, ways: TestSent(ways),
)
def send_test(call: Call) -> Any:
    return desk.send_test(actor=call.actor, now=call.now)


# teams


@operation(
    "GET",
    "/teams/{ref}/rooms",
    id="listRooms",
    summary="The rooms of a team: chats, topics, lists and programs a policy can page",
    tag=TAG,
    scope=READ,
    answer=list[Contact],
)
def list_rooms(call: Call) -> list[Contact]:
    team = desk.team_for_rooms(call.path["ref"], actor=call.actor)
    return [_contact(row) for row in queries.rooms_of(team.pk)]


@operation(
    "POST",
    "/teams/{ref}/rooms",
    id="addRoom",
    summary="Add a room to a team; a code goes there at once",
    tag=TAG,
    scope=WRITE,
    body=NewContact,
    answer=Contact,
    status=201,
    present=lambda call, row: _contact(row),
)
def add_room(call: Call) -> Any:
    return desk.add_room(call.path["ref"], **_asked(call.body), actor=call.actor, now=call.now)


class MemberReach(Struct):
    """By what kinds of ways somebody is reached, never where."""

    person: PersonRef
    is_reachable: bool
    kinds: list[str]


@operation(
    "GET",
    "/teams/{ref}/reach",
    id="getTeamReach",
    summary="By what the members of a team are reached; for who leads or administers it",
    tag=TAG,
    scope=READ,
    answer=list[MemberReach],
)
def team_reach(call: Call) -> list[MemberReach]:
    team = desk.team_for_rooms(call.path["ref"], actor=call.actor)
    known = people.people_visible_to(call.actor).values("pk")
    members = list(people.members(team.pk).filter(pk__in=known)[:1000])
    found = queries.reachable([row.pk for row in members])
    return [
        MemberReach(
            PersonRef(row.pk, row.name),
            found[row.pk].is_reachable,
            sorted(str(kind) for kind in found[row.pk].kinds),
        )
        for row in members
        if row.pk in found
    ]
