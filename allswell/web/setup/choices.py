"""What the selects of setup offer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from allswell.people import queries as people
from allswell.services import queries as services
from allswell.web.pages import PageRequest


class Named(Protocol):
    """An organization, a team or the like."""

    pk: int
    name: str


def organizations(request: PageRequest) -> list[tuple[int, str]]:
    """Active organizations the viewer sets up, as a tree."""
    inside = people.setup_reach(request.actor)
    rows = people.organizations().filter(is_active=True)
    if inside is not None:
        rows = rows.filter(pk__in=sorted(inside))
    held = {row.pk: row for row in rows}
    named = {
        pk: [held[int(part)].name for part in row.path.strip("/").split("/") if int(part) in held] for pk, row in held.items()
    }
    return [(pk, " › ".join(names)) for pk, names in sorted(named.items(), key=lambda item: [name.lower() for name in item[1]])]


def teams(request: PageRequest) -> list[tuple[int, str]]:
    """Active teams the viewer may know."""
    return list(people.teams_visible_to(request.actor).filter(is_active=True).order_by("name").values_list("id", "name"))


def teams_around(request: PageRequest, person: int) -> list[people.TeamChoice]:
    """Those teams, and the ones somebody works in."""
    return people.teams_around(person, known=people.teams_visible_to(request.actor).filter(is_active=True))


def all_services(request: PageRequest, *, but: int = 0) -> list[tuple[int, str]]:
    """Active services the viewer may know, without one."""
    rows = services.visible_to(request.actor).filter(is_active=True).exclude(pk=but)
    return list(rows.order_by("name").values_list("id", "name"))


def named_services(request: PageRequest, keys: Iterable[int]) -> list[tuple[int, str]]:
    """Services by their ids, those out of use too; of one the viewer may not know only its number."""
    wanted = sorted(keys)
    names = dict(services.visible_to(request.actor).filter(pk__in=wanted).values_list("id", "name"))
    return [(key, names.get(key, f"#{key}")) for key in wanted]


def chosen(one: Named | None) -> list[tuple[int, str]]:
    """What is chosen, as an option."""
    return [] if one is None else [(one.pk, one.name)]


def and_chosen(options: list[tuple[int, str]], chosen: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The options, and what is chosen already though it is no longer offered: a form sent as it came changes nothing."""
    offered = {key for key, _text in options}
    return [*options, *((key, text) for key, text in chosen if key not in offered)]


def colleagues(request: PageRequest) -> list[str]:
    """Whom person fields suggest: "Name <address>"; any other name or address can be typed."""
    rows = people.people_visible_to(request.actor).filter(is_active=True, addresses__is_primary=True)
    pairs = rows.order_by("name", "id").values_list("name", "addresses__address")
    return [f"{name} <{address}>" for name, address in pairs[:300]]


def languages() -> list[tuple[str, str]]:
    """Languages of the pages."""
    return list(settings.LANGUAGES)


def roles() -> list[tuple[str, str]]:
    """Roles one can be given, and their names."""
    return [
        ("agent", _("Agent")),
        ("lead", _("Lead")),
        ("duty_manager", _("Duty manager")),
        ("administrator", _("Administrator")),
        ("auditor", _("Auditor")),
    ]


def lines() -> list[tuple[int, str]]:
    """Lines of support."""
    return [(1, _("1: service desk")), (2, _("2: specialists")), (3, _("3: experts, suppliers"))]


def assignments() -> list[tuple[str, str]]:
    """How a team's new tickets find somebody."""
    return [
        ("manual", _("By hand: somebody takes them")),
        ("round_robin", _("In turn")),
        ("least_loaded", _("To whoever has the least")),
    ]


def criticalities() -> list[tuple[int, str]]:
    """How much hangs on a service."""
    return [
        (1, _("1: the business stands still without it")),
        (2, _("2: important work stops")),
        (3, _("3: work is slower")),
        (4, _("4: hardly anybody notices")),
    ]


def service_kinds() -> list[tuple[str, str]]:
    """Kinds of services."""
    return [("business_service", _("Business service")), ("technical_service", _("Technical service"))]


def organization_kinds() -> list[tuple[str, str]]:
    """Kinds of organizations."""
    return [("business_unit", _("Business unit")), ("customer", _("Customer"))]
