"""Rotas and policies as one document: taken out, compared with what holds here, brought in."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from allswell.desk import oncall_files
from allswell.desk.oncall_files import Line
from allswell.kernel import actor, clock
from allswell.kernel.errors import CannotStart

_SIGNS = {"added": "+", "changed": "~", "unchanged": "=", "left": ".", "lacking": "!"}


def add_arguments(parts: Any) -> None:
    """What can be done with documents."""
    taking = parts.add_parser("export", help="write the rotas and policies as they hold now and later into one document (JSON)")
    taking.add_argument("file", nargs="?", type=Path, metavar="FILE", help="standard output when left out")
    taking.add_argument("--leave", action="store_true", help="with the leave that is not over")
    taking.add_argument("--contacts", action="store_true", help="with how people and rooms are reached, without addresses")
    bringing = parts.add_parser("import", help="make the rotas and policies a document names what it says; the others stay")
    bringing.add_argument("file", metavar="FILE", help="JSON or YAML; - for standard input")
    bringing.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")
    bringing.add_argument("--json", action="store_true", help="print the outcome for a program")
    comparing = parts.add_parser(
        "diff", help="what differs between what holds here and a document; ends with 1 when something does"
    )
    comparing.add_argument("file", metavar="FILE", help="JSON or YAML; - for standard input")


def export(options: argparse.Namespace) -> int:
    """Write the document."""
    form = oncall_files.document(actor=actor.setup(), now=clock.now(), has_leave=options.leave, has_contacts=options.contacts)
    content = json.dumps(form, indent=2, ensure_ascii=False) + "\n"
    if options.file is None:
        sys.stdout.write(content)
        return 0
    try:
        options.file.write_text(content, encoding="utf-8")
    except OSError as error:
        raise CannotStart(f"{options.file} cannot be written: {error.strerror}", code=2) from error
    print(f"{len(form['rotas'])} rotas and {len(form['policies'])} policies are in {options.file}.")
    return 0


def bring_in(options: argparse.Namespace) -> int:
    """Bring a document in, or say what that would change."""
    raw = _content(options.file)
    lines = oncall_files.bring_in(raw, is_trial=options.dry_run, actor=actor.setup(), now=clock.now())
    if options.json:
        items = [
            {"outcome": one.outcome, "kind": one.kind, "name": one.name, "parts": one.parts, "moves": one.moves} for one in lines
        ]
        print(json.dumps({"is_written": not options.dry_run, "items": items}, indent=2))
        return 0
    for one in lines:
        print(_said(one))
    if options.dry_run:
        print("Nothing was written.")
    return 0


def _said(one: Line) -> str:
    said = f"{_SIGNS[one.outcome]} {one.kind} {one.name}"
    if one.parts:
        said += f": {', '.join(one.parts)}"
    if one.outcome == "left":
        said += " (not in the document: stays as it is)"
    if one.outcome == "lacking":
        said += " (the document has no address for it: not added)"
    return said + (f" ({one.moves} shifts move)" if one.moves else "")


def diff(options: argparse.Namespace) -> int:
    """What differs: 0 nothing, 1 something."""
    found = oncall_files.differences(_content(options.file), actor=actor.setup(), now=clock.now())
    for line in found:
        print(line)
    return int(bool(found))


def _content(file: str) -> bytes:
    """At most one byte more than is read anyway."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(oncall_files.LIMIT + 1)
        with Path(file).open("rb") as opened:
            return opened.read(oncall_files.LIMIT + 1)
    except OSError as error:
        raise CannotStart(f"{file} cannot be read: {error.strerror}", code=2) from error
