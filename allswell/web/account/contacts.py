"""How I am reached by pages: my ways, the proof that they work, their order, when I am left in peace; and rooms of my teams."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from allswell.desk import contacts as desk
from allswell.desk import practising, push_keys
from allswell.kernel import text
from allswell.kernel.errors import DeskError, Invalid, NotAllowed
from allswell.notifications import carriers, queries, rules
from allswell.notifications.rules import Urgency
from allswell.people import queries as people
from allswell.people.rules import INSTALLATION, Act, may
from allswell.web import contact_words as words
from allswell.web import page_words
from allswell.web.oncall import sure
from allswell.web.pages import PageRequest, SeeOther, back_to, desk_page, field_errors, page, toast, words_of_error

from . import browsers

PLACE = "/me/contacts"
#: how long the answers to a test stay on the page
TEST_SHOWN = timedelta(minutes=15)


def _show(request: PageRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    me = request.actor.person
    if me is None:
        raise NotAllowed("Your role does not allow this.")
    reach = queries.reachable([me])[me]
    rows = list(queries.contacts_of(me))
    names: dict[int | None, str] = {None: words.primary()} if any(one.contact is None for one in reach.methods) else {}
    names |= {row.pk: words.named(row) for row in rows if row.verified_at is not None}
    plans = []
    for urgency in Urgency:
        own = [rule for rule in reach.rules if rule.urgency is urgency]
        chosen = own or list(rules.default_rules(reach.methods, urgency))
        delays = {rule.contact: rule.after for rule in reversed(chosen)}
        plans.append((urgency.value, words.plan(chosen, names), delays, bool(own)))
    values: dict[str, Any] = {
        "rows": rows,
        "sent_last": queries.last_messages([row.pk for row in rows if row.verified_at is None]),
        "reach": reach,
        "names": names,
        "plans": plans,
        "tests": queries.last_test(me, request.now - TEST_SHOWN),
        "practised": practising.newest(me, now=request.now),
        "page_words": page_words,
        "adding": _adding(request),
        "addable": [one.value for one in rules.ADDED if carriers.is_ready(one.value)],
        "missing": [name for name in words.SETTINGS if not carriers.is_ready(name)],
        "can_set_up": may(request.actor, Act.READ_SETUP, INSTALLATION),
        "words": words,
        "sent": request.POST,
        "errors": {},
        **more,
    }
    return page(request, "account/contacts.html", status=status, here="profile", **values)


def _browser(request: PageRequest) -> str:
    """What a browser that subscribes is called when its person gives it no name."""
    is_browser = request.POST.get("kind") == rules.ContactKind.PUSH
    return browsers.named(text.clean(request.headers.get("User-Agent", "")))[:80] if is_browser else ""


def _adding(request: PageRequest) -> str:
    """Which kind the form is for."""
    asked = request.POST.get("kind") or request.GET.get("add") or ""
    return asked if asked in [one.value for one in rules.ADDED if carriers.is_ready(one.value)] else ""


@require_http_methods(["GET", "POST"])
@desk_page
def contacts(request: PageRequest) -> HttpResponse:
    """How I am reached; a POST adds a way, to which a code goes at once."""
    if request.method == "GET":
        return _show(request)
    try:
        row = desk.add_contact(
            kind=request.POST.get("kind", ""),
            address=request.POST.get("address", ""),
            label=request.POST.get("label", "") or _browser(request),
            flavor=request.POST.get("flavor", ""),
            actor=request.actor,
            now=request.now,
        )
    except DeskError as error:
        if error.http in (403, 404):
            raise
        return _show(request, status=error.http, errors=field_errors(error))
    toast(request, _("A code is on its way there. Type it in to show that it arrives."))
    return SeeOther(f"{PLACE}#contact-{row.pk}")


@require_POST
@desk_page
def push_key(request: PageRequest) -> HttpResponse:
    """The key a browser subscribes with; made when the first one asks."""
    return JsonResponse({"key": push_keys.public_key(actor=request.actor, now=request.now)})


@require_POST
@desk_page
def code(request: PageRequest, contact: int) -> HttpResponse:
    """Send another code."""
    desk.send_code(contact, actor=request.actor, now=request.now)
    toast(request, _("Another code is on its way there."))
    return SeeOther(back_to(request, f"{PLACE}#contact-{contact}"))


@require_POST
@desk_page
def verify(request: PageRequest, contact: int) -> HttpResponse:
    """The code that arrived is typed in."""
    verdict = desk.verify(contact, code=request.POST.get("code", ""), actor=request.actor, now=request.now)
    if verdict.is_verified:
        toast(request, _("It works: pages can go there from now on."))
    elif verdict.guesses_left:
        toast(request, _("This is not the code that was sent. Look again."), is_bad=True)
    else:
        toast(request, _("This code opens nothing any more. Send another one."), is_bad=True)
    return SeeOther(back_to(request, f"{PLACE}#contact-{contact}"))


@require_POST
@desk_page
@sure.asks_first
def remove(request: PageRequest, contact: int) -> HttpResponse:
    """Nothing goes there any more."""
    with sure.watching(request, people=(request.actor.person,)):
        desk.remove_contact(contact, actor=request.actor, now=request.now)
    toast(request, _("It is removed, nothing goes there any more."))
    return SeeOther(back_to(request, PLACE))


@require_POST
@desk_page
@sure.asks_first
def set_rules(request: PageRequest) -> HttpResponse:
    """By what pages of an urgency go, and after how long; or as for everybody who has set nothing."""
    urgency = request.POST.get("urgency", "")
    try:
        wanted = [] if "usual" in request.POST else _wanted(request)
        with sure.watching(request, people=(request.actor.person,)):
            desk.set_rules(urgency, wanted=wanted, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        return _show(request, status=error.http, rules_errors={urgency: words_of_error(error)})
    toast(request, _("Pages go that way from now on."))
    return SeeOther(PLACE)


def _wanted(request: PageRequest) -> list[tuple[int | None, int]]:
    """What the form says: a delay for each way that is used. Raises Invalid when it is none."""
    found: list[tuple[int | None, int]] = []
    for name in request.POST:
        said = request.POST.get(name, "")
        if not name.startswith("after-") or said == "":
            continue
        contact, seconds = text.whole(name.removeprefix("after-")), text.whole(said[:20], digits=6)
        if seconds is None or (contact is None and name != "after-mail"):
            raise Invalid("Choose among your own contacts that are verified.", field="rules")
        found.append((contact, seconds))
    if not found:
        raise Invalid("Choose at least one way.", field="rules")
    return found


@require_POST
@desk_page
@sure.asks_first
def quiet(request: PageRequest) -> HttpResponse:
    """When normal pages wait."""
    try:
        is_over = "never" in request.POST
        since = None if is_over else _minute(request, "since")
        until = None if is_over else _minute(request, "until")
        with sure.watching(request, people=(request.actor.person,)):
            desk.set_quiet_hours(since=since, until=until, actor=request.actor, now=request.now)
    except DeskError as error:
        if error.http in (403, 404):
            raise
        return _show(request, status=error.http, errors=field_errors(error))
    toast(request, _("Normal pages come at any hour.") if is_over else _("Normal pages wait in your quiet hours."))
    return SeeOther(PLACE)


def _minute(request: PageRequest, field: str) -> int:
    """A time of day as minutes. Raises Invalid."""
    hour, colon, minute = request.POST.get(field, "").strip()[:8].partition(":")
    found = text.whole(hour, digits=2), text.whole(minute[:2], digits=2)
    if not colon or found[0] is None or found[1] is None or found[0] > 23 or found[1] > 59:
        raise Invalid("Give a time of day.", field=field)
    return found[0] * 60 + found[1]


@require_POST
@desk_page
def test(request: PageRequest) -> HttpResponse:
    """Send me a test page by every way."""
    count = desk.send_test(actor=request.actor, now=request.now)
    toast(request, _("A test is on its way, by %(count)s ways.") % {"count": count} if count > 1 else _("A test is on its way."))
    return SeeOther(f"{PLACE}#test")


@require_POST
@desk_page
def practice(request: PageRequest) -> HttpResponse:
    """Send a practice page, to oneself or to somebody one leads, by their own rules."""
    told = practising.send(
        urgency=request.POST.get("urgency", ""),
        person=text.whole(request.POST["person"]) or 0 if "person" in request.POST else None,
        actor=request.actor,
        now=request.now,
    )
    said, _tone = page_words.practised(told)
    toast(request, _("A practice page is made. %(said)s") % {"said": said})
    return SeeOther(back_to(request, f"{PLACE}#practice"))


def _add_room(request: PageRequest, slug: str) -> HttpResponse:
    try:
        desk.add_room(
            slug,
            kind=request.POST.get("kind", ""),
            address=request.POST.get("address", ""),
            label=request.POST.get("label", ""),
            flavor=request.POST.get("flavor", ""),
            actor=request.actor,
            now=request.now,
        )
    except DeskError as error:
        if error.http in (403, 404):
            raise
        return _show_rooms(request, slug, status=error.http, errors=field_errors(error))
    toast(request, _("A code is on its way there. Type it in to show that it arrives."))
    return SeeOther(f"/teams/{slug}/rooms")


def _show_rooms(request: PageRequest, slug: str, *, status: int = 200, errors: dict[str, str] | None = None) -> HttpResponse:
    team = desk.team_for_rooms(slug, actor=request.actor)
    rows = list(queries.rooms_of(team.pk))
    members = list(people.members(team.pk).filter(pk__in=people.people_visible_to(request.actor).values("pk")))
    reached = queries.reachable([row.pk for row in members])
    return page(
        request,
        "account/rooms.html",
        status=status,
        team=team,
        rows=rows,
        sent_last=queries.last_messages([row.pk for row in rows if row.verified_at is None]),
        members=[(row, reached.get(row.pk)) for row in members],
        practised=practising.newest_of([row.pk for row in members], now=request.now),
        page_words=page_words,
        adding=_adding(request),
        addable=[one.value for one in rules.ROOMS if carriers.is_ready(one.value)],
        words=words,
        sent=request.POST,
        errors=errors or {},
        here="teams",
    )


@require_http_methods(["GET", "POST"])
@desk_page
def rooms(request: PageRequest, slug: str) -> HttpResponse:
    """The rooms of a team one leads: chats, topics, lists; and by what its members are reached."""
    return _add_room(request, slug) if request.method == "POST" else _show_rooms(request, slug)
