"""What the API offers, declared once: an operation's declaration gives its route, decoding, scope, errors and documentation.

    @operation("POST", "/tickets/{number}/take", id="takeTicket", summary="Make it mine", scope="tickets:write", answer=Ticket)
    def take(call: Call) -> Any: ...

The function does the act (one use case) and returns its result; `present` turns the result into the answer's struct. Where a
call must not happen twice, `present` runs inside the transaction of the act, so that the answer is kept with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from django.http import HttpRequest
from msgspec import Meta, Struct

from allswell.kernel.actor import Actor

BASE = "/api/v1"
#: the largest integer every JSON reader keeps exact
MAX_ID = 2**53 - 1
Id = Annotated[int, Meta(ge=1, le=MAX_ID)]
Limit = Annotated[int, Meta(ge=1, le=200, description="How many, 1 to 200.")]
Cursor = Annotated[str, Meta(min_length=1, max_length=300, description="`next` of the page before.")]

T = TypeVar("T")


class Body(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a caller sends: a field that is not named here is refused, never ignored."""


class Query(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Parameters after the question mark; one that is not named here is refused."""


class Paged(Query):
    """A list is read page by page."""

    limit: Limit = 50
    cursor: Cursor | msgspec.UnsetType = msgspec.UNSET


class Page(Struct, Generic[T]):
    """Some of a list, newest first; `next` is the cursor of the following page, also in the Link header."""

    items: list[T]
    next: str | None


class FieldError(Struct):
    """What is wrong with one field; `field` is its name as it was sent."""

    field: str
    detail: str


class Problem(Struct, omit_defaults=True):
    """An error, as RFC 9457 says. `code` is stable and for programs, `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []


@dataclass(slots=True)
class Call:
    """One request, decoded and allowed in: what an operation works with.

    `version` is what If-Match named, for use cases that take it. `headers` are added to the answer.
    """

    operation: Operation
    request: HttpRequest
    actor: Actor
    now: datetime
    path: dict[str, Any]
    query: Any = None
    body: Any = None
    version: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


Act = Callable[[Call], Any]
Present = Callable[[Call, Any], Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a program may ask for.

    `scope` is what the token must carry ("" for every token), `is_public` needs no token. `answer` None means no content (204).
    `current` reads the thing as it is now, for If-Match on things without a version. `is_upload` takes multipart/form-data with
    a part named `file`; `is_download` answers bytes.
    `names_thing`: its query names something that may not be there (404). `shown_once` are answer fields that a repeated call does
    not show again.
    """

    id: str
    method: str
    path: str
    summary: str
    act: Act
    tag: str
    scope: str = ""
    details: str = ""
    body: Any = None
    query: type[Query] | None = None
    answer: Any = None
    status: int = 200
    present: Present | None = None
    current: Act | None = None
    takes_version: bool = False
    is_public: bool = False
    is_upload: bool = False
    media_type: str = "application/json"
    is_download: bool = False
    names_thing: bool = False
    shown_once: tuple[str, ...] = ()

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters in the path."""
        return _PARAMETER.findall(self.path)

    @property
    def has_if_match(self) -> bool:
        """Whether the caller may say which version they saw."""
        return self.takes_version or self.current is not None


_PARAMETER = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
#: parameters that are names or random words; all others are numbers
TEXT_PARAMETERS = frozenset({"slug", "token", "ref", "key", "language"})

OPERATIONS: list[Operation] = []
_TREE: dict[str, Any] = {}
#: no part of a path looks like this
_METHODS = "/"


def operation(method: str, path: str, *, id: str, summary: str, tag: str, **values: Any) -> Callable[[Act], Act]:
    """Declare the function as an operation of the API."""

    def declare(act: Act) -> Act:
        made = Operation(id=id, method=method, path=path, summary=summary, tag=tag, act=act, **values)
        node = _TREE
        for part in path.strip("/").split("/"):
            node = node.setdefault("{}" if part.startswith("{") else part, {})
        methods = node.setdefault(_METHODS, {})
        if method in methods or any(other.id == id for other in OPERATIONS):
            raise TypeError(f"{method} {path} ({id}) is declared twice")
        methods[method] = made
        OPERATIONS.append(made)
        return act

    return declare


def _walk(node: dict[str, Any], parts: list[str], values: list[str]) -> tuple[dict[str, Operation], list[str]] | None:
    if not parts:
        return (node[_METHODS], values) if _METHODS in node else None
    first, rest = parts[0], parts[1:]
    if first in node and (found := _walk(node[first], rest, values)):
        return found
    if "{}" in node:
        return _walk(node["{}"], rest, [*values, first])
    return None


def match(path: str) -> tuple[dict[str, Operation], list[str]] | None:
    """The operations at a path (without `/api/v1`), by method, and the raw values of its parameters; None when there is nothing."""
    return _walk(_TREE, path.strip("/").split("/"), [])


def path_values(operation: Operation, raw: list[str]) -> dict[str, Any] | None:
    """The parameters of the path by name, numbers as numbers; None when one cannot be meant."""
    values: dict[str, Any] = {}
    for name, text in zip(operation.parameters, raw, strict=True):
        if name in TEXT_PARAMETERS:
            if not _NAME.fullmatch(text):
                return None
            values[name] = text
        else:
            if not (text.isascii() and text.isdigit() and len(text) <= 16 and 1 <= int(text) <= MAX_ID):
                return None
            values[name] = int(text)
    return values
