"""Real mails through the whole pipeline: python -m bench.mail_corpus

Every mail of the corpus that the tests read comes to a desk in this process, on a database of tests, eleven minutes apart. Told are
what became of them by what their names say, how many of the programs' mails (bounces, automatic replies, receipts) opened a ticket,
and how many were answered. It fails when more than 3 % of them opened a ticket, or when one was answered.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

TEST = """
from collections import Counter
from email.utils import parseaddr
from allswell.intake.models import InboundMessage
from allswell.tickets.models import Ticket
from tests.rules.mail import test_real_mail as corpus
from tests.support.post import Post
from tests.support.responders import Exchange

def test_corpus(world, monkeypatch):
    exchange, became, opened, programs = Exchange(Post(world), monkeypatch, {}), Counter(), 0, set()
    for name, raw in corpus._files().items():
        world.forward(minutes=11)
        before = Ticket.objects.count()
        number = exchange.post.kept(b"X-Sample: " + name.encode() + b"\\n" + raw.lstrip())
        exchange.post.take()
        row = InboundMessage.objects.get(pk=number)
        label = corpus._label(name)
        became[label.value if label else 'others', row.state] += 1
        if label in corpus.BY_PROGRAMS:
            opened += Ticket.objects.count() > before
            programs.add(number)
    exchange.settle()
    people = set(InboundMessage.objects.exclude(pk__in=programs).values_list("sender", flat=True))
    theirs = set(InboundMessage.objects.filter(pk__in=programs).values_list("sender", flat=True)) - people - {""}
    told = [mail for mail in exchange.sent if parseaddr(str(mail["To"]))[1].lower() in theirs]
    for (label, state), count in sorted(became.items()):
        print(f"{label}: {count} {state}")
    share = 100 * (1 - opened / len(programs))
    print(f"{sum(became.values())} mails; of {len(programs)} of programs {opened} opened a ticket ({share:.1f} % did not)", end="")
    print(f" and {len(told)} were answered")
    assert share >= 97 and not told
"""


def main() -> int:
    """Play them; 1 when it fell short."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    place = os.path.join("tests", "mail", f"long_corpus_{os.getpid()}.py")  # a name that nobody else collects
    with open(place, "w", encoding="utf-8") as file:
        file.write(TEST)
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", place]
        return subprocess.run(command, env=os.environ, check=False).returncode
    finally:
        os.remove(place)


if __name__ == "__main__":
    sys.exit(main())
