"""The queue: what needs attention next, in tabs, filtered by the address, fifty rows a page."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markupsafe import Markup

from allswell.kernel.actor import Actor
from allswell.kernel.text import whole
from allswell.oncall.queries import beside
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.sla import wording
from allswell.tickets import dossier, queue
from allswell.tickets.queue import Filters, Row
from allswell.tickets.rules import PROMISED_RANK, WAITING_RANK, State
from allswell.web import clocks, show, words
from allswell.web.pages import PageRequest, desk_page, is_fragment, page
from allswell.web.templating import template

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.tickets.models import SavedView, Ticket


@dataclass(frozen=True, slots=True)
class Tab:
    """A view in the bar. `count` is None where it is not counted."""

    slug: str
    label: str
    address: str
    is_here: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that need the same kind of attention; `is_whole` when none of it is on another page."""

    label: str
    icon: str
    tone: str
    rows: list[Row]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, with the address that takes it away."""

    label: str
    without: str


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: the tab's tickets, and the filters of a saved view."""

    slug: str
    title: str
    of: queue.View
    filters: Filters


@desk_page
def queue_page(request: PageRequest, slug: str = "mine") -> HttpResponseBase:
    """A view of the queue; with HX-Request only its rows."""
    return _shown(request, _view(slug, request.actor))


@desk_page
def saved_view_page(request: PageRequest, slug: str) -> HttpResponseBase:
    """A saved view."""
    return _shown(request, _saved(slug, request.actor))


def built_in() -> dict[str, str]:
    """The views everybody at the desk has, slug -> title."""
    return {
        "mine": _("My work"),
        "triage": _("Triage"),
        "waiting": _("Waiting"),
        "watching": _("Watching"),
        "all": _("All"),
    }


def _view(slug: str, actor: Actor) -> View:
    titles = built_in()
    if slug in titles:
        return View(slug, titles[slug], slug, Filters())
    team = people.teams_visible_to(actor).filter(slug=slug, is_active=True).values_list("pk", "name").first()
    if team is None:
        raise Http404
    return View(slug, team[1], team[0], Filters())


def narrowed_view(request: PageRequest, slug: str) -> tuple[QuerySet[Ticket], Filters]:
    """The tickets of a view ("mine", a team, "v/…") under the filters of the address, in no order."""
    view = _saved(slug[2:], request.actor) if slug.startswith("v/") else _view(slug, request.actor)
    filters = replace(view.filters, **Filters.parse(request.GET.dict()).chosen())
    found = queue.of_view(view.of, actor=request.actor)
    return queue.narrowed(found, filters, actor=request.actor).order_by("-pk"), filters


def _saved(slug: str, actor: Actor) -> View:
    for view in queue.saved_views(actor):
        if view.slug == slug:
            return View(f"v/{slug}", view.name, "all", Filters.parse(view.filters))
    raise Http404


def _shown(request: PageRequest, view: View) -> HttpResponse:
    given = Filters.parse(request.GET.dict())
    filters = replace(view.filters, **given.chosen())
    after = request.GET.get("after", "")
    if after:
        rows, following = queue.later_rows(view.of, filters, after=after, actor=request.actor)
    else:
        rows, following = queue.first_rows(view.of, filters, actor=request.actor)
    context: dict[str, Any] = {
        "row_html": row_html,
        "called_for": beside.unanswered_among([row.id for row in rows]) if rows else {},
        "view": view,
        "filters": filters,
        "groups": _groups(rows, by_age=filters.is_by_age, is_first=not after, is_last=not following),
        "total": len(rows),
        "next_page": _address(view, given, after=following) if following else "",
        "first_page": _address(view, given) if after else "",
        "chips": _chips(view, given, request.actor),
        "address": _address(view, given),
        "query": urlencode({"view": view.slug, **filters.chosen()}),
        "here": "desk",
    }
    if is_fragment(request):
        return page(request, "queue/rows.html", **context)
    saved = queue.saved_views(request.actor)
    if not rows:
        context["nothing"] = _nothing(view, given, request.actor)
    return page(request, "queue/page.html", tabs=_tabs(view, saved, request.actor), **context)


def row_html(row: Row, called_since: datetime | None = None) -> Markup:
    """A row of the queue. Fifty of them are most of the page, and most are as they were a minute ago, so each is rendered once
    for what it shows. `called_since`: somebody is paged for it since then, and nobody has answered."""
    return _rendered(row, called_since is not None, translation.get_language() or "", *clock_of(row))


