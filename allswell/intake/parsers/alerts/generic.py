"""JSON of any shape, read by a mapping that people write on a sample (`docs/extend/alert-sources.md` shows it).

A mapping says for each field of a report where it is: a path, several that are joined, or `{"path": …, "words": {…}, "else": …}` with words
of the sender turned into ours. `each` goes through a list. Without a mapping the usual names are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from .paths import Path
from .reading import fields_of, instant, json_body, labels_of, said, tags_of, word
from .severities import SEVERITIES
from .shape import (
    LABELS,
    REPORTS,
    Accepted,
    Action,
    AlertReport,
    Malformed,
    Options,
    Refused,
    Request,
    Severity,
    accepted,
    clean_report,
    made_up,
    refusal,
)
from .states import action_of, chosen
from .titles import without_state

TEXTS = ("key", "group", "title", "text", "note", "by")
INSTANTS = ("happened_at", "started_at", "ended_at", "lease_until")
_TELLING = ("key", "title", "text")
WORDS = ("action", "severity", "is_test", "is_flapping")
FIELDS = {*TEXTS, *INSTANTS, *WORDS, "each", "labels", "labels_of", "links", "without_state"}
GUESSED: dict[str, Any] = {
    "key": "dedup_key|alert_id|alertId|incident_id|incidentId|fingerprint|key|id|check_id|title|name|summary|message",
    "title": "title|summary|subject|name|alertname|message|description",
    "text": "description|details|text|message|body",
    "action": "state|status|action|event_type|eventType",
    "severity": "severity|priority|level|criticality",
    "labels_of": ["labels", "tags", "@"],
    "links": {"Source": "url|link|html_url"},
    "happened_at": "timestamp|time|date|created_at|updated_at",
}


class _Words:
    """A field whose value is one of our own words."""

    def __init__(self, written: Any) -> None:
        given = written if isinstance(written, dict) else {"path": written}
        self.path = Path(_text(given["path"])) if "path" in given else None
        self.words, self.otherwise = given.get("words"), given.get("else")
        if self.words is not None and not isinstance(self.words, dict):
            raise Malformed("“words” is not an object.")
        if unknown := set(given) - {"path", "words", "else"}:
            raise Malformed(f"“{min(unknown)}” is unknown here.")

    def find(self, entry: Any, top: Any, own: Callable[[Any], Any]) -> Any:
        """The value turned by the sender's words, by ours, or what stands for everything else; None for none of them."""
        value = self.path.first_in(entry, top) if self.path else None
        if self.words is not None and value is not None and (found := chosen(self.words, value)) is not None:
            return own(found)
        found = own(value) if value is not None else None
        return found if found is not None or self.otherwise is None else own(self.otherwise)


