"""Reading bodies: JSON as senders really write it, forms, instants, words. Linear in the size of what came, whatever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from .shape import LABELS, Malformed, Request

DEPTH = 64
FIELDS = 200

_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NOT_STRUCTURE = bytes(sorted(set(range(256)) - set(b'[]{}"\\')))
_FIRST, _LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def json_body(body: bytes) -> Any:
    """What a body of JSON says. Raises Malformed.

    Stricter readers than ours would refuse an alert for a `NaN`, half a surrogate pair or a number of forty digits; some senders write
    them. Deeper than `DEPTH` is refused however it is written: nothing below has to think about recursion.
    """
    if not body.strip():
        raise Malformed("The body is empty.")
    if _is_deep(body):
        raise Malformed(f"The body is nested deeper than {DEPTH} levels.")
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _leniently(body)


def json_object(body: bytes) -> dict[str, Any]:
    """A body that is a JSON object. Raises Malformed."""
    said = json_body(body)
    if not isinstance(said, dict):
        raise Malformed("The body is not a JSON object.")
    return said


def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, encoded either way, or of a flat JSON object; of a name said twice the last. Raises Malformed."""
    kind = request.content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return dict(_parts(request))
    if kind == "application/json" or request.body.lstrip()[:1] == b"{":
        return {name: said(value) for name, value in json_object(request.body).items()}
    try:
        pairs = parse_qsl(
            request.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS, errors="replace"
        )
    except ValueError as error:
        raise Malformed(f"The form has more than {FIELDS} fields.") from error
    return dict(pairs)


def said(value: object) -> str:
    """A value as text: what is nested as its JSON, nothing as ""."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -(10**40) < value < 10**40 else "a very large number"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    try:
        return _encode(value).decode()
    except (UnicodeEncodeError, OverflowError):  # what only the lenient reader lets in
        return json.dumps(value, ensure_ascii=False)


def word(value: object) -> str:
    """A value as one word to compare: lower case, without space around it."""
    return said(value).strip().lower() if value is not None else ""


def within(value: object) -> dict[str, Any]:
    """A value as an object, empty when it is none."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """A value as a list, empty when it is none."""
    return value if isinstance(value, list) else []


def labels_of(*objects: object) -> dict[str, str]:
    """Labels out of objects, later ones win and come first; values as text, empty ones left out; not more than are kept."""
    labels: dict[str, str] = {}
    for one in reversed(objects):
        if not isinstance(one, dict):
            continue
        for name, value in one.items():
            if value.__class__ is str:
                if value:
                    labels.setdefault(name, value)
            elif value is not None and (text := said(value)):
                labels.setdefault(str(name), text)
            if len(labels) == LABELS:
                return labels
    return labels


def tags_of(value: object) -> dict[str, str]:
    """Labels out of a list of tags: "team:dba" is a label with a value, [name, value] too, a single word one that is "true"."""
    labels: dict[str, str] = {}
    for tag in value.split(",", LABELS) if isinstance(value, str) else listed(value)[:LABELS]:
        if isinstance(tag, list) and len(tag) == 2:
            labels[said(tag[0])] = said(tag[1])
        elif isinstance(tag, dict):
            name = said(tag.get("name") or tag.get("key") or tag.get("tag"))
            labels[name] = said(tag.get("value"))
        elif tag := said(tag).strip():
            name, colon, rest = tag.partition(":")
            labels[name.strip()] = rest.strip() if colon else "true"
    labels.pop("", None)
    return labels


def instant(value: object) -> datetime | None:
    """An instant as senders write it: RFC 3339 with any fraction, or seconds or milliseconds since 1970. What is none, or not of our
    age (the year 1 of Go, 0), is None; without a zone it is UTC."""
    if isinstance(value, str):
        if value.isdigit():  # "1712052030123" would be read as a date of 1712
            return _odd(value)
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return _odd(value.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value)
    else:
        return None
    return found if 1970 <= found.year < 2200 and _FIRST <= found < _LAST else None


def _odd(value: str) -> datetime | None:
    if len(value) > 60:
        return None
    if value.replace(".", "", 1).isdigit() and value.isascii() and len(value) < 25:
        return _epoch(float(value))
    # Go prints "2025-02-15 14:59:03.26 +0000 UTC", others "2024/08/14 21:28:56 GMT"
    parts = value.replace("/", "-").split(" ")
    if len(parts) in (3, 4) and parts[-1] in ("UTC", "GMT", "Z"):
        parts.pop()
    try:
        found = datetime.fromisoformat(" ".join(parts[:2]) + "".join(parts[2:]))
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if 1970 <= found.year < 2200 and _FIRST <= found < _LAST else None


def _epoch(value: float) -> datetime | None:
    if not 86_400 <= value < 7.26e18:
        return None
    while value >= 7.26e9:  # milli-, micro- or nanoseconds: 2200 in seconds is less
        value /= 1000
    return datetime.fromtimestamp(value, UTC) if value >= 86_400 else None


def _is_deep(body: bytes) -> bool:
    """Whether it is nested too deep, without recursion: only brackets outside of strings are looked at."""
    marks = body.translate(None, _NOT_STRUCTURE)
    if marks.count(b"[") + marks.count(b"{") <= DEPTH:
        return False
    if b"\\" in marks:
        # a backslash may stand before anything: without the other bytes between, only pairs of what is kept could be misread
        marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NOT_STRUCTURE)
    brackets = b"".join(marks.replace(b'""', b"").split(b'"')[::2]).replace(b"\\", b"")
    return len(brackets) > DEPTH and max(accumulate(map(_STEP.__getitem__, brackets))) > DEPTH


def _leniently(body: bytes) -> Any:
    try:
        text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff")
        if _is_deep(text.encode("utf-8", "surrogatepass")):
            raise Malformed(f"The body is nested deeper than {DEPTH} levels.")
        return json.loads(text, parse_constant=lambda _name: None, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise Malformed(f"The body is nested deeper than {DEPTH} levels.") from error


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= 40 else float(digits)


def _parts(request: Request) -> Iterator[tuple[str, str]]:
    """The fields of multipart/form-data. Files in it are taken as their text."""
    boundary = _parameter(request.content_type, "boundary").encode("ascii", "replace")
    if not boundary:
        raise Malformed("The form has no boundary.")
    parts = request.body.split(b"--" + boundary, FIELDS + 1)
    if len(parts) > FIELDS + 1:
        raise Malformed(f"The form has more than {FIELDS} fields.")
    for part in parts[1:]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if blank and (name := _parameter(_disposition(head), "name")):
            yield name, content.removesuffix(b"\r\n").decode("utf-8", "replace")


def _disposition(head: bytes) -> str:
    for line in head[:4_000].decode("utf-8", "replace").split("\r\n"):
        if line.lower().startswith("content-disposition:"):
            return line
    return ""


def _parameter(header: str, name: str) -> str:
    for part in header.split(";")[1:]:
        found, _equals, value = part.strip().partition("=")
        if found.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def header_fields(headers: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Headers with a common beginning, without it."""
    return {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)}
