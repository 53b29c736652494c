"""What can be done with a ticket. Every act is an address of its own: a page with its form, a dialog where our script asks for
it, and the POST that does it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from allswell.desk import tickets as desk
from allswell.kernel.errors import DeskError, Invalid
from allswell.kernel.text import whole
from allswell.oncall.queries import escalations
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.tickets import dossier, rules
from allswell.tickets import queries as tickets
from allswell.tickets.rules import Kind, LinkKind, WaitingOn
from allswell.web import inputs, words
from allswell.web.pages import PageRequest, SeeOther, back_to, desk_page, field_errors, is_fragment, page, toast

from . import paging_acts
from .ticket import seen_at_the_desk

_REFERENCE = re.compile(r"(?:[A-Za-z]{3}-|#)?(\d{1,12})")

if TYPE_CHECKING:
    from allswell.kernel.actor import Actor
    from allswell.tickets.models import Ticket


def done(request: HttpRequest, address: str) -> HttpResponse:
    """After an act: look at `address`; our script is told in a header."""
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return SeeOther(address)


def number_or_none(text: str) -> int | None:
    """A key from a form; None when it is none."""
    return whole(text)


def instant(text: str, field: str) -> datetime | None:
    """An `<input type=datetime-local>` in the viewer's zone; None when empty. Raises Invalid."""
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid("This is not a date and time.", field=field)
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def undo_address(request: PageRequest, number: int) -> str:
    """Where what this request does can be taken back."""
    return f"/tickets/{number}/undo/{request.actor.action}"


def version_of(request: HttpRequest) -> int | None:
    """The version the form was made from."""
    return number_or_none(request.POST.get("version", ""))


@dataclass(frozen=True, slots=True)
class Act:
    """A form with a button. `act` does it, `choices` is what the form offers; `said` is the toast."""

    title: Any
    act: Callable[[PageRequest, int], object]
    said: Any
    choices: Callable[[Ticket, Actor], dict[str, Any]] = lambda ticket, actor: {}
    has_undo: bool = False


