"""Many tickets at once: change them in the background, see how far that is, keep a filter as a view, take rows away as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from allswell.desk import bulk as desk
from allswell.desk import exporting, recounting, views, what_if
from allswell.jobs import queries as jobs
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.tickets import queries as tickets
from allswell.tickets import queue, rules
from allswell.tickets.queue import Filters
from allswell.tickets.rules import WaitingOn
from allswell.web import words
from allswell.web.pages import PageRequest, SeeOther, back_to, desk_page, field_errors, is_fragment, page, toast

from .acting import done, instant, number_or_none
from .queue import built_in, narrowed_view

if TYPE_CHECKING:
    from django.http import QueryDict

    from allswell.jobs.models import Job


def _numbers(form: QueryDict) -> list[int]:
    return [number for given in form.getlist("n")[: desk.MOST] if (number := number_or_none(given)) is not None]


def _chosen(request: PageRequest, given: QueryDict) -> list[int]:
    """The selected tickets; with "all", those of the view under its filters, one more than can be changed at once at most."""
    if not request.GET.get("all"):
        return _numbers(given)
    found, _filters = narrowed_view(request, request.GET.get("view", "all"))
    return list(found.values_list("pk", flat=True)[: desk.MOST + 1])


def _params(request: PageRequest, verb: str) -> dict[str, Any]:
    """What the chosen verb takes, out of the form, as JSON."""
    form = request.POST
    match verb:
        case "assign":
            wanted = form.get("person", "")
            if wanted == "":
                raise Invalid("Choose somebody.", field="person")
            return {"person": None if wanted == "none" else number_or_none(wanted)}
        case "hand_over":
            team = number_or_none(form.get("team", ""))
            if team is None:
                raise Invalid("Choose a team.", field="team")
            return {"team": team, "reason": form.get("reason", "")}
        case "wait":
            until = instant(form.get("until", ""), "until")
            return {"on": form.get("on", ""), "until": until.isoformat() if until else None}
        case "resolve":
            return {"code": form.get("code", ""), "resolution": form.get("resolution", "")}
        case "cancel":
            return {"reason": form.get("cancel_reason", "")}
        case "tag" | "untag":
            return {"name": form.get(f"name_{verb}", "")}
        case "reply" | "note":
            return {"body": form.get(f"body_{verb}", "")}
        case _:
            return {}


def _verbs() -> list[tuple[str, str]]:
    return [
        ("assign", _("Assign them")),
        ("hand_over", _("Hand them over to a team")),
        ("wait", _("Put them on hold")),
        ("resolve", _("Resolve them")),
        ("tag", _("Add a tag")),
        ("untag", _("Remove a tag")),
        ("reply", _("Reply to everybody who asked")),
        ("note", _("Add an internal note")),
        ("watch", _("Follow them")),
        ("cancel", _("Cancel them")),
    ]


@desk_page
def bulk(request: PageRequest) -> HttpResponseBase:
    """One change to the selected tickets."""
    given = request.POST if request.method == "POST" else request.GET
    numbers = _chosen(request, given)
    errors: dict[str, str] = {}
    verb = given.get("verb", "")
    if request.method == "POST":
        try:
            if verb not in {value for value, _label in _verbs()}:
                raise Invalid("Choose what to do.", field="verb")
            job = desk.start(numbers, verb=verb, params=_params(request, verb), actor=request.actor, now=request.now)
        except Invalid as wrong:
            errors = field_errors(wrong)
            if wrong.field in ("name", "body"):
                errors = {f"{wrong.field}_{verb}": errors[wrong.field]}
        else:
            return done(request, f"/jobs/{job.pk}")
    rows, _more = queue.rows(tickets.at_the_desk(request.actor).filter(pk__in=numbers), is_by_age=True, limit=20)
    actor = request.actor
    agents = people.people_visible_to(actor).filter(memberships__isnull=False, is_active=True).distinct().order_by("name")
    return page(
        request,
        "queue/bulk.html",
        status=422 if errors else 200,
        numbers=numbers,
        whole_view=request.GET.urlencode() if request.GET.get("all") else "",
        rows=rows,
        verb=verb,
        verbs=_verbs(),
        errors=errors,
        given=given,
        agents=[
            (actor.person, _("me")),
            ("none", _("nobody")),
            *[one for one in agents.values_list("pk", "name")[:500] if one[0] != actor.person],
        ],
        teams=list(people.teams_visible_to(actor).filter(is_active=True).order_by("name").values_list("pk", "name")),
        waits=[(on.value, words.waiting_on(on.value)) for on in WaitingOn],
        codes=[(code, words.code(code)) for code in rules.CODES],
        reasons=[(code, words.code(code)) for code in rules.CANCEL_REASONS if code != "merged"],
        layout="dialog.html" if is_fragment(request) else "base_agent.html",
        here="desk",
    )


def _own_job(number: int, request: PageRequest) -> Job:
    found = jobs.job(number)
    if found is None or found.person_id != request.actor.person:
        raise Http404
    return found


@desk_page
def job_page(request: PageRequest, job: int) -> HttpResponseBase:
    """How far a change of many tickets is, and what it could not do."""
    found = _own_job(job, request)
    if found.kind == what_if.KIND:
        return SeeOther(f"/setup/what-ifs/{job}")
    labels = {**dict(_verbs()), "clocks": _("Count the clocks again")}
    verb = str(found.params.get("verb", found.kind))
    left = recounting.left(found) if found.kind == recounting.KIND and found.is_cancelled else 0
    return page(request, "queue/job.html", job=found, left=left, title=labels.get(verb, verb), here="desk")


@desk_page
def job_cancel(request: PageRequest, job: int) -> HttpResponseBase:
    """Stop after the present batch."""
    if request.method != "POST":
        raise Http404
    _own_job(job, request)
    desk.cancel(job, actor=request.actor, now=request.now)
    toast(request, _("Stopped. What is done stays done."))
    return SeeOther(f"/jobs/{job}")


@desk_page
def job_go_on(request: PageRequest, job: int) -> HttpResponseBase:
    """Go on counting clocks where it was stopped."""
    if request.method != "POST":
        raise Http404
    recounting.go_on(job, actor=request.actor, now=request.now)
    return SeeOther(f"/jobs/{job}")


@desk_page
def save_view(request: PageRequest) -> HttpResponseBase:
    """Keep the filters in force as a view."""
    given = request.POST if request.method == "POST" else request.GET
    filters = Filters.parse(given.dict())
    errors: dict[str, str] = {}
    if request.method == "POST":
        whose = given.get("whose", "me")
        try:
            if given.get("name", "").strip().casefold() in {title.casefold() for title in built_in().values()}:
                raise Invalid("Something with this name or address is there already.", field="name")
            view = views.save(
                given.get("name", ""),
                filters=filters.chosen(),
                team=number_or_none(whose),
                is_for_all=whose == "all",
                actor=request.actor,
                now=request.now,
            )
        except Invalid as wrong:
            errors = field_errors(wrong)
        else:
            toast(request, _("Saved as “%(name)s”.") % {"name": view.name})
            return done(request, f"/desk/v/{view.slug}")
    teams = people.teams().filter(pk__in=sorted(request.actor.teams), is_active=True).order_by("name")
    return page(
        request,
        "queue/save_view.html",
        status=422 if errors else 200,
        errors=errors,
        given=given,
        filters=filters,
        whose=[("me", _("for me")), *teams.values_list("pk", "name"), ("all", _("for everybody at the desk"))],
        layout="dialog.html" if is_fragment(request) else "base_agent.html",
        here="desk",
    )


@desk_page
def remove_view(request: PageRequest, slug: str) -> HttpResponseBase:
    """Take a view out of use."""
    if request.method != "POST":
        raise Http404
    views.remove(slug, actor=request.actor, now=request.now)
    toast(request, _("The view is removed."))
    return SeeOther(back_to(request, "/desk/"))


@desk_page
def export(request: PageRequest) -> HttpResponseBase:
    """The rows of a view, with its filters, as CSV: what is seen, nothing else."""
    found, filters = narrowed_view(request, request.GET.get("view", "all"))
    lines = exporting.tickets_csv(found, filters=filters.chosen(), actor=request.actor, now=request.now)
    name = f"tickets-{request.now:%Y-%m-%d}.csv"
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
