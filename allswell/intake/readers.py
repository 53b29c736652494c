"""Reading a file row by row: CSV, JSON (a list, lines, or a list inside an object) and XLSX. Never a whole file in memory.

A row that cannot be read is an `Unreadable` in its place; the rows after it still come.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.resources
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import openpyxl

from allswell.kernel.documents import NotReadable, read_yaml
from allswell.kernel.errors import Invalid

from .rules.mapping import TicketMapping, parse

#: characters of one field, and of one row; more is no ticket
FIELD_LIMIT = 1_000_000
ROW_LIMIT = 4_000_000
#: bytes of an XLSX' table of texts, which must be held in memory while reading
TEXTS_LIMIT = 48_000_000
MAPPING_LIMIT = 1_000_000
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is none, and why. `raw` is the beginning of what stood there."""

    reason: str
    raw: str = ""


Read = tuple[int, dict[str, Any] | Unreadable]


def shipped() -> list[str]:
    """The names of the mappings that come with the program."""
    folder = importlib.resources.files("allswell.intake") / "mappings"
    return sorted(part.name.removesuffix(".yaml") for part in folder.iterdir() if part.name.endswith(".yaml"))


def mapping(name: str, parse: Callable[[Any], TicketMapping] = parse) -> tuple[TicketMapping, str]:
    """(mapping, SHA-256 of its text) of a shipped name or a path. Raises Invalid."""
    if name in shipped():
        content = (importlib.resources.files("allswell.intake") / "mappings" / f"{name}.yaml").read_bytes()
    else:
        try:
            path = Path(name)
            if path.stat().st_size > MAPPING_LIMIT:
                raise Invalid("The mapping is too large.", field="mapping")
            content = path.read_bytes()
        except OSError as error:
            raise Invalid(
                "There is no mapping %(name)s: give a file or one of %(shipped)s.",
                field="mapping",
                name=name,
                shipped=", ".join(shipped()),
            ) from error
    try:
        raw = read_yaml(content)
    except NotReadable as error:
        raise Invalid("The mapping is no YAML: %(why)s", field="mapping", why=str(error)) from error
    return parse(raw), hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file. Raises Invalid when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Invalid("%(path)s cannot be read: %(why)s", field="file", path=str(path), why=error.strerror or "") from error


def rows(path: Path, how: TicketMapping) -> Iterator[Read]:
    """(line or row number, row) of every row after the header. Raises Invalid when the file is none of ours or lacks columns."""
    suffix = path.suffix.lower()
    read = {".json": _json, ".jsonl": _json, ".ndjson": _json, ".xlsx": _xlsx}.get(suffix, _csv)
    return read(path, how)


def _require(names: set[str], how: TicketMapping, *, only: tuple[str, ...] = ()) -> None:
    needed = {column for name in only for column in how.spots[name].columns} if only else how.columns()
    missing = sorted(needed - names)
    if missing:
        raise Invalid(
            "The file has no column %(missing)s; it has %(found)s.",
            field="file",
            missing=", ".join(missing),
            found=", ".join(sorted(names))[:600],
        )


