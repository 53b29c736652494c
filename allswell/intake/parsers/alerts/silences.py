"""The silences of a running Alertmanager (`GET /api/v2/silences`), for taking them over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from .reading import instant, json_body, listed, said, within
from .shape import LABEL_VALUE, REPORTS, Action, Malformed, clean_report


class SilenceReport(msgspec.Struct, frozen=True):
    """A silence elsewhere: matchers are (label, "=" "!=" "=~" "!~", value)."""

    key: str
    matchers: tuple[tuple[str, str, str], ...]
    starts_at: datetime | None
    ends_at: datetime | None
    reason: str
    by: str
    is_ended: bool


def silences_in(body: bytes) -> list[SilenceReport]:
    """The silences of a list. Raises Malformed; one without a matcher would silence everything and is malformed."""
    found = json_body(body)
    if not isinstance(found, list):
        raise Malformed("The body is not a list of silences.")
    return [_silence(within(one)) for one in found[:REPORTS]]


def _silence(one: dict[str, Any]) -> SilenceReport:
    matchers = tuple(_matcher(within(matcher)) for matcher in listed(one.get("matchers")))
    if not matchers:
        raise Malformed("A silence has no “matchers”.")
    told = clean_report(Action.NOTE, said(one.get("id")), text=said(one.get("comment")), by=said(one.get("createdBy")))
    return SilenceReport(
        key=told.key,
        matchers=matchers,
        starts_at=instant(one.get("startsAt")),
        ends_at=instant(one.get("endsAt")),
        reason=told.text,
        by=told.by,
        is_ended=said(within(one.get("status")).get("state")) == "expired",
    )


def _matcher(one: dict[str, Any]) -> tuple[str, str, str]:
    name, value = said(one.get("name")), said(one.get("value"))
    if not name or len(value) > LABEL_VALUE:
        raise Malformed("A matcher has no name, or its value is too long.")
    # before version 0.22 there was no “isEqual”: all matched what is equal
    operator = ("=" if one.get("isEqual", True) else "!") + ("~" if one.get("isRegex") else "")
    return name, "!=" if operator == "!" else operator, value
