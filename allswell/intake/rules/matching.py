"""Whether the labels of an alert fit what somebody wrote down: `service = "mail"`, `host =~ "web.*"`. Pure.

Expressions are anchored at both ends, as Alertmanager's are; a label that is not there reads as "". Three names are always
there: `title`, `severity` and `source`. RE2 compares in linear time, whatever the expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from allswell.kernel import text
from allswell.kernel.errors import Invalid

OPERATORS = ("=", "!=", "=~", "!~")
MOST = 20
_PATTERN = 200
_OPTIONS = re2.Options()
_OPTIONS.max_mem = 1 << 20  # of a compiled expression; what needs more is refused
_OPTIONS.log_errors = False


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label, how it is compared, and with what."""

    label: str
    operator: str
    value: str

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Matcher:
        """From JSON, or from a form. Raises Invalid."""
        label = text.line(str(given.get("label", "")), field="label", limit=128)
        operator = str(given.get("operator", "="))
        if operator not in OPERATORS:
            raise Invalid("Compare with one of =, !=, =~ and !~.", field="operator")
        value = text.line(str(given.get("value", "")), field="value", limit=_PATTERN, required=False)
        if operator.endswith("~"):
            check_expression(value)
        return cls(label, operator, value)

    def as_json(self) -> dict[str, str]:
        """As it is stored."""
        return {"label": self.label, "operator": self.operator, "value": self.value}

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fit."""
        told = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (told == self.value) is (self.operator == "=")
        return bool(_compiled(self.value).fullmatch(told[:1024])) is (self.operator == "=~")

    def __str__(self) -> str:
        return f'{self.label} {self.operator} "{self.value}"'


def check_expression(pattern: str) -> None:
    """Refuse what is no regular expression, or too large a one. Raises Invalid."""
    try:
        _compiled(pattern)
    except re2.error as error:
        raise Invalid(
            "This is no regular expression: %(why)s.", field="value", why=error.args[0].decode(errors="replace")[:120]
        ) from None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern, _OPTIONS)  # type: ignore[no-untyped-call]


def parse_all(given: Iterable[Mapping[str, Any]]) -> tuple[Matcher, ...]:
    """Matchers from JSON. Raises Invalid."""
    found = tuple(Matcher.parse(one) for one in given)
    if len(found) > MOST:
        raise Invalid("These are too many conditions.", field="matchers")
    return found


def fit(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all fit."""
    return all(matcher.fits(labels) for matcher in matchers)
