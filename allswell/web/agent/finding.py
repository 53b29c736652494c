"""Finding things: the filter of the queue, the search page and the command palette."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.kernel.actor import Actor
from allswell.kernel.text import whole
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may
from allswell.search import queries as search
from allswell.services import queries as services
from allswell.tickets import dossier, queue
from allswell.tickets import queries as tickets
from allswell.tickets.queue import Filters, Row
from allswell.web import show, words
from allswell.web.pages import PageRequest, desk_page, is_fragment, page
from allswell.web.templating import link_if_any

_NUMBER = re.compile(r"^(?:(?:INC|REQ)-?|#)?(\d{1,12})$", re.IGNORECASE)


@desk_page
def filter_page(request: PageRequest) -> HttpResponseBase:
    """The form that narrows a view of the queue."""
    view = request.GET.get("view", "mine")
    filters = Filters.parse(request.GET.dict())
    if "apply" in request.GET:
        query = urlencode(filters.chosen())
        safe = view if re.fullmatch(r"(v/)?[\w-]{1,80}", view) else "mine"
        return HttpResponseRedirect(f"/desk/{safe}" + (f"?{query}" if query else ""))
    actor = request.actor
    agents = people.people_visible_to(actor).filter(memberships__isnull=False, is_active=True).distinct()
    return page(
        request,
        "queue/filter.html",
        view=view,
        filters=filters,
        states=[("open", _("Open")), *_states(), ("done", _("All done")), ("any", _("Any"))],
        kinds=[(kind, words.kind(kind)) for kind in ("incident", "request")],
        services=list(services.visible_to(actor).order_by("name").values_list("slug", "name")[:500]),
        teams=list(people.teams_visible_to(actor).order_by("name").values_list("slug", "name")[:500]),
        organizations=list(people.organizations_visible_to(actor).order_by("name").values_list("slug", "name")[:500]),
        agents=[("me", _("me")), ("none", _("nobody")), *agents.order_by("name").values_list("pk", "name")[:500]],
        categories=words.categories(dossier.categories().order_by("name").values_list("pk", "slug", "name")[:500]),
        tags=[(name, name) for name in queue.tag_names(actor)],
        layout="dialog.html" if is_fragment(request) else "base_agent.html",
        here="desk",
    )


def _states() -> list[tuple[str, str]]:
    return [(value, words.state(value)) for value in ("new", "in_progress", "waiting", "resolved", "closed", "cancelled")]


def _found(actor: Actor, text: str, *, limit: int, before: int | None = None, is_typing: bool = False) -> list[Row]:
    """Tickets that contain the words, newest first; a number or reference is the ticket itself."""
    seen = tickets.at_the_desk(actor)
    if number := _NUMBER.match(text.strip()):
        rows, _more = queue.rows(seen.filter(pk=int(number[1])), is_by_age=True, limit=1)
        if rows:
            return rows
    numbers = search.newest(seen, text, internal=True, limit=limit, before=before, is_typing=is_typing)
    rows, _more = queue.rows(seen.filter(pk__in=numbers), is_by_age=True, limit=limit)
    return rows


@desk_page
def search_page(request: PageRequest) -> HttpResponseBase:
    """Tickets, people, services and teams by words."""
    text = request.GET.get("q", "").strip()[:200]
    after = request.GET.get("after", "")
    before = whole(after)
    rows = _found(request.actor, text, limit=queue.PAGE, before=before) if text else []
    is_more = len(rows) == queue.PAGE
    return page(
        request,
        "search.html",
        q=text,
        rows=rows,
        people=_people(request.actor, text, 8) if text and before is None else [],
        services=_services(request.actor, text, 8) if text and before is None else [],
        teams=_teams(request.actor, text, 8) if text and before is None else [],
        next_page=f"/search?{urlencode({'q': text, 'after': rows[-1].id})}" if is_more else "",
        first_page=f"/search?{urlencode({'q': text})}" if before else "",
        here="search",
    )


def _people(actor: Actor, text: str, limit: int) -> list[tuple[int, str, str]]:
    found = people.people_visible_to(actor).filter(name__icontains=text, is_active=True).order_by("name")
    return list(found.values_list("pk", "name", "organization__name")[:limit])


def _services(actor: Actor, text: str, limit: int) -> list[tuple[str, str]]:
    found = services.visible_to(actor).filter(name__icontains=text, is_active=True).order_by("name")
    return list(found.values_list("slug", "name")[:limit])


def _teams(actor: Actor, text: str, limit: int) -> list[tuple[str, str]]:
    found = people.teams_visible_to(actor).filter(name__icontains=text, is_active=True).order_by("name")
    return list(found.values_list("slug", "name")[:limit])


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the palette: go to `address`, or do it there by POST, or open it as a dialog (`how`: go, do, dialog)."""

    icon: str
    text: str
    address: str
    how: str = "go"
    key: str = ""


