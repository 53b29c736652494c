"""Reading what forms send: instants in the viewer's zone, numbers, people by name or address."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils import timezone

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.people import queries as people

if TYPE_CHECKING:
    from allswell.tickets.models import CustomField


def instant(sent: QueryDict, name: str, zone: tzinfo | None = None) -> datetime | None:
    """An `<input type=datetime-local>` in `zone`, the viewer's if not said; None when empty. A local time the clocks skip rolls forward."""
    raw = sent.get(name, "").strip()
    if not raw:
        return None
    try:
        return datetime.fromisoformat(raw).replace(tzinfo=zone or timezone.get_current_timezone(), fold=0)
    except ValueError as error:
        raise Invalid("Give a date and a time.", field=name) from error


def number(sent: QueryDict, name: str) -> int | None:
    """A whole number; None when empty."""
    raw = sent.get(name, "").strip()
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10):
        raise Invalid("Use a whole number.", field=name)
    return int(raw)


def person(sent: QueryDict, name: str, *, actor: Actor) -> int | None:
    """The id of a person the actor may know, typed as "Name <address>", as an address or as a full name; None when empty."""
    raw = text.line(sent.get(name, ""), field=name, limit=400, required=False)
    if not raw:
        return None
    address = raw.rpartition("<")[2].rstrip(">").strip().lower()
    known = people.people_visible_to(actor).filter(is_active=True)
    found = list(known.filter(addresses__address=address).exclude(addresses__proof="claimed").values_list("id", flat=True)[:2])
    if not found:
        found = list(known.filter(name__iexact=raw).values_list("id", flat=True)[:2])
    if len(found) > 1:
        raise Invalid("Several people are called like this. Use the e-mail address.", field=name)
    if not found:
        raise Invalid("Nobody is known by this name.", field=name)
    return found[0]


def own_fields(sent: QueryDict, fields: Iterable[CustomField]) -> dict[str, Any]:
    """The installation's own fields out of a form, as their kinds say; what the form did not ask for is left out."""
    found: dict[str, Any] = {}
    for field in fields:
        given = sent.get(f"custom.{field.key}")
        if field.kind == "boolean":
            if f"custom.{field.key}.asked" in sent:
                found[field.key] = given == "1"
        elif given is None:
            continue
        elif field.kind == "number" and given:
            try:
                found[field.key] = float(given) if "." in given else int(given)
            except ValueError as wrong:
                raise Invalid("This is not a number.", field=f"custom.{field.key}") from wrong
        else:
            found[field.key] = given or None
    return found


def typed_in(sent: QueryDict, fields: Iterable[CustomField]) -> dict[str, str]:
    """What stands in the installation's own fields, to show it again as it was typed."""
    return {field.key: sent.get(f"custom.{field.key}", "") for field in fields}
