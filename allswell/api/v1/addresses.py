"""The e-mail addresses of a person, and how far each is known to be theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from allswell.api.contract import Body, Call, operation
from allswell.desk import people as desk
from allswell.desk import sign_in
from allswell.kernel.errors import NotAllowed, NotFound
from allswell.people import queries, rules
from allswell.people.rules import Act, may

from .people import SCOPE, TAG


class AddressDetails(Struct):
    """An address. `proof`: claimed (said by the person), vouched (entered by an administrator or an import), confirmed (a link
    sent to it was opened). What is only claimed opens nothing and gets no mail but that link."""

    id: int
    address: str
    proof: rules.Proof
    is_primary: bool
    added_at: datetime
    confirmed_at: datetime | None


class Addresses(Struct):
    """The addresses of a person, the one mail is sent to first."""

    items: list[AddressDetails]


def _details(row: Any) -> AddressDetails:
    return AddressDetails(row.pk, row.address, rules.Proof(row.proof), row.is_primary, row.added_at, row.confirmed_at)


@operation(
    "GET",
    "/people/{id}/addresses",
    id="listAddresses",
    summary="The e-mail addresses of a person: one's own, or of somebody whose setup one may read",
    tag=TAG,
    scope="people:read",
    answer=Addresses,
)
def addresses(call: Call) -> Addresses:
    person = queries.any_person(call.path["id"])
    is_oneself = person is not None and person.pk == call.actor.person
    if person is None or not (is_oneself or queries.people_visible_to(call.actor).filter(pk=person.pk).exists()):
        raise NotFound("There is no such person, or you may not know them.")
    if not is_oneself and not may(call.actor, Act.READ_SETUP, queries.person_facts(person)):
        raise NotAllowed("Your role does not allow this.")
    return Addresses([_details(row) for row in queries.addresses(person.pk)])


def _shown(call: Call, result: Any) -> Addresses:
    return Addresses([_details(row) for row in queries.addresses(call.path["id"])])


class NewAddress(Body):
    """Another address. `is_primary`: mail is sent to it from now on, if it is vouched for."""

    email: Annotated[str, Meta(max_length=254, pattern="@")]
    is_primary: bool = False


@operation(
    "POST",
    "/people/{id}/addresses",
    id="addAddress",
    summary="Another address of a person",
    tag=TAG,
    scope=SCOPE,
    details="Whoever sets the person up vouches for it. Added by oneself it is only claimed until the link is opened that "
    "`confirmAddress` sends.",
    body=NewAddress,
    answer=Addresses,
    status=201,
    present=_shown,
    current=addresses,
)
def add(call: Call) -> Any:
    body: NewAddress = call.body
    return desk.add_address(call.path["id"], email=body.email, is_primary=body.is_primary, actor=call.actor, now=call.now)


def _one(call: Call) -> int:
    row = queries.address(call.path["address"])
    if row is None or row.person_id != call.path["id"]:
        raise NotFound("There is no such address.")
    return row.pk


@operation(
    "POST",
    "/people/{id}/addresses/{address}/make_primary",
    id="makeAddressPrimary",
    summary="Send mail to this address; refused while it is only claimed",
    tag=TAG,
    scope=SCOPE,
    answer=Addresses,
    present=_shown,
    current=addresses,
)
def make_primary(call: Call) -> Any:
    return desk.make_primary(_one(call), actor=call.actor, now=call.now)


@operation(
    "POST",
    "/people/{id}/addresses/{address}/confirm",
    id="confirmAddress",
    summary="Mail a link to one of one's own addresses; opening it, signed in, shows that it is",
    tag=TAG,
    scope=SCOPE,
    status=204,
)
def confirm(call: Call) -> Any:
    return sign_in.ask_confirmation(_one(call), actor=call.actor, now=call.now)


@operation(
    "DELETE",
    "/people/{id}/addresses/{address}",
    id="removeAddress",
    summary="Forget an address; refused for the one mail is sent to",
    tag=TAG,
    scope=SCOPE,
    status=204,
    current=addresses,
)
def remove(call: Call) -> Any:
    return desk.remove_address(_one(call), actor=call.actor, now=call.now)
