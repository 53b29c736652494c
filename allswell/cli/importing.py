"""`allswell import tickets`: bring in the history of another desk."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

from allswell.desk import agreement_files, importing
from allswell.intake import readers
from allswell.intake.rules.mapping import zone
from allswell.kernel import actor, clock
from allswell.kernel.errors import DeskError

_MADE = {
    "person": "people",
    "team": "teams",
    "service": "services",
    "organization": "organizations",
    "custom_field": "custom fields",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `import tickets`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a CSV, JSON or XLSX file")
    parser.add_argument(
        "--mapping", required=True, metavar="MAP", help=f"a YAML file, or a shipped one: {', '.join(readers.shipped())}"
    )
    parser.add_argument(
        "--agreements",
        metavar="FILE",
        help=f"write down these agreements first: a YAML file, or a shipped one: {', '.join(agreement_files.shipped())}",
    )
    parser.add_argument("--timezone", metavar="ZONE", help="the zone of the file's times, such as Europe/Paris")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    parser.add_argument("--rejected", type=Path, metavar="PATH", help="where rejected rows go (FILE's name.rejected.csv here)")
    parser.add_argument("--json", action="store_true", help="print the outcome for a program")


def run(args: argparse.Namespace) -> int:
    """Bring the file in, or say what that would do; 0 done, 1 some rows were rejected, 2 wrong use."""
    progress = _Progress(sys.stderr)
    rejects = args.rejected or Path(f"{args.file.name}.rejected.csv")
    try:
        mapping, digest = readers.mapping(args.mapping)
        where = zone(args.timezone or mapping.time_zone or settings.DEFAULT_TIME_ZONE)
        if not args.file.is_file():
            print(f"There is no file {args.file}.", file=sys.stderr)
            return 2
        agreements = agreement_files.read(args.agreements) if args.agreements else None
        if agreements is not None and not args.dry_run:
            agreement_files.load(agreements, actor=actor.importer(), now=clock.now())
        if args.dry_run:
            outcome = importing.preview(args.file, mapping, zone=where, progress=progress.show)
        else:
            outcome = importing.import_tickets(
                args.file,
                mapping,
                mapping_sha256=digest,
                zone=where,
                rejects=rejects,
                actor=actor.importer(),
                now=clock.now,
                progress=progress.show,
            )
    except DeskError as error:
        progress.end()
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        progress.end()
        print("Stopped. The same command goes on where this one stopped.", file=sys.stderr)
        return 1
    progress.end()
    print(json.dumps(_report(args, outcome, rejects), indent=2) if args.json else _words(args, outcome, rejects))
    return 1 if outcome.rejected else 0


def _report(args: argparse.Namespace, outcome: importing.Outcome, rejects: Path) -> dict[str, Any]:
    return {
        "dry_run": args.dry_run,
        "rows": outcome.rows,
        "tickets": {"created": outcome.created, "changed": outcome.changed},
        "entries": {"created": outcome.entries},
        "rows_unchanged": outcome.unchanged,
        "rejected": outcome.rejected,
        "rejected_file": str(rejects) if outcome.rejected and not args.dry_run else None,
        "priorities_differing": outcome.differing,
        "made": outcome.made,
        "resumed_at": outcome.resumed_at,
    }


def _words(args: argparse.Namespace, outcome: importing.Outcome, rejects: Path) -> str:
    would = "Would bring in" if args.dry_run else "Brought in"
    lines = [
        f"Read {outcome.rows} rows"
        + (f", going on after the first {outcome.resumed_at} of an interrupted run." if outcome.resumed_at else "."),
        f"{would} {outcome.created} new tickets, changes to {outcome.changed}, {outcome.entries} journal entries;"
        f" {outcome.unchanged} rows were here already.",
    ]
    made = [f"{count} {_MADE.get(kind, kind)}" for kind, count in sorted(outcome.made.items()) if count]
    if made:
        lines.append(f"{'Names met' if args.dry_run else 'Made on the way'}: {', '.join(made)}.")
    if outcome.differing:
        lines.append(f"{outcome.differing} rows carry another priority than the matrix gives; theirs is kept, as an override.")
    if outcome.rejected:
        where = "" if args.dry_run else f"; all of them with reasons in {rejects}"
        lines.append(f"Rejected {outcome.rejected} rows{where}:")
        lines += [f"  line {line}: {reason}" for line, reason in outcome.reasons]
    if args.dry_run:
        lines.append("Nothing was written.")
    return "\n".join(lines)


class _Progress:
    """One line that moves on a terminal; elsewhere a plain line every 20 batches."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.is_terminal = stream, stream.isatty()
        self.began, self.shown = clock.monotonic(), 0

    def show(self, outcome: importing.Outcome) -> None:
        """Say how far it is."""
        self.shown += 1
        took = max(clock.monotonic() - self.began, 0.001)
        pace = int((outcome.rows - outcome.resumed_at) / took)
        said = f"{outcome.rows} rows, {outcome.created} tickets, {outcome.rejected} rejected, {pace} rows/s"
        if self.is_terminal:
            self.stream.write(f"\r\x1b[K{said}")
            self.stream.flush()
        elif self.shown % 20 == 0:
            self.stream.write(f"{said}\n")

    def end(self) -> None:
        """Leave the line."""
        if self.is_terminal and self.shown:
            self.stream.write("\n")