@desk_page
def palette(request: PageRequest) -> HttpResponseBase:
    """What the words typed may mean: acts on the ticket in view, tickets, places, people."""
    text = request.GET.get("q", "").strip()[:100]
    on = request.GET.get("on", "")
    actor = request.actor
    groups = [(_("Do"), _acts(actor, text, on)), (_("Go to"), _places(actor, text))]
    if text:
        rows = _found(actor, text, limit=6, is_typing=True)
        groups.append((_("Tickets"), [_ticket_choice(row) for row in rows]))
        if link_if_any("services"):
            groups.append(
                (_("Services"), [Choice("topology-star-3", n, f"/desk/all?service={s}") for s, n in _services(actor, text, 4)])
            )
        groups.append(
            (_("People"), [Choice("user", _person_line(n, o), f"/people/{pk}") for pk, n, o in _people(actor, text, 4)])
        )
        groups.append((_("Teams"), [Choice("users-group", name, f"/desk/{slug}") for slug, name in _teams(actor, text, 4)]))
    return page(request, "palette.html", groups=[(title, found) for title, found in groups if found], q=text)


def _person_line(name: str, organization: str | None) -> str:
    return f"{name}, {organization}" if organization else name


def _ticket_choice(row: Row) -> Choice:
    return Choice("ticket", f"{show.reference(row.kind, row.id)} {row.title}", f"/tickets/{row.id}")


def _acts(actor: Actor, text: str, on: str) -> list[Choice]:
    """Acts on the ticket in view, whose words begin as typed."""
    number = whole(on)
    row = queue.row(number, actor=actor) if number is not None else None
    found = [Choice("plus", _("New ticket"), link_if_any("new_ticket"), "go", "C")]
    if row is not None and row.done_at is None:
        name, base = show.reference(row.kind, row.id), f"/tickets/{row.id}"
        found = [
            *(
                [Choice("user-check", _("Take %(ticket)s") % {"ticket": name}, f"{base}/take", "do", "A")]
                if row.assignee_id != actor.person
                else []
            ),
            Choice("transfer", _("Hand over %(ticket)s to another team") % {"ticket": name}, f"{base}/hand-over", "dialog", "E"),
            Choice("arrow-up-right", _("Tell the manager about %(ticket)s") % {"ticket": name}, f"{base}/escalate", "dialog"),
            Choice("player-pause", _("Put %(ticket)s on hold") % {"ticket": name}, f"{base}/wait", "dialog", "S"),
            Choice("check", _("Resolve %(ticket)s") % {"ticket": name}, f"{base}/resolve", "dialog"),
            *found,
        ]
    return [choice for choice in found if _is_meant(choice.text, text)]


def _places(actor: Actor, text: str) -> list[Choice]:
    places = [
        ("inbox", _("My work"), "/desk/mine"),
        ("inbox", _("Triage"), "/desk/triage"),
        ("list-details", _("All open tickets"), "/desk/all"),
        ("chart-histogram", _("Reports"), link_if_any("reports")),
        ("bell", _("Notices"), link_if_any("notices")),
        ("topology-star-3", _("Services"), link_if_any("services")),
        ("users", _("People"), link_if_any("people")),
        ("users-group", _("Teams"), link_if_any("teams")),
        ("user-circle", _("Profile"), link_if_any("profile")),
        ("home", _("Portal"), "/"),
    ]
    if may(actor, Act.READ_SETUP, INSTALLATION):
        places.append(("settings", _("Setup"), link_if_any("setup")))
    found = [Choice(icon, label, address) for icon, label, address in places if address and _is_meant(label, text)]
    return found if text else found[:5]


def _is_meant(label: str, text: str) -> bool:
    return all(word in label.lower() for word in text.lower().split())
