"""Mail from the standard input, for mail servers that hand it to a program.

Exit codes are those of sysexits.h, which mail servers know: 0 it is kept, 65 it is too large, 67 there is no such mailbox, and 75 for
everything else: it is not kept, the mail server tries again.
"""

from __future__ import annotations

import argparse
import os
import sys

from django.db import IntegrityError

from allswell.desk.mail import brought
from allswell.desk.mail.mailboxes import MOST_BYTES
from allswell.jobs import schema
from allswell.kernel import clock
from allswell.kernel.actor import engine

from .main import fail

KEPT, TOO_LARGE, NO_MAILBOX, LATER = 0, 65, 67, 75


def options(parser: argparse.ArgumentParser) -> None:
    """receive."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="receive")
    receive = acts.add_parser(
        "receive", help="keep the mail on the standard input; ends with 0 once it is safe", allow_abbrev=False
    )
    receive.add_argument("--mailbox", metavar="ADDRESS", help="the mailbox it came to; else RECIPIENT, or its head, says")
    receive.add_argument("--from", dest="envelope_from", metavar="ADDRESS", help="who sent it, as the envelope says; else SENDER")


def run(options: argparse.Namespace) -> int:
    """Keep it."""
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
