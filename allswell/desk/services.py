"""The use cases of services and what they need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, Invalid, NotFound
from allswell.people import operations as people
from allswell.people import queries as people_queries
from allswell.people.rules import Act, place_of, require
from allswell.services import operations as services
from allswell.services import queries
from allswell.tickets import queries as tickets

from .door import use_case
from .people import organization_for

if TYPE_CHECKING:
    from allswell.services.models import ConfigurationItem

KINDS = ("business_service", "technical_service")


def service_for(service: int | str, act: Act, *, actor: Actor) -> ConfigurationItem:
    """The service (id or slug), if the actor may do this to it. Raises NotFound, NotAllowed."""
    row = queries.by_ref(service)
    if row is None or not queries.knows(actor, row):
        raise NotFound("There is no such service, or you may not know it.")
    require(actor, act, place_of(row.organization_id))
    return row


def _columns(changes: dict[str, Any], *, actor: Actor) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "name":
            columns[name] = text.line(value, field=name, limit=120)
        elif name == "description":
            columns[name] = text.prose(value, field=name, limit=4000)
        elif name == "support_hours":
            columns[name] = text.line(value, field=name, limit=200, required=False)
        elif name == "kind":
            if value not in KINDS:
                raise Invalid("Choose one of the list.", field=name)
            columns[name] = value
        elif name == "criticality":
            if value not in (1, 2, 3, 4):
                raise Invalid("Use a number from 1 (highest) to 4.", field=name)
            columns[name] = value
        elif name == "owner":
            if value is not None and not people_queries.people_visible_to(actor).filter(pk=value, is_active=True).exists():
                raise Invalid("Nobody is known by this name.", field=name)
            columns["owner_id"] = value
        elif name == "team":
            columns["team_id"] = _team(value, actor=actor)
        elif name == "organization":
            row = organization_for(value, Act.SET_UP, actor=actor) if value is not None else None
            require(actor, Act.SET_UP, place_of(row.pk if row else None))
            columns["organization_id"] = row.pk if row else None
        else:
            raise Invalid("A service has no such field.", field=name)
    return columns


def _team(ref: int | str | None, *, actor: Actor) -> int | None:
    if ref is None or ref == "":
        return None
    row = people_queries.team_by_ref(ref)
    if row is None or not people_queries.teams_visible_to(actor).filter(pk=row.pk, is_active=True).exists():
        raise Invalid("There is no such team.", field="team")
    return row.pk


def _needs(needs: Iterable[int | str], *, row: ConfigurationItem, actor: Actor) -> list[int]:
    ids = []
    for ref in needs:
        upstream = queries.by_ref(ref)
        if upstream is None or not queries.visible_to(actor).filter(pk=upstream.pk).exists():
            raise Invalid("There is no such service.", field="needs")
        if upstream.pk == row.pk:
            raise Invalid("A service does not need itself.", field="needs")
        ids.append(upstream.pk)
    return ids


@use_case
def create_service(
    *, name: str, actor: Actor, now: datetime, needs: Iterable[int | str] = (), **details: Any
) -> ConfigurationItem:
    """A new service. `details`: kind, description, owner (person id), team (id or slug), organization, criticality (1
    highest to 4), support_hours. `needs`: ids or slugs of services it depends on. Raises Invalid, NotAllowed."""
    return create_service_step(name=name, needs=needs, details=details, actor=actor, now=now)


def create_service_step(
    *, name: str, needs: Iterable[int | str], details: dict[str, Any], actor: Actor, now: datetime
) -> ConfigurationItem:
    """A new service; for use cases that do more."""
    columns = _columns({"name": name, "organization": None, **details}, actor=actor)
    slug = people.free_slug(queries.services(), columns["name"], fallback="service")
    row = services.create(slug=slug, actor=actor, now=now, **columns)
    services.set_needs(row, upstream=_needs(needs, row=row, actor=actor), actor=actor, now=now)
    return row


@use_case
def edit_service(
    service: int | str, *, actor: Actor, now: datetime, needs: Iterable[int | str] | None = None, **changes: Any
) -> ConfigurationItem:
    """Change a service: the details of `create_service`, its name, and (if given) all it needs. Raises Invalid, NotAllowed."""
    return edit_service_step(service, needs=needs, changes=changes, actor=actor, now=now)


def edit_service_step(
    service: int | str, *, needs: Iterable[int | str] | None, changes: dict[str, Any], actor: Actor, now: datetime
) -> ConfigurationItem:
    """Change a service; for use cases that do more."""
    row = service_for(service, Act.SET_UP, actor=actor)
    services.change(row, _columns(changes, actor=actor), actor=actor, now=now)
    if needs is not None:
        services.set_needs(row, upstream=_needs(needs, row=row, actor=actor), actor=actor, now=now)
    return row


@use_case
def deactivate_service(service: int | str, *, actor: Actor, now: datetime) -> ConfigurationItem:
    """Take a service out of use; nobody can report for it any more. Raises Conflict while tickets for it are open."""
    row = service_for(service, Act.SET_UP, actor=actor)
    if tickets.has_open(service=row.pk):
        raise Conflict("Open tickets are about this service. Close them, or move them to another service, first.")
    services.set_active(row, is_active=False, actor=actor, now=now)
    return row


@use_case
def activate_service(service: int | str, *, actor: Actor, now: datetime) -> ConfigurationItem:
    """Bring a service back into use."""
    row = service_for(service, Act.SET_UP, actor=actor)
    services.set_active(row, is_active=True, actor=actor, now=now)
    return row
