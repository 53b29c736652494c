"""The long form of the sudden-death test: python -m bench.sudden_death --kills 200 --tickets 2000."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Play it and print what came of it; 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--tickets", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("TEST_DATABASE", "sqlite")
    from tests.support import sudden_death

    with tempfile.TemporaryDirectory() as home:
        report = sudden_death.play(Path(home), kills=options.kills, tickets=options.tickets, seed=options.seed)
    lost = report.lost()
    facts = {
        "database": os.environ["TEST_DATABASE"],
        "kills": report.kills,
        "answered 201": len(report.answered),
        "tickets": len(report.tickets),
        "mails sent": sum(outcome == "sent" for _, _, outcome in report.notices),
        "mails received": report.mails,
        "lost": {what: len(which) for what, which in lost.items()},
    }
    print(json.dumps(facts, indent=2))
    return 1 if any(lost.values()) or report.pending else 0


if __name__ == "__main__":
    sys.exit(main())