def clock_of(row: Row) -> tuple[str, str, str, int]:
    """(word, value, tone, percent used) of the promise that is due next, or of what a row without one has to tell."""
    if row.done_at:
        return _("Done"), show.since(row.done_at), "", 0
    if row.next_due_at is not None:
        return clocks.in_short(row.next_metric, row.next_due_at, row.next_started_at or row.opened_at)
    if row.state == State.WAITING and row.waiting_until:
        return _("Until"), show.clock_text(row.waiting_until), "", 0
    if row.next_metric:
        return wording.verb(row.next_metric), _("paused"), "", 0
    if row.state == State.WAITING:
        return _("Paused"), show.since(row.updated_at), "", 0
    return (_("Asked"), show.since(row.asked_at), "", 0) if row.asked_at else (_("Updated"), show.since(row.updated_at), "", 0)


@functools.lru_cache(maxsize=4096)
def _rendered(row: Row, is_called_for: bool, language: str, label: str, told: str, tone: str, used: int) -> Markup:
    html = template("queue/row.html").render(r=row, is_called_for=is_called_for, label=label, told=told, tone=tone, used=used)
    return Markup(html)  # noqa: S704 - a template that escapes


def _address(view: View, filters: Filters, *, after: str = "") -> str:
    query = filters.chosen() | ({"after": after} if after else {})
    return f"/desk/{view.slug}" + (f"?{urlencode(query)}" if query else "")


def _tabs(view: View, saved: list[SavedView], actor: Actor) -> list[Tab]:
    """The bar: my work, triage, my teams, waiting, watching, saved views, all. Counts stop at queue.CAP."""
    teams = list(
        people.teams().filter(pk__in=sorted(actor.teams), is_active=True).order_by("name").values_list("pk", "slug", "name")
    )
    counted: dict[str, queue.View] = {"mine": "mine", "triage": "triage"}
    counted |= {slug: pk for pk, slug, _name in teams[:4]}
    counted |= {"waiting": "waiting", "watching": "watching"}
    counts = dict(zip(counted, queue.count_views([(of, Filters()) for of in counted.values()], actor=actor), strict=True))
    titles = built_in()
    labels = [(slug, titles[slug]) for slug in ("mine", "triage")]
    labels += [(slug, name) for _pk, slug, name in teams]
    labels += [(slug, titles[slug]) for slug in ("waiting", "watching")]
    labels += [(f"v/{row.slug}", row.name) for row in saved]
    labels += [("all", titles["all"])]
    if view.slug not in {slug for slug, _label in labels}:
        labels.insert(-1, (view.slug, view.title))
    return [Tab(slug, label, f"/desk/{slug}", slug == view.slug, counts.get(slug)) for slug, label in labels]


Kind = tuple[str, str, str]  # label, icon, tone


def _by_promise(rows: list[Row]) -> tuple[list[Kind], list[list[Row]]]:
    """Where clocks run: how near the next promise is."""
    now = show.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    limits = (now, now + timedelta(hours=1), midnight)
    kinds = [
        (_("Past its time"), "alert-triangle", "bad"),
        (_("In the next hour"), "clock", "warn"),
        (_("Later today"), "clock", ""),
        (_("Later"), "calendar", ""),
        (_("No time promised"), "circle", ""),
        (_("Clock stopped"), "player-pause", ""),
    ]
    parted: list[list[Row]] = [[] for _kind in kinds]
    for row in rows:
        if row.queue_rank == PROMISED_RANK:
            parted[sum(row.queue_at >= limit for limit in limits)].append(row)
        else:
            parted[4 if row.queue_rank <= WAITING_RANK else 5].append(row)
    return kinds, parted


def _by_priority(rows: list[Row]) -> tuple[list[Kind], list[list[Row]]]:
    """Where nothing is promised for anything: by priority."""
    kinds = [
        (_("Act first"), "alert-triangle", "bad"),
        (_("Next"), "clock", "warn"),
        (_("When time allows"), "circle", ""),
        (_("Clock stopped"), "player-pause", ""),
    ]
    parted: list[list[Row]] = [[] for _kind in kinds]
    for row in rows:
        parted[sum(row.queue_rank > limit for limit in (2, 3, WAITING_RANK))].append(row)
    return kinds, parted