def _teams(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    found = people.teams_visible_to(actor).filter(is_active=True).order_by("line", "name")
    teams = [(pk, name) for pk, name in found.values_list("pk", "name") if pk != ticket.team_id]
    is_paged = escalations.has_open_run(ticket.pk)
    if is_paged:  # with a team that pages nobody it ends, and that is said before
        paging = escalations.teams_that_page([pk for pk, _name in teams], priority=ticket.priority)
        teams = [(pk, name if paging.get(pk) else _pages_nobody(name, has_policy=pk in paging)) for pk, name in teams]
    return {"teams": teams, "chain": _chain(ticket), "is_paged": is_paged}


def _pages_nobody(name: str, *, has_policy: bool) -> str:
    if has_policy:
        return _("%(team)s (nobody is paged: its policy does not start at this priority)") % {"team": name}
    return _("%(team)s (nobody is paged: no policy)") % {"team": name}


def _chain(ticket: Ticket) -> list[str]:
    """Whom hierarchic escalation tells next, by name."""
    if ticket.team is None:
        return []
    chain = people.manager_chain(ticket.team)[ticket.escalation_level :]
    names = dict(people.people().filter(pk__in=chain).values_list("pk", "name"))
    return [names[pk] for pk in chain]


def _colleagues(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    mates = [(one.pk, one.name) for one in people.members(ticket.team_id)] if ticket.team_id else []
    return {"mates": mates, "is_member": any(pk == actor.person for pk, _name in mates)}


def _details(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    return {
        "services": list(services.visible_to(actor).filter(is_active=True).order_by("name").values_list("slug", "name")),
        "categories": words.categories(dossier.categories().filter(is_active=True).values_list("pk", "pk", "name")),
        "levels": [(level, words.impact(level)) for level in range(1, 5)],
        "urgencies": [(level, words.urgency(level)) for level in range(1, 5)],
        "fields": tickets.custom_fields(ticket.kind),
    }


def _edited(request: PageRequest, number: int) -> object:
    form = request.POST
    changes: dict[str, Any] = {"title": form.get("title", ""), "description": form.get("description", "")}
    changes["service"] = form.get("service") or None
    changes["category"] = number_or_none(form.get("category", ""))
    for name in ("impact", "urgency"):
        if value := number_or_none(form.get(name, "")):
            changes[name] = value
    changes["occurred_at"] = instant(form.get("occurred_at", ""), "occurred_at")
    custom = inputs.own_fields(form, tickets.custom_fields(seen_at_the_desk(number, request.actor).kind))
    if custom:
        changes["custom"] = custom
    keeps = form.get("keeps_override") == "1"
    return desk.edit(
        number, changes=changes, keeps_override=keeps, actor=request.actor, now=request.now, version=version_of(request)
    )


def _requester(request: PageRequest, number: int) -> object:
    changes = {"requester": request.POST.get("requester", "")}
    return desk.edit(number, changes=changes, actor=request.actor, now=request.now, version=version_of(request))


def _priority(request: PageRequest, number: int) -> object:
    wanted = number_or_none(request.POST.get("priority", ""))
    return desk.override_priority(
        number,
        priority=wanted,
        reason=request.POST.get("reason", ""),
        actor=request.actor,
        now=request.now,
        version=version_of(request),
    )


def _assign(request: PageRequest, number: int) -> object:
    wanted = request.POST.get("person", "")
    return desk.assign(
        number,
        person=None if wanted == "none" else number_or_none(wanted),
        actor=request.actor,
        now=request.now,
        version=version_of(request),
    )


def _hand_over(request: PageRequest, number: int) -> object:
    team = number_or_none(request.POST.get("team", ""))
    if team is None:
        raise Invalid("Choose a team.", field="team")
    return desk.hand_over(
        number,
        team=team,
        reason=request.POST.get("reason", ""),
        tried=request.POST.get("tried", ""),
        actor=request.actor,
        now=request.now,
        version=version_of(request),
    )


def _wait(request: PageRequest, number: int) -> object:
    on = request.POST.get("on", "")
    if on not in set(WaitingOn):
        raise Invalid("Choose what it waits for.", field="on")
    return desk.wait(
        number,
        on=WaitingOn(on),
        until=instant(request.POST.get("until", ""), "until"),
        reason=request.POST.get("reason", ""),
        actor=request.actor,
        now=request.now,
        version=version_of(request),
    )


def _resolve(request: PageRequest, number: int) -> object:
    return desk.resolve(
        number,
        code=request.POST.get("code", "fixed"),
        resolution=request.POST.get("resolution", ""),
        actor=request.actor,
        now=request.now,
        version=version_of(request),
    )


def _refile(request: PageRequest, number: int) -> object:
    kind = request.POST.get("kind", "")
    if kind not in set(Kind):
        raise Invalid("Choose a kind.", field="kind")
    return desk.refile(number, kind=Kind(kind), actor=request.actor, now=request.now, version=version_of(request))


def _plain(use_case: Callable[..., object], *fields: str, is_guarded: bool = True) -> Callable[[PageRequest, int], object]:
    """An act whose use case takes the form's fields by their names."""

    def act(request: PageRequest, number: int) -> object:
        given = {name: request.POST.get(name, "") for name in fields}
        if is_guarded:
            given["version"] = version_of(request)  # type: ignore[assignment]
        return use_case(number, **given, actor=request.actor, now=request.now)

    return act


def _unwatched(request: PageRequest, number: int) -> object:
    return desk.unwatch(number, actor=request.actor, now=request.now)


def _codes(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    return {
        "codes": [(code, words.code(code)) for code in rules.CODES],
        "reasons": [(code, words.code(code)) for code in rules.CANCEL_REASONS if code != "merged"],
        "waits": [(on.value, words.waiting_on(on.value)) for on in WaitingOn],
    }


def number_of(text: str, field: str) -> int:
    """A ticket as people write it: INC-1042, #1042, 1042. Raises Invalid."""
    found = _REFERENCE.fullmatch(text.strip())
    if found is None:
        raise Invalid("Write the number of a ticket, such as INC-1042.", field=field)
    return int(found[1])


def _link(request: PageRequest, number: int) -> object:
    kind = request.POST.get("kind", "")
    if kind not in {pair[0] for pair in _link_kinds()}:
        raise Invalid("Choose how they belong together.", field="kind")
    other = number_of(request.POST.get("other", ""), "other")
    return desk.link(number, kind=LinkKind(kind), target=other, actor=request.actor, now=request.now)


def _unlink(request: PageRequest, number: int) -> object:
    kind = request.POST.get("kind", "")
    if kind not in set(LinkKind):
        raise Invalid("Choose how they belong together.", field="kind")
    other = number_of(request.POST.get("other", ""), "other")
    return desk.unlink(number, kind=LinkKind(kind), target=other, actor=request.actor, now=request.now)


def _merge(request: PageRequest, number: int) -> object:
    into = number_of(request.POST.get("into", ""), "into")
    return desk.merge(number, into=into, actor=request.actor, now=request.now)


def _unmerge(request: PageRequest, number: int) -> object:
    return desk.unmerge(number, actor=request.actor, now=request.now)


def _split(request: PageRequest, number: int) -> object:
    comment = number_or_none(request.POST.get("comment", ""))
    if comment is None:
        raise Invalid("Choose the message that is about something else.", field="comment")
    return desk.split(number, comment=comment, title=request.POST.get("title", ""), actor=request.actor, now=request.now)


def _follow_up(request: PageRequest, number: int) -> object:
    return desk.follow_up(number, description=request.POST.get("description", ""), actor=request.actor, now=request.now)


def _link_kinds() -> list[tuple[str, str]]:
    made_by_hand = (LinkKind.RELATED, LinkKind.CHILD_OF, LinkKind.CAUSED_BY, LinkKind.DUPLICATE_OF)
    return [(kind.value, words.link(kind.value, is_source=True)) for kind in made_by_hand]


def _links(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    return {"kinds": _link_kinds()}


def _comments(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    said = tickets.comments(ticket, internal=True).filter(moved_from__isnull=True).select_related("author")
    rows = [(one.pk, f"{one.author.name if one.author else 'Allswell'}: {one.body[:70]}") for one in said]
    return {"comments": rows[::-1]}


ACTS: dict[str, Act] = {
    "link": Act(gettext_lazy("Link another ticket"), _link, gettext_lazy("Linked."), _links, has_undo=True),
    "unlink": Act(gettext_lazy("Remove the link"), _unlink, gettext_lazy("The link is gone."), _links),
    "merge": Act(gettext_lazy("Merge into another ticket"), _merge, gettext_lazy("Merged.")),
    "unmerge": Act(gettext_lazy("Take the merge back"), _unmerge, gettext_lazy("Both are tickets of their own again.")),
    "split": Act(gettext_lazy("Split off a message"), _split, gettext_lazy("It is a ticket of its own now."), _comments),
    "follow-up": Act(gettext_lazy("Open a follow-up"), _follow_up, gettext_lazy("A follow-up is open.")),
    "take": Act(gettext_lazy("Take it"), _plain(desk.take), gettext_lazy("It is yours."), has_undo=True),
    "assign": Act(gettext_lazy("Assign"), _assign, gettext_lazy("Assigned."), _colleagues, has_undo=True),
    "hand-over": Act(gettext_lazy("Hand over to another team"), _hand_over, gettext_lazy("Handed over."), _teams, has_undo=True),
    "escalate": Act(
        gettext_lazy("Tell the manager"), _plain(desk.escalate, "reason"), gettext_lazy("The manager is told."), _teams
    ),
    "wait": Act(gettext_lazy("Put on hold"), _wait, gettext_lazy("On hold."), _codes, has_undo=True),
    "resume": Act(gettext_lazy("Go on"), _plain(desk.resume), gettext_lazy("Going on."), has_undo=True),
    "restore": Act(
        gettext_lazy("It works again"), _plain(desk.restore), gettext_lazy("Noted that it works again."), has_undo=True
    ),
    "resolve": Act(gettext_lazy("Resolve"), _resolve, gettext_lazy("Resolved."), _codes, has_undo=True),
    "reopen": Act(gettext_lazy("Reopen"), _plain(desk.reopen, "reason"), gettext_lazy("Reopened."), has_undo=True),
    "close": Act(gettext_lazy("Close for good"), _plain(desk.close), gettext_lazy("Closed.")),
    "cancel": Act(gettext_lazy("Cancel the ticket"), _plain(desk.cancel, "reason"), gettext_lazy("Cancelled."), _codes),
    "edit": Act(gettext_lazy("Edit details"), _edited, gettext_lazy("Saved."), _details),
    "requester": Act(gettext_lazy("Change the requester"), _requester, gettext_lazy("They are the requester now.")),
    "priority": Act(gettext_lazy("Set the priority by hand"), _priority, gettext_lazy("Priority set.")),
    "refile": Act(gettext_lazy("Change the kind"), _refile, gettext_lazy("Kind changed.")),
    "watch": Act(gettext_lazy("Follow"), _plain(desk.watch, is_guarded=False), gettext_lazy("You follow it.")),
    "unwatch": Act(gettext_lazy("Unfollow"), _unwatched, gettext_lazy("You no longer follow it.")),
    "copy": Act(
        gettext_lazy("Put somebody in copy"),
        _plain(desk.add_participant, "person", is_guarded=False),
        gettext_lazy("They are in copy."),
    ),
    "tag": Act(gettext_lazy("Add a tag"), _plain(desk.tag, "name", is_guarded=False), gettext_lazy("Tag added."), has_undo=True),
    "untag": Act(
        gettext_lazy("Remove a tag"), _plain(desk.untag, "name", is_guarded=False), gettext_lazy("Tag removed."), has_undo=True
    ),
    "answer-page": Act(gettext_lazy("I have it"), paging_acts.answer, gettext_lazy("You have it.")),
    "page": Act(
        gettext_lazy("Page somebody"), paging_acts.page, gettext_lazy("They are being called."), paging_acts.callable_ones
    ),
    "promise": Act(gettext_lazy("Say when the next word comes"), paging_acts.promise, gettext_lazy("Said.")),
    "stop-paging": Act(gettext_lazy("Stop the paging"), paging_acts.stop, gettext_lazy("Nobody is called any more.")),
    "restrict": Act(gettext_lazy("Restrict"), _plain(desk.restrict), gettext_lazy("Only its team and named people see it.")),
    "unrestrict": Act(gettext_lazy("Open to the desk"), _plain(desk.unrestrict), gettext_lazy("The whole desk sees it again.")),
}


@desk_page
def act_page(request: PageRequest, number: int, verb: str) -> HttpResponseBase:
    """The form of an act (GET) and the act (POST)."""
    act = ACTS.get(verb)
    if act is None:
        raise Http404
    ticket = seen_at_the_desk(number, request.actor)
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            outcome = act.act(request, number)
        except Invalid as wrong:
            errors = field_errors(wrong)
        except DeskError as refusal:
            if not is_fragment(request):
                raise
            errors = {"": field_errors(refusal).popitem()[1]}
        else:
            if act.said:
                toast(request, str(act.said), undo=undo_address(request, number) if act.has_undo else "")
            opened = getattr(outcome, "pk", number) if verb in ("split", "follow-up") else number
            return done(request, back_to(request, _after(request, opened)))
    return page(
        request,
        "ticket/do.html",
        status=422 if errors else 200,
        verb=verb,
        title=act.title,
        ticket=ticket,
        errors=errors,
        given=request.POST,
        here="desk",
        layout="dialog.html" if is_fragment(request) else "base_agent.html",
        **act.choices(ticket, request.actor),
    )


def _after(request: PageRequest, number: int) -> str:
    """The ticket, or the desk when the act took it out of the actor's sight."""
    is_seen = tickets.at_the_desk(request.actor).filter(pk=number).exists()
    return f"/tickets/{number}" if is_seen else "/desk/"


@desk_page
def undo(request: PageRequest, number: int, action: uuid.UUID) -> HttpResponseBase:
    """Take back what one just did."""
    if request.method != "POST":
        raise Http404
    desk.undo(number, action=action, actor=request.actor, now=request.now)
    toast(request, _("Taken back."))
    return done(request, back_to(request, _after(request, number)))
