"""Years of mail between programs: python -m bench.mail_loops [--days 1000]

A desk in this process, on a database of tests: somebody writes each day, an agent takes it and answers by mail, and both sides have a
program that answers by itself: one by the book, one without any header, one that never says the same twice. Every exchange has to end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

TEST = """
import os
import pytest
from tests.support.post import Post
from tests.support.responders import Exchange, days, talkative, with_headers, without_any

PAIRS = [(with_headers, without_any), (without_any, without_any), (talkative, without_any), (talkative, talkative)]

@pytest.mark.parametrize("maria,jonas", PAIRS)
def test_it_ends(world, monkeypatch, maria, jonas):
    count = int(os.environ["DAYS"]) if talkative is not jonas else max(1, int(os.environ["DAYS"]) // 100)
    exchange = Exchange(Post(world), monkeypatch, {"maria@example.org": maria, "jonas@example.org": jonas})
    longest = days(exchange, count)
    print(f"{maria.__name__} and {jonas.__name__}: {count} days, {len(exchange.sent)} mails out, {exchange.answered} answers of programs,"
          f" longest exchange {longest} rounds, {exchange.held()} held")
"""


def main() -> None:
    """Play the days."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=1000)
    asked = parser.parse_args()
    place = os.path.join("tests", "mail", f"long_loops_{os.getpid()}.py")  # a name that nobody else collects
    with open(place, "w", encoding="utf-8") as file:
        file.write(TEST)
    try:
        environment = {**os.environ, "DAYS": str(asked.days)}
        ended = subprocess.run([sys.executable, "-m", "pytest", "-q", "-s", place], env=environment, check=False)
    finally:
        os.remove(place)
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
