"""Set up a new installation: the database, the organization, the first team and the first administrator.

Without questions when the flags are given; otherwise it asks.
"""

from __future__ import annotations

import argparse
import json

from django.conf import settings

from allswell.desk import people, setup
from allswell.jobs import schema
from allswell.kernel import actor, clock
from allswell.kernel.errors import CannotStart
from allswell.people import queries

from . import asking
from .migrate import bring_up


def options(parser: argparse.ArgumentParser) -> None:
    """Who administers, and of what."""
    parser.add_argument("--name", help="name of the first administrator")
    parser.add_argument("--email", help="their e-mail address, with which they sign in")
    asking.password_options(parser)
    parser.add_argument("--organization", help="name of the organization")
    parser.add_argument("--team", default="Service desk", help="name of the first team (Service desk)")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(options: argparse.Namespace) -> int:
    """Set up, once."""
    found = schema.look()
    found.refuse_newer()
    if found.pending:
        bring_up()
    if queries.people().exists():
        raise CannotStart("This installation has been set up already. allswell person add adds people.")
    name = asking.text(options.name, "Your name", "--name")
    email = asking.text(options.email, "Your e-mail address", "--email")
    organization = asking.text(options.organization, "Name of the organization", "--organization")
    first_day = setup.first_administrator(
        name=name,
        email=email,
        organization=organization,
        team=options.team,
        password_hash=people.hash_of(asking.password(options)),
        actor=actor.setup(),
        now=clock.now(),
    )
    if options.json:
        made = {"person": first_day.person.pk, "organization": first_day.organization.slug, "team": first_day.team.slug}
        print(json.dumps(made))
    else:
        print(f"{organization} is set up. Start with: allswell serve, then sign in at {settings.PUBLIC_URL} as {email}.")
    return 0
