"""Trying a payload on a source of alerts, and the mapping that reads it: what would be read and done is shown beside it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_http_methods

from allswell.desk.alerts import sources as desk
from allswell.desk.alerts import trying
from allswell.intake.parsers.alerts.presets import PRESETS, TITLES
from allswell.intake.parsers.alerts.registry import MAIL
from allswell.kernel.errors import DeskError, Invalid
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web import alert_whys
from allswell.web.agent.alerts import SEVERITIES
from allswell.web.pages import PageRequest, SeeOther, field_errors, is_fragment, page, toast

from .gate import setup_page

MOST_MAPPING = 20_000
CHANGES = {
    "fires": (N_("Fires"), "bad-c"),
    "worse": (N_("Gets worse"), "warn-c"),
    "repeated": (N_("Fires already: it counts one more"), ""),
    "over": (N_("Over"), "ok-c"),
    "brief": (N_("Begins and ends at once"), ""),
    "acknowledged": (N_("Acknowledged at the source"), ""),
    "ignored": (N_("Changes nothing"), ""),
    "note": (N_("A note"), ""),
    "change": (N_("A change somebody made"), ""),
    "heartbeat": (N_("A sign of life"), ""),
}
ENDINGS = {
    "resolve": N_("Its incident is resolved: all its alerts are over."),
    "restore": N_("Its incident is marked as restored: all its alerts are over, and somebody works on it."),
    "note": N_("All alerts of its incident are over; that is written in its journal."),
}
#: what a mapping begins with where a source has none yet
_BEGUN: dict[str, dict[str, Any]] = {
    **PRESETS,
    MAIL: {
        "patterns": ["[{state}] {host}: {summary}\nJob: {job}"],
        "key": ["host", "job"],
        "words": {"FINISHED": "resolved", "LATE": "warning"},
        "otherwise": "hold",
        "only_proven": False,
    },
}


def reads_by_mapping(kind: str) -> bool:
    """Whether a source of this format is read by a mapping that may be written."""
    return kind in ("generic", MAIL) or kind in PRESETS


@require_http_methods(["GET", "POST"])
@setup_page
def try_payload(request: PageRequest, number: int) -> HttpResponse:
    """What a payload would come to; for formats with a mapping, the mapping is written here, on the sample."""
    row = desk.one(number, actor=request.actor)
    has_mapping = reads_by_mapping(row.kind)
    sent = {
        "sample": "",
        "content_type": "application/json",
        "path": "",
        "mapping": _written(row.mapping or _BEGUN.get(row.kind)) if has_mapping else "",
        "preset": "",
    }
    errors: dict[str, str] = {}
    found, status = None, 200
    if request.method == "POST":
        sent |= {name: request.POST.get(name, sent[name]).replace("\r\n", "\n") for name in sent}
        do = request.POST.get("do", "try")
        try:
            if do == "last":
                _take_last(number, sent, request)
            elif do == "preset" and sent["preset"] in PRESETS:
                sent["mapping"] = _written(PRESETS[sent["preset"]])
            mapping = _mapping(sent["mapping"]) if has_mapping else None
            if do == "save" and has_mapping:
                desk.change(number, mapping=mapping, actor=request.actor, now=request.now)
                toast(request, _("Saved."))
                return SeeOther(f"/setup/alert-sources/{number}")
            found = _tried(number, sent, mapping, request) if sent["sample"].strip() else None
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors, status = field_errors(error), error.http
    is_part = is_fragment(request)
    return page(
        request,
        "setup/_tried.html" if is_part else "setup/alert_try.html",
        status=200 if is_part else status,
        here="setup",
        tab="alert_sources",
        row=row,
        sent=sent,
        errors=errors,
        found=found,
        has_mapping=has_mapping,
        presets=sorted(TITLES.items(), key=lambda pair: pair[1].casefold()),
        may_change=may(request.actor, Act.SET_UP, INSTALLATION),
        changes=CHANGES,
        endings=ENDINGS,
        severities=SEVERITIES,
        why=_why,
        misfit=alert_whys.misfit,
    )


def _why(one: trying.Told) -> str:
    return alert_whys.where(one.place.how, basis=one.place.basis, rule=one.rule) if one.place else ""


def _written(mapping: Any) -> str:
    return json.dumps(mapping, indent=2, ensure_ascii=False) if mapping else ""


def _mapping(written: str) -> dict[str, Any]:
    """A mapping as it stands in the form. Raises Invalid; an empty one means the usual names."""
    if not written.strip():
        return {}
    if len(written) > MOST_MAPPING:
        raise Invalid("This mapping is too long.", field="mapping")
    try:
        found = json.loads(written)
    except (ValueError, RecursionError) as error:
        where = f"{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else "1:1"
        raise Invalid("This is no JSON: look at line and column %(where)s.", field="mapping", where=where) from error
    if not isinstance(found, dict):
        raise Invalid("A mapping is an object: it begins with { and ends with }.", field="mapping")
    return found


def _take_last(number: int, sent: dict[str, str], request: PageRequest) -> None:
    last = trying.last_payload(number, actor=request.actor)
    if last is None:
        raise Invalid("Nothing that came from it lately is kept.", field="sample")
    try:
        words = last.body.decode()
    except UnicodeDecodeError:
        raise Invalid("What came last is no text.", field="sample") from None
    sent |= {"sample": _indented(words), "content_type": last.content_type, "path": last.path}


def _indented(words: str) -> str:
    """JSON on lines of its own, everything else as it is."""
    try:
        return json.dumps(json.loads(words), indent=2, ensure_ascii=False)[: trying.MOST_BYTES]
    except (ValueError, RecursionError):
        return words[: trying.MOST_BYTES]


def _tried(number: int, sent: dict[str, str], mapping: dict[str, Any] | None, request: PageRequest) -> trying.Tried:
    body = sent["sample"].encode("utf-8", "surrogatepass")
    payload = trying.Payload(body, sent["content_type"][:200], sent["path"][:500])
    try:
        return trying.tried(number, payload, mapping=mapping, actor=request.actor, now=request.now)
    except Invalid as error:
        if error.field == "body":
            error.field = "sample"
        raise
