"""A backlog of mail: python -m bench.mail_in [--databases sqlite,postgresql] [--messages 10000] [--kill] [--json FILE]

So many mails of people, programs and mail servers wait, answers to earlier ones and files among them; the engine's module takes them in a
process of its own. Told are mails a second, the CPU of both processes, and the memory on the way (on SQLite up to 32 MB of it are its cache
of pages, which fills as more of the file is read: with a cache of 2 MB it stays at 48 MB over 4,000 mails). With `--kill` the process
is killed (-9) again and again: afterwards every mail must be handled, and none twice.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.clocks import _environment

_WORDS = [
    "printer",
    "ledger",
    "account",
    "query",
    "morning",
    "counter",
    "branch",
    "screen",
    "slow",
    "error",
    "again",
    "ticket",
    "customer",
    "report",
    "drawer",
    "number",
    "till",
]


def _person(number: int) -> int:
    return random.Random(number).randrange(2_000)


def letter(number: int, chance: random.Random) -> bytes:
    """The n-th mail of the backlog; the same for the same number."""
    kind = chance.random()
    answered = chance.randrange(max(0, number - 500), number) if 0.25 <= kind < 0.55 and number > 50 else None
    person = _person(number if answered is None else answered)
    sender = f"person{person}@customer.example"
    words = " ".join(chance.choice(_WORDS) for _ in range(chance.randrange(10, 120)))
    head = [f"From: Person {person} <{sender}>", "To: support@desk.example", f"Message-ID: <b{number}@customer.example>"]
    if kind < 0.15:
        head += ["Return-Path: <>", "Subject: Undelivered Mail Returned to Sender", "X-Failed-Recipients: x@gone.example"]
    elif kind < 0.25:
        head += ["Subject: Automatic reply: away", "Auto-Submitted: auto-replied"]
    elif answered is not None:
        head += ["Subject: Re: about it", f"In-Reply-To: <b{answered}@customer.example>"]
    else:
        head += [f"Subject: {' '.join(words.split()[:5])}"]
    body = f"{words}\n\n-- \n{sender}\n\nOn Mon, 2 Nov 2026, Support wrote:\n> {words[:200]}\n"
    if kind > 0.9:
        file = "".join(f"{chance.randrange(256):02x}" for _ in range(2_000))
        head += ["Content-Type: multipart/mixed; boundary=b"]
        body = f"--b\n\n{body}\n--b\nContent-Type: text/plain; name=log.txt\nContent-Disposition: attachment\n\n{file}\n--b--\n"
    return ("\n".join(head) + "\n\n" + body).encode()


def fill(count: int) -> None:
    """Keep the backlog."""
    import django

    django.setup()
    from datetime import timedelta

    from django.core.management import call_command
    from django.db import transaction

    from allswell.intake.models import InboundMessage, Mailbox
    from allswell.intake.operations.mail import keep
    from allswell.kernel import clock

    call_command("migrate", verbosity=0)
    began = clock.now() - timedelta(days=20)
    box = Mailbox.objects.create(name="Support", address="support@desk.example", kind="pipe", created_at=began)
    chance = random.Random(1)
    with transaction.atomic():
        for number in range(count):
            at = began + timedelta(seconds=number * 150 * 10_000 / max(count, 1_000) / 10)
            keep(letter(number, chance), mailbox=box.pk, now=at)
    print(json.dumps({"kept": InboundMessage.objects.count()}))


def take() -> None:
    """Take all that waits, and tell what it cost."""
    import resource

    import django

    django.setup()
    from allswell.engine.mail_in import MailIn
    from allswell.kernel import clock

    module, done, sizes = MailIn(), 0, list[int]()
    began = time.monotonic()
    while module.is_due(clock.now()):
        done += module.tick(clock.now()).done
        if not sizes or done // 1_000 > len(sizes) - 1:
            sizes.append(_memory())
    seconds = time.monotonic() - began
    module.finish()
    used, child = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    spent = round((child.ru_utime + child.ru_stime) * 1000 / max(done, 1), 2)
    found = {"taken": done, "seconds": round(seconds, 1), "rate": round(done / max(seconds, 0.001), 1), "memory_mb": sizes}
    print(json.dumps({**found, "cpu_ms": round(cpu * 1000 / max(done, 1), 2), "reader_cpu_ms": spent}))


def _memory() -> int:
    """Megabytes of this process alone: what SQLite maps of its file is the system's, which takes it back when it needs it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) // 1024


def count() -> None:
    """How everything stands."""
    import django

    django.setup()
    from django.db.models import Count

    from allswell.intake.models import InboundMessage
    from allswell.tickets.models import Comment, Ticket

    states = dict(InboundMessage.objects.values_list("state").annotate(n=Count("pk")).order_by())
    said = Comment.objects.exclude(message_id="").values("message_id").annotate(n=Count("pk")).filter(n__gt=1).count()
    taken = InboundMessage.objects.filter(state="taken", comment=None).count()
    print(json.dumps({"states": states, "tickets": Ticket.objects.count(), "openers": taken, "said_twice": said}))


def _run(environment: dict[str, str], *arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.mail_in", *map(str, arguments)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _killed(environment: dict[str, str]) -> int:
    """Take, and kill what takes after a few seconds, until nothing is left; how often it was killed."""
    kills = 0
    for seconds in (3, 2, 4, 3, 5):
        process = subprocess.Popen([sys.executable, "-m", "bench.mail_in", "take"], env=environment, stdout=subprocess.DEVNULL)
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    return kills


def main() -> int:
    """Fill, take, count; print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="", choices=["", "fill", "take", "count"])
    parser.add_argument("number", nargs="?", type=int, default=0)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.part:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "allswell.boot.settings")
        {"fill": lambda: fill(asked.number), "take": take, "count": count}[asked.part]()
        return 0
    results: dict[str, Any] = {}
    for database in asked.databases.split(","):
        with tempfile.TemporaryDirectory() as folder:
            environment, server = _environment(Path(folder), database)
            environment["DJANGO_SETTINGS_MODULE"] = "allswell.boot.settings"
            try:
                _run(environment, "fill", asked.messages)
                kills = _killed(environment) if asked.kill else 0
                found = {"killed": kills, **_run(environment, "take"), **_run(environment, "count")}
            finally:
                if server is not None:
                    server.stop()
        states = found["states"]
        found["is_whole"] = sum(states.values()) == asked.messages and not states.get("pending") and not found["said_twice"]
        found["is_whole"] &= found["tickets"] == found["openers"]
        results[database] = found
        print(database, json.dumps(found))
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1))
    return 0 if all(one["is_whole"] for one in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
