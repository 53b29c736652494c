"""Mail from the standard input, for mail servers that hand it to a program; and keys that sign the mail that goes out.

Exit codes are those of sysexits.h, which mail servers know: 0 it is kept, 65 it is too large, 67 there is no such mailbox, and 75 for
everything else: it is not kept, the mail server tries again.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError

from allswell.desk.mail import brought
from allswell.desk.mail.mailboxes import MOST_BYTES
from allswell.jobs import schema
from allswell.kernel import clock
from allswell.kernel.actor import engine
from allswell.notifications import signing
from allswell.notifications.rules.signing import Place, domain_name

from .main import fail

KEPT, TOO_LARGE, NO_MAILBOX, LATER = 0, 65, 67, 75


def options(parser: argparse.ArgumentParser) -> None:
    """receive, dkim."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="receive|dkim")
    receive = acts.add_parser(
        "receive", help="keep the mail on the standard input; ends with 0 once it is safe", allow_abbrev=False
    )
    receive.add_argument("--mailbox", metavar="ADDRESS", help="the mailbox it came to; else RECIPIENT, or its head, says")
    receive.add_argument("--from", dest="envelope_from", metavar="ADDRESS", help="who sent it, as the envelope says; else SENDER")
    dkim = acts.add_parser("dkim", help="make a key that signs mail, and print the DNS record to publish", allow_abbrev=False)
    dkim.add_argument("--selector", metavar="NAME", default="allswell", help="the name of the key in DNS (default: allswell)")
    dkim.add_argument("--kind", choices=("rsa", "ed25519"), default="rsa", help="default: rsa, which every mail server knows")
    dkim.add_argument("--file", metavar="FILE", help="where the key is kept (default: dkim-NAME.pem in the data folder)")
    dkim.add_argument("--domain", metavar="DOMAIN", help="the domain that signs (default: that of ALLSWELL_MAIL_FROM)")


def run(options: argparse.Namespace) -> int:
    """Keep it, or make a key."""
    return _dkim(options) if options.act == "dkim" else _receive(options)


def _dkim(options: argparse.Namespace) -> int:
    """Make a key, unless it is there already, and print its record and the setting that uses it. Nothing of the key itself is shown."""
    domain = (options.domain or signing.home()).strip(". ").lower()
    if not domain:
        return fail("Set ALLSWELL_MAIL_FROM, or say --domain: mail is signed by the domain it is sent from.", code=2)
    path = Path(options.file) if options.file else settings.DATA_DIR / f"dkim-{options.selector}.pem"
    try:
        place = Place.parse(f"{options.selector}:{path.absolute()}")
    except ValueError:
        return fail("A selector is made of letters, digits and hyphens.", code=2)
    try:
        place.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        key, is_new = signing.make(place, kind=options.kind), True
    except FileExistsError:
        try:
            key, is_new = signing.load(place), False
        except signing.BadKey as error:
            return fail(str(error), code=1)
    except OSError as error:
        return fail(f"{place.path} cannot be written: {error.strerror}.", code=1)
    in_use = [f"{one.selector}:{one.path}" for one in settings.DKIM_KEYS if one.selector != place.selector]
    print(f"{'A new key' if is_new else 'The key that is there already'} ({key.about}): {place.path}")
    print("\n1. Publish this DNS record (TXT); where a text is limited to 255 characters, in the pieces it shows:\n")
    print(f"{domain_name(place.selector, domain)}. IN TXT ( {signing.in_pieces(key.record)} )")
    print("\n2. Once it can be seen everywhere, have mail signed, and start again:\n")
    print(f"ALLSWELL_DKIM_KEYS={' '.join([*in_use, f'{place.selector}:{place.path}'])!r}")
    print("\n3. allswell doctor says whether both fit.")
    return 0


def _receive(options: argparse.Namespace) -> int:
    raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        while sys.stdin.buffer.read(1_000_000):  # whoever writes it is told when it has written all
            pass
        return fail(f"The mail is larger than {MOST_BYTES // 1_000_000} MB.", code=TOO_LARGE)
    if not raw.strip():
        return fail("There is no mail on the standard input.", code=TOO_LARGE)
    schema.look().refuse_pending()
    said = [options.mailbox] if options.mailbox else [os.environ.get(name, "") for name in ("ORIGINAL_RECIPIENT", "RECIPIENT")]
    place = brought.place_of([one for one in said if one], raw=raw, is_said=bool(options.mailbox))
    if place is None:
        return fail("There is no such mailbox, or it is switched off.", code=NO_MAILBOX)
    sender = os.environ.get("SENDER") if options.envelope_from is None else options.envelope_from
    recipients = [one for one in said if one] or [place.address]
    try:
        brought.keep(
            raw, mailbox=place.mailbox, envelope_from=_bare(sender), envelope_to=recipients, actor=engine(), now=clock.now()
        )
    except IntegrityError:
        return fail("The same mail is being kept by somebody else.", code=LATER)
    return KEPT


def _bare(sender: str | None) -> str | None:
    """An address without brackets; the null path, as mail servers write it, is empty."""
    if sender is None:
        return None
    bare = sender.strip().removeprefix("<").removesuffix(">")
    return "" if bare.upper() in ("MAILER-DAEMON", "") else bare