class _Lines:
    """The lines of a text file, none longer than `ROW_LIMIT`: what is longer is cut there. Counts them."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.number = file, 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.file.readline(ROW_LIMIT)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == ROW_LIMIT and not line.endswith("\n"):
            while (rest := self.file.readline(ROW_LIMIT)) and not rest.endswith("\n"):
                pass
        return line


def _csv(path: Path, how: TicketMapping) -> Iterator[Read]:
    csv.field_size_limit(FIELD_LIMIT)
    try:
        file = path.open(encoding=how.encoding, errors="replace", newline="")
    except LookupError as error:
        raise Invalid("Mapping: encoding %(name)s is unknown.", field="mapping", name=how.encoding) from error
    with file:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=how.delimiter)
        try:
            header = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            raise Invalid("The first line is no header: %(why)s", field="file", why=str(error)) from error
        _require(set(header), how)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield lines.number, Unreadable(f"not readable as CSV: {error}; is a quotation mark left open?")
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                reason = f"has {len(cells)} fields, the header has {len(header)}"
                yield lines.number, Unreadable(reason, how.delimiter.join(cells)[:2000])
                continue
            yield lines.number, dict(zip(header, cells, strict=True))


def _json(path: Path, how: TicketMapping) -> Iterator[Read]:
    number, is_checked = 0, False
    with path.open(encoding=how.encoding, errors="replace") as file:
        for found in _objects(file, how.records):
            number += 1
            if isinstance(found, Unreadable):
                yield number, found
                if not is_checked:
                    return
                continue
            row = _flat(found)
            if not is_checked:
                _require(set(row), how, only=("ref",))  # an object may leave out what is empty
                is_checked = True
            yield number, row


def _objects(file: IO[str], key: str) -> Iterator[dict[str, Any] | Unreadable]:
    """The objects of a JSON list or of JSON lines, one at a time; with `key`, of the list under it."""
    decoder = json.JSONDecoder()
    buffer = file.read(_CHUNK)
    start = re.search(rf'"{re.escape(key)}"\s*:\s*\[', buffer) if key else None
    if key and start is None:
        yield Unreadable(f"there is no list “{key}” in the file")
        return
    position, is_end = start.end() if start else 0, False
    while True:
        while position < len(buffer) and buffer[position] in " \t\r\n,[\ufeff":
            position += 1
        if position < len(buffer) and buffer[position] == "]":
            return
        try:
            found, position = decoder.raw_decode(buffer, position)
        except (json.JSONDecodeError, RecursionError) as error:
            more = "" if is_end else file.read(max(_CHUNK, len(buffer) - position))
            is_end = not more
            if is_end or len(buffer) - position > ROW_LIMIT or isinstance(error, RecursionError):
                if position < len(buffer):
                    yield Unreadable(f"not readable as JSON: {error}; what follows was left", buffer[position : position + 500])
                return
            buffer, position = buffer[position:] + more, 0
            continue
        yield found if isinstance(found, dict) else Unreadable("is no object", str(found)[:500])


def _flat(found: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """One level: {"caller": {"name": "x"}} is "caller.name"; a reference with display_value or value is that value."""
    row: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            for inner in ("display_value", "value"):
                if inner in value and not isinstance(value[inner], dict | list):
                    row[prefix + name] = _plain(value[inner])
                    break
            if prefix.count(".") < 5:
                row |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            row[prefix + name] = ", ".join(_plain(part) for part in value if not isinstance(part, dict | list))
        else:
            row[prefix + name] = _plain(value)
    return row


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _xlsx(path: Path, how: TicketMapping) -> Iterator[Read]:
    try:
        with zipfile.ZipFile(path) as parts:
            if any(part.filename.endswith("sharedStrings.xml") and part.file_size > TEXTS_LIMIT for part in parts.infolist()):
                raise Invalid("The workbook holds too much text to read it in little memory; save it as CSV.", field="file")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise Invalid("%(path)s is no workbook: %(why)s", field="file", path=str(path), why=str(error)[:200]) from error
    try:
        if how.sheet and how.sheet not in book.sheetnames:
            raise Invalid("The workbook has no sheet %(name)s.", field="file", name=how.sheet)
        sheet = book[how.sheet] if how.sheet else book.worksheets[0]
        lines = sheet.iter_rows(values_only=True)
        header = [_plain(name).strip() for name in next(lines, ())]
        _require(set(header), how)
        for number, cells in enumerate(lines, start=2):
            if all(cell is None for cell in cells):
                continue
            values = [cell if hasattr(cell, "tzinfo") and hasattr(cell, "date") else _plain(cell) for cell in cells]
            if len(values) > len(header):
                yield number, Unreadable(f"has {len(values)} fields, the header has {len(header)}")
                continue
            yield number, dict(zip(header, values, strict=False))
    finally:
        book.close()
