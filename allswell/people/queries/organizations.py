"""Reading organizations, and what their place in the tree says."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from allswell.database.rows import PreparedModel
from allswell.kernel.actor import Actor
from allswell.people.models import Organization

_ORGANIZATION = PreparedModel(Organization, lambda pk: Organization.objects.filter(pk=pk))


LINEAGE = PreparedModel(Organization, lambda *ids: Organization.objects.filter(pk__in=ids))


def by_ref(ref: int | str) -> dict[str, Any]:
    """The condition that finds a row by its id or its slug."""
    if isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 19):
        return {"pk": int(ref)}
    return {"slug": ref if ref.isprintable() else ""}  # no database takes every sign


def organization(organization_id: int | None) -> Organization | None:
    """An organization by its id, active or not; None has none."""
    found: Organization | None = None if organization_id is None else _ORGANIZATION.record(organization_id)
    return found


def organizations() -> QuerySet[Organization]:
    """All organizations."""
    return Organization.objects.all()


def lineage(organization: Organization | None) -> list[Organization]:
    """The organization and those above it, nearest first: where inherited settings are looked up."""
    if organization is None:
        return []
    ids = [int(part) for part in organization.path.strip("/").split("/") if part]
    if ids == [organization.pk]:
        return [organization]
    found = {row.pk: row for row in LINEAGE.records(*ids)}
    return [found[pk] for pk in reversed(ids) if pk in found]


def _path(organization: int | None) -> str:
    if organization is None:
        return ""
    return Organization.objects.filter(pk=organization).values_list("path", flat=True).first() or ""


def ids_in(path: str) -> tuple[int, ...]:
    """Ids of the organization at a path and of all above it, the topmost first."""
    return tuple(int(part) for part in path.strip("/").split("/") if part)


def organization_and_above(organization: int | None) -> list[int]:
    """Ids of an organization and of all above it."""
    return list(ids_in(_path(organization)))


def own_and_above(actor: Actor) -> list[int]:
    """Ids of the actor's organization and of all above it."""
    return organization_and_above(actor.organization) if actor.above is None else list(actor.above)


def organization_and_below(organization: int | None) -> list[int]:
    """Ids of an organization and of all below it."""
    path = _path(organization)
    return list(Organization.objects.filter(path__startswith=path).values_list("pk", flat=True)) if path else []


def inherited(organization: Organization | None, name: str) -> Any:
    """The nearest value of a setting that is not None, from the organization upwards; None when nobody set it."""
    for row in lineage(organization):
        value = getattr(row, name)
        if value is not None:
            return value
    return None


def organization_by_ref(ref: int | str) -> Organization | None:
    """An organization by id or slug."""
    return Organization.objects.filter(**by_ref(ref)).first()
