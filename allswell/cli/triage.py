"""What can be learned from resolved tickets. `allswell triage evaluate --help` says more."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from allswell.intake import readers
from allswell.intake.rules.mapping import parse_flat
from allswell.kernel import clock
from allswell.kernel.errors import Invalid
from allswell.triage import flat
from allswell.triage.rules import evaluating


def options(parser: argparse.ArgumentParser) -> None:
    """What can be asked."""
    parts = parser.add_subparsers(dest="what", required=True, metavar="evaluate")
    evaluate = parts.add_parser(
        "evaluate", help="learn from the earlier tickets of a file, ask about the later ones, print figures"
    )
    evaluate.add_argument("--data", type=Path, required=True, metavar="FILE", help="a CSV, JSON or XLSX file")
    evaluate.add_argument(
        "--mapping", required=True, metavar="MAP", help=f"a YAML file, or a shipped one: {', '.join(readers.shipped())}"
    )
    evaluate.add_argument(
        "--target", default="team", metavar="FIELD", help="what is to be told: team, category, service, a field"
    )
    evaluate.add_argument(
        "--test-share",
        type=float,
        default=evaluating.TEST_SHARE,
        metavar="SHARE",
        help="the share of later tickets that is asked about",
    )


def run(args: argparse.Namespace) -> int:
    """Print the figures as JSON."""
    if not args.data.is_file():
        raise Invalid("There is no file %(path)s.", field="data", path=str(args.data))
    if not 0.01 <= args.test_share <= 0.9:
        raise Invalid("Use a share from 0.01 to 0.9.", field="test-share")
    began = clock.monotonic()
    mapping, digest = readers.mapping(args.mapping, parse_flat)
    history = flat.read(args.data, mapping, args.target)
    report: dict[str, Any] = evaluating.evaluate(history.examples, args.target, test_share=args.test_share)
    report |= {
        "looked_at": history.looked_at,
        "left_out_as_known_later": history.left_out,
        "unreadable_rows": history.unreadable,
        "mapping_sha256": digest,
        "seconds": round(clock.monotonic() - began, 1),
    }
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0
