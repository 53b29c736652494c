"""People: add, list, deactivate, activate, or set a password."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from allswell.desk import people, teams
from allswell.jobs import schema
from allswell.kernel import actor, clock, text
from allswell.kernel.actor import Role
from allswell.kernel.errors import NotFound
from allswell.people import queries

from . import asking

if TYPE_CHECKING:
    from allswell.people.models import Person

ROLES = [role.value for role in Role if role is not Role.REQUESTER]


def options(parser: argparse.ArgumentParser) -> None:
    """The five things to do."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="add | list | deactivate | activate | password")
    add = acts.add_parser("add", help="make somebody known")
    add.add_argument("--name", required=True)
    add.add_argument("--email", required=True)
    add.add_argument("--organization", help="id or short name; the first organization when there is only one")
    add.add_argument("--role", action="append", default=[], choices=ROLES, help="a role in the whole installation; repeatable")
    add.add_argument("--team", action="append", default=[], help="id or short name of a team to join; repeatable")
    asking.password_options(add)
    listing = acts.add_parser("list", help="who is known")
    listing.add_argument("--inactive", action="store_true", help="also those who were deactivated")
    for name, about in (("deactivate", "sessions and tokens end"), ("activate", "may sign in again")):
        acts.add_parser(name, help=about).add_argument("email")
    word = acts.add_parser("password", help="set a password; sessions end")
    word.add_argument("email")
    asking.password_options(word)
    for one in acts.choices.values():
        one.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(options: argparse.Namespace) -> int:
    """Do one of them."""
    schema.look().refuse_pending()
    acts = {"add": _add, "list": _list, "deactivate": _deactivate, "activate": _activate, "password": _password}
    return acts[options.act](options)


def by_email(email: str) -> Person:
    """The person with this address. Raises NotFound."""
    person = queries.person_by_address(text.folded_address(email))
    if person is None:
        raise NotFound("Nobody has the address %(email)s.", email=email)
    return person


def _said(options: argparse.Namespace, words: str, **facts: Any) -> int:
    print(json.dumps(facts) if options.json else words)
    return 0


def _add(options: argparse.Namespace) -> int:
    roots = list(queries.organizations().values_list("pk", flat=True)[:2])
    organization = options.organization or (roots[0] if len(roots) == 1 else None)
    is_given = options.password is not None or options.password_file or options.password_stdin
    person = people.create_person(
        name=options.name,
        email=options.email,
        organization=_ref(organization),
        password_hash=people.hash_of(asking.password(options)) if is_given else "",
        actor=actor.setup(),
        now=clock.now(),
    )
    for role in options.role:
        people.grant_role(person.pk, role=Role(role), actor=actor.setup(), now=clock.now())
    for team in options.team:
        teams.join_team(person.pk, team=_ref(team), actor=actor.setup(), now=clock.now())
    return _said(options, f"{person.name} is known as person {person.pk}.", id=person.pk, name=person.name)


def _ref(given: str | int | None) -> Any:
    return int(given) if isinstance(given, str) and given.isdigit() else given


def _list(options: argparse.Namespace) -> int:
    rows = queries.people().order_by("name", "pk")
    if not options.inactive:
        rows = rows.filter(is_active=True)
    found = list(rows)
    addresses = queries.primary_addresses([person.pk for person in found])
    if options.json:
        listed = [
            {"id": row.pk, "name": row.name, "email": addresses.get(row.pk, ""), "is_active": row.is_active} for row in found
        ]
        print(json.dumps(listed, indent=2))
    else:
        for row in found:
            print(
                f"{row.pk:>6}  {row.name:<30} {addresses.get(row.pk, ''):<36}{'' if row.is_active else ' deactivated'}".rstrip()
            )
    return 0


def _deactivate(options: argparse.Namespace) -> int:
    person = people.deactivate_person(by_email(options.email).pk, actor=actor.setup(), now=clock.now())
    return _said(options, f"{person.name} is deactivated; sessions and tokens have ended.", id=person.pk, is_active=False)


def _activate(options: argparse.Namespace) -> int:
    person = people.activate_person(by_email(options.email).pk, actor=actor.setup(), now=clock.now())
    return _said(options, f"{person.name} may sign in again.", id=person.pk, is_active=True)


def _password(options: argparse.Namespace) -> int:
    person = by_email(options.email)
    hashed = people.hash_of(asking.password(options), person=person)
    people.set_password(person.pk, password_hash=hashed, actor=actor.setup(), now=clock.now())
    return _said(options, f"The password of {person.name} is set; their sessions have ended.", id=person.pk)