class Mapping:
    """A mapping that was read once. Raises Malformed with the field and what is wrong with it."""

    def __init__(self, written: Any) -> None:
        if not isinstance(written, dict):
            raise Malformed("The mapping is not an object.")
        if unknown := set(written) - FIELDS:
            raise Malformed(f"The mapping has an unknown field: “{min(map(str, unknown))}”.")
        self.texts = {
            name: _read(name, written, lambda given: [Path(_text(one)) for one in _several(given)])
            for name in TEXTS
            if name in written
        }
        self.instants = {name: _read(name, written, lambda given: Path(_text(given))) for name in INSTANTS if name in written}
        self.words = {name: _read(name, written, _Words) for name in WORDS if name in written}
        self.each = _read("each", written, lambda given: Path(_text(given))) if "each" in written else None
        self.labels = _read("labels", written, _named)
        self.labels_of = _read("labels_of", written, lambda given: [Path(_text(one)) for one in _several(given or [])])
        self.links = _read("links", written, _named)
        self.without_state = bool(written.get("without_state"))
        if "key" not in written and "title" not in written:
            raise Malformed("“key” and “title” are both missing: nothing would tell one alert from another.")

    def reports(self, message: Any, request: Request, nonce: str) -> list[AlertReport]:
        """What a message says by this mapping. Raises Malformed where nothing in it is what the mapping looks for."""
        entries = self.each.all_in(message, message, most=2 * REPORTS) if self.each else [message]
        if entries and not any(
            path.first_in(entry, message) for entry in entries for name in _TELLING for path in self.texts.get(name, ())
        ):
            raise Malformed("Nothing that the mapping takes for key, title or text is in the message.")
        return [self._report(entry, message, request, nonce, number) for number, entry in enumerate(entries)]

    def _report(self, entry: Any, top: Any, request: Request, nonce: str, number: int) -> AlertReport:
        texts = {
            name: (_KEY if name == "key" else " ").join(_said(path, entry, top) for path in paths)
            for name, paths in self.texts.items()
        }
        instants = {name: instant(path.first_in(entry, top)) for name, path in self.instants.items()}
        key = texts.get("key", "").strip(_KEY) or texts.get("title", "")
        if self.without_state:
            key = without_state(key)
        found = [_labels(value) for path in self.labels_of for value in path.all_in(entry, top)[:LABELS]]
        labels = labels_of(*found, {name: path.first_in(entry, top) for name, path in self.labels.items()})
        return clean_report(
            self._word("action", entry, top, _action) or Action.FIRE,
            key or made_up(request.body, nonce, str(number)),
            group=texts.get("group", ""),
            title=texts.get("title", ""),
            text=texts.get("text", ""),
            severity=self._word("severity", entry, top, _severity) or Severity.ERROR,
            labels=labels,
            links=[(name, said(path.first_in(entry, top))) for name, path in self.links.items()],
            happened_at=instants.get("happened_at") or instants.get("ended_at") or instants.get("started_at"),
            started_at=instants.get("started_at"),
            ended_at=instants.get("ended_at"),
            lease_until=instants.get("lease_until"),
            is_flapping=self._word("is_flapping", entry, top, _truth),
            is_test=bool(self._word("is_test", entry, top, _truth)),
            note=texts.get("note", ""),
            by=texts.get("by", ""),
        )

    def _word(self, name: str, entry: Any, top: Any, own: Callable[[Any], Any]) -> Any:
        return self.words[name].find(entry, top, own) if name in self.words else None


_KEY = "/"


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """The reports of any JSON, or form, by the mapping of the source."""
    return read_by(GUESSED, request, nonce, options)


def read_by(preset: dict[str, Any], request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """The same by a mapping that comes with us, where the source has none of its own."""
    try:
        mapping = _cached(msgspec.json.encode(written_in(options) or preset))
        is_form = request.content_type.startswith(("multipart/form-data", "application/x-www-form-urlencoded"))
        message = fields_of(request) if is_form and request.body.lstrip()[:1] not in (b"{", b"[") else json_body(request.body)
        if not isinstance(message, dict | list):
            raise Malformed("The body is neither an object nor a list.")
        return accepted(mapping.reports(message, request, nonce))
    except Malformed as error:
        return refusal(str(error))


def written_in(options: Options) -> Any:
    """The mapping among the settings of a source: all of them, or what stands under “mapping”."""
    return options.get("mapping", options)


@lru_cache(maxsize=256)
def _cached(written: bytes) -> Mapping:
    return Mapping(msgspec.json.decode(written))


def _read(name: str, written: dict[str, Any], reader: Callable[[Any], Any]) -> Any:
    try:
        return reader(written.get(name))
    except Malformed as error:
        raise Malformed(f"In “{name}”: {error}") from error


def _text(written: Any) -> str:
    if not isinstance(written, str):
        raise Malformed("a path is a text.")
    return written


def _several(written: Any) -> list[Any]:
    several = written if isinstance(written, list) else [written]
    if len(several) > 20:
        raise Malformed("there are more than 20 paths.")
    return several


def _named(written: Any) -> dict[str, Path]:
    if written is None:
        return {}
    if not isinstance(written, dict) or len(written) > 64:
        raise Malformed("it is not an object of at most 64 names and paths.")
    return {name: Path(_text(path)) for name, path in written.items()}


def _said(path: Path, entry: Any, top: Any) -> str:
    return said(path.first_in(entry, top))


def _labels(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if not isinstance(inner, dict | list)}
    return dict(tags_of(value))


def _action(value: Any) -> Action | None:
    return action_of(value)


def _severity(value: Any) -> Severity | None:
    return SEVERITIES.get(word(value))


def _truth(value: Any) -> bool | None:
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(word(value))
