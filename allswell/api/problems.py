"""Errors as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import re
from http import HTTPStatus

import msgspec
from django.http import HttpResponse

from allswell.kernel.errors import DeskError

from .contract import BASE, FieldError, Problem

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<where>.*?)`)?$", re.DOTALL)
_FIELD = re.compile(r"(?:unknown|required) field `(?P<field>[^`]*)`")
_ENCODE = msgspec.json.Encoder().encode


class Refusal(Exception):
    """The request is refused before it reaches the desk."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers = errors or [], headers or {}


def problem(
    status: int, code: str, detail: str, *, errors: list[FieldError] | None = None, headers: dict[str, str] | None = None
) -> HttpResponse:
    """The answer that says what is wrong."""
    content = Problem(
        type=f"{BASE}/#problem-{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        errors=errors or [],
    )
    return HttpResponse(_ENCODE(content), status=status, content_type="application/problem+json", headers=headers)


def of_desk(error: DeskError, *, status: int | None = None) -> HttpResponse:
    """What the desk refused, with the field it named."""
    errors = [FieldError(error.field, str(error))] if error.field else []
    return problem(status or error.http, error.code, str(error), errors=errors)


def of_decoding(error: msgspec.ValidationError) -> Refusal:
    """The first thing that does not fit the declared shape, naming its field: "$.items[0].name" becomes "items[0].name"."""
    found = _AT.match(str(error))
    what, where = (found["what"], found["where"] or "") if found else (str(error), "")
    where = where.lstrip(".")
    if named := _FIELD.search(what):
        where = f"{where}.{named['field']}" if where else named["field"]
        what = "There is no such field." if "unknown" in what else "This is needed."
    return Refusal(422, "invalid", "The request does not fit.", errors=[FieldError(where, what)])
