"""Reading services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from allswell.database.rows import PreparedModel
from allswell.kernel.actor import Actor
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may

from . import rules
from .models import ConfigurationItem, Dependency


def services() -> QuerySet[ConfigurationItem]:
    """All services."""
    return ConfigurationItem.objects.all()


def visible_to(actor: Actor) -> QuerySet[ConfigurationItem]:
    """The services the actor may know: those of everybody, of one's own organization and those above it, and at the desk
    those within reach."""
    inside = people.reach(actor)
    if inside is None:
        return ConfigurationItem.objects.all()
    known = inside | set(people.own_and_above(actor))
    return ConfigurationItem.objects.filter(Q(organization=None) | Q(organization__in=sorted(known)))


def known_inside(actor: Actor) -> QuerySet[ConfigurationItem]:
    """The services of which the actor may know who answers for them, how critical they are and what they need.

    Of services they share with others, the desk of a customer knows what is public: name, description, support hours, state.
    """
    if not (actor.is_system or may(actor, Act.SEE_DESK, INSTALLATION)):
        return ConfigurationItem.objects.none()
    is_house = people.is_of_the_house(actor)
    if is_house is None:
        return visible_to(actor)
    seen = Q(pk__in=visible_to(actor).values("pk")) & Q(is_house)
    inside = people.reach(actor) or frozenset()
    own = Q(organization__in=sorted(inside)) | Q(team__in=sorted(actor.teams))
    return ConfigurationItem.objects.filter(seen | (own & ~Q(is_house)))


def surely_knows_inside(actor: Actor, item: ConfigurationItem) -> bool:
    """Whether a service is `known_inside`, as far as that can be said without asking the database: those of one's own part and teams.

    Of what they share with others, a branch of the house finds more on the page of the service.
    """
    inside = people.reach(actor)
    return inside is None or item.organization_id in inside or item.team_id in actor.teams


def knows(actor: Actor, item: ConfigurationItem) -> bool:
    """Whether a service is `visible_to` the actor, without asking whether it is there."""
    inside = people.reach(actor)
    home = item.organization_id
    return inside is None or home is None or home in inside or home in people.own_and_above(actor)


def needs(item_id: int) -> QuerySet[ConfigurationItem]:
    """What a service needs, directly."""
    return ConfigurationItem.objects.filter(needed_by__downstream=item_id).order_by("name", "id")


def needed_by(item_id: int) -> QuerySet[ConfigurationItem]:
    """What needs a service, directly."""
    return ConfigurationItem.objects.filter(needs__upstream=item_id).order_by("name", "id")


_BY_ID = PreparedModel(ConfigurationItem, lambda pk: ConfigurationItem.objects.filter(pk=pk), related=("team",))
_BY_SLUG = PreparedModel(ConfigurationItem, lambda slug: ConfigurationItem.objects.filter(slug=slug), related=("team",))


def by_ref(ref: int | str) -> ConfigurationItem | None:
    """A service by id or slug, its team loaded."""
    if len(str(ref)) > 60:
        return None
    is_id = isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 19)
    item: ConfigurationItem | None = _BY_ID.record(int(ref)) if is_id else _BY_SLUG.record(str(ref))
    return item


def named(ref: int | str, *, known: QuerySet[ConfigurationItem]) -> ConfigurationItem | None:
    """A service by id or slug, its team loaded, when it is one of those."""
    if len(str(ref)) > 60 or not str(ref).isprintable():
        return None
    is_id = isinstance(ref, int) or (ref.isascii() and ref.isdigit() and len(ref) < 19)
    return known.filter(**({"pk": int(ref)} if is_id else {"slug": ref})).select_related("team").first()


@dataclass(frozen=True, slots=True)
class Around:
    """The services around one: what it needs, what needs it (both by name), and what suffers when it fails, nearest first."""

    needs: list[ConfigurationItem]
    needed_by: list[ConfigurationItem]
    radius: list[ConfigurationItem]


def needed_at_once(items: Collection[int]) -> list[int]:
    """What these services need themselves, not what that needs in turn."""
    if not items:
        return []
    return list(Dependency.objects.filter(downstream__in=items).order_by("id").values_list("upstream_id", flat=True)[:200])


def around(item_id: int, *, known: QuerySet[ConfigurationItem]) -> Around:
    """Those of them that are `known`."""
    edges = list(Dependency.objects.order_by("id").values_list("upstream_id", "downstream_id"))
    needed_by: dict[int, list[int]] = defaultdict(list)
    for upstream, downstream in edges:
        needed_by[upstream].append(downstream)
    radius = rules.blast_radius(item_id, needed_by=needed_by)
    needs_ = [upstream for upstream, downstream in edges if downstream == item_id]
    found = {item.pk: item for item in known.filter(pk__in={*radius, *needs_, *needed_by[item_id]}).order_by("name", "id")}
    return Around(
        needs=[item for pk, item in found.items() if pk in needs_],
        needed_by=[item for pk, item in found.items() if pk in needed_by[item_id]],
        radius=[found[pk] for pk in radius if pk in found],
    )