def _groups(rows: list[Row], *, by_age: bool, is_first: bool, is_last: bool) -> list[Group]:
    """Rows that need the same kind of attention, in the order of the queue."""
    if by_age:
        return [Group(_("Newest first"), "history", "", rows, is_first and is_last)] if rows else []
    if is_first and rows and rows[0].queue_rank != PROMISED_RANK:
        kinds, parted = _by_priority(rows)
    else:
        kinds, parted = _by_promise(rows)
    groups: list[Group] = []
    for (label, icon, tone), inside in zip(kinds, parted, strict=True):
        if inside:
            begins = is_first or inside[0] is not rows[0]
            ends = is_last or inside[-1] is not rows[-1]
            groups.append(Group(label, icon, tone, inside, begins and ends))
    return groups


_FILTER_LABELS = {
    "state": lambda: _("State"),
    "kind": lambda: _("Kind"),
    "priority": lambda: _("Priority"),
    "service": lambda: _("Service"),
    "team": lambda: _("Team"),
    "assignee": lambda: _("Assignee"),
    "organization": lambda: _("Organization"),
    "category": lambda: _("Category"),
    "tag": lambda: _("Tag"),
    "q": lambda: _("Words"),
}


def _chips(view: View, filters: Filters, actor: Actor) -> list[Chip]:
    chosen = filters.chosen()
    return [
        Chip(
            f"{_FILTER_LABELS[name]()}: {_value_label(name, value, actor)}",
            _address(view, replace(filters, **{name: ""})),
        )
        for name, value in chosen.items()
    ]


def _value_label(name: str, value: str, actor: Actor) -> str:
    """What a filter's value is called; what the viewer may not know keeps the name the address gave it."""
    fixed = {"none": _("none"), "me": _("me"), "any": _("any"), "done": _("done"), "open": _("open")}
    if value in fixed:
        return fixed[value]
    if name == "state":
        return words.state(value)
    if name == "kind":
        return words.kind(value)
    if name == "priority":
        return f"P{value}"
    found: str | None = None
    if name == "service":
        found = services.visible_to(actor).filter(slug=value).values_list("name", flat=True).first()
    elif name == "team":
        found = people.teams_visible_to(actor).filter(slug=value).values_list("name", flat=True).first()
    elif name == "organization":
        found = people.organizations_visible_to(actor).filter(slug=value).values_list("name", flat=True).first()
    elif name == "category":
        category = dossier.categories().filter(slug=value).values_list("pk", "name").first()
        found = words.category(*category) if category else None
    elif name == "assignee":
        found = people.people_visible_to(actor).filter(pk=whole(value) or 0).values_list("name", flat=True).first()
    return found or value


def _nothing(view: View, filters: Filters, actor: Actor) -> dict[str, str]:
    """One sentence and one next step for an empty view: the filter whose removal finds most, or work that nobody has."""
    chosen = filters.chosen()
    if chosen:
        kept = [(view.of, replace(filters, **{name: ""})) for name in chosen]
        counted = [1 for _name in chosen] if filters.is_by_age else queue.count_views(kept, actor=actor)
        found = dict(zip(chosen, counted, strict=True))
        best = max(found, key=lambda name: found[name])
        text = ngettext("No ticket matches this filter.", "No ticket matches these %(n)s filters.", len(chosen)) % {
            "n": len(chosen)
        }
        label = f"{_FILTER_LABELS[best]()}: {_value_label(best, chosen[best], actor)}"
        return {
            "text": text,
            "label": _("Remove “%(filter)s”") % {"filter": label},
            "href": _address(view, replace(filters, **{best: ""})),
        }
    if view.slug == "mine":
        loose = queue.count_views([("triage", Filters())], actor=actor)[0]
        if loose:
            text = ngettext(
                "Nothing is waiting for you. %(n)s ticket has no one yet.",
                "Nothing is waiting for you. %(n)s tickets have no one yet.",
                loose,
            ) % {"n": f"{loose}+" if loose >= queue.CAP else loose}
            return {"text": text, "label": _("Show them"), "href": "/desk/triage"}
        return {"text": _("Nothing is waiting for you, and nothing is without an owner."), "label": "", "href": ""}
    texts = {
        "triage": _("Every ticket has somebody who looks after it."),
        "waiting": _("No ticket waits for anybody else."),
        "watching": _("You follow no open ticket. Follow one from its page to be told what happens."),
    }
    return {"text": texts.get(view.slug, _("No open ticket is here.")), "label": "", "href": ""}
