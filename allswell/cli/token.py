"""Tokens: keys to the API. A token is shown once, when it is made."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta

from allswell.desk import people
from allswell.jobs import schema
from allswell.kernel import actor, clock
from allswell.kernel.errors import Invalid
from allswell.people import queries
from allswell.people.rules import TokenScope

from .person import by_email


def options(parser: argparse.ArgumentParser) -> None:
    """create, list, revoke."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="create | list | revoke")
    create = acts.add_parser("create", help="make a token for a person")
    create.add_argument("--person", required=True, metavar="EMAIL", help="whose token; it may do what they may")
    create.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=[scope.value for scope in TokenScope],
        help="how far it reaches; repeatable",
    )
    create.add_argument("--name", default="made at the command line", help="to recognise it by")
    create.add_argument("--days", type=int, metavar="N", help="it ends after N days; otherwise it does not")
    create.add_argument("--quiet", action="store_true", help="print the token and nothing else")
    listing = acts.add_parser("list", help="the tokens of a person")
    listing.add_argument("--person", required=True, metavar="EMAIL")
    revoke = acts.add_parser("revoke", help="end a token now")
    revoke.add_argument("id", type=int, help="as allswell token list shows it")
    for one in acts.choices.values():
        one.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(options: argparse.Namespace) -> int:
    """Do one of them."""
    schema.look().refuse_pending()
    return {"create": _create, "list": _list, "revoke": _revoke}[options.act](options)


def _create(options: argparse.Namespace) -> int:
    now = clock.now()
    if options.days is not None and not 0 < options.days <= 36_500:
        raise Invalid("Use a number of days from 1 to 36500.", field="--days")
    token, secret = people.create_token(
        by_email(options.person).pk,
        name=options.name,
        scopes=options.scope,
        expires_at=now + timedelta(days=options.days) if options.days else None,
        actor=actor.setup(),
        now=now,
    )
    if options.json:
        ends = token.expires_at.isoformat() if token.expires_at else None
        print(json.dumps({"id": token.pk, "token": secret, "scopes": token.scopes, "expires_at": ends}))
    elif options.quiet:
        print(secret)
    else:
        print(f"{secret}\nThis is token {token.pk}. It is not shown again.")
    return 0


def _list(options: argparse.Namespace) -> int:
    rows = list(queries.tokens(by_email(options.person).pk))
    if options.json:
        listed = [
            {
                "id": row.pk,
                "name": row.name,
                "hint": row.hint,
                "scopes": row.scopes,
                "expires_at": row.expires_at.isoformat() if row.expires_at else None,
                "is_revoked": row.revoked_at is not None,
            }
            for row in rows
        ]
        print(json.dumps(listed, indent=2))
    for row in rows if not options.json else ():
        end = "revoked" if row.revoked_at else f"until {row.expires_at:%Y-%m-%d}" if row.expires_at else "no end"
        print(f"{row.pk:>6}  {row.hint:<12} {' '.join(row.scopes):<30} {end:<18} {row.name}")
    return 0


def _revoke(options: argparse.Namespace) -> int:
    people.revoke_token(options.id, actor=actor.setup(), now=clock.now())
    print(json.dumps({"id": options.id, "is_revoked": True}) if options.json else f"Token {options.id} has ended.")
    return 0
