"""What would happen: the question, and the answer as a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Value
from django.http import HttpResponse
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from allswell.desk import simulating
from allswell.desk.simulating import Answer, Asked, Local, Simulated, What
from allswell.kernel.errors import DeskError, Invalid
from allswell.oncall.queries import escalations
from allswell.oncall.rules.simulating import Call, Moment
from allswell.people import queries as people
from allswell.services import queries as services
from allswell.web import inputs, show
from allswell.web.pages import PageRequest, desk_page, field_errors, page

from . import lanes, proof_words

MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Way:
    """By what somebody is called, and how long after the beginning."""

    words: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happens, as it is told. `who` is called, `theirs` the time there where it differs."""

    after: str
    at: datetime
    clock: str
    kind: str
    text: str
    step: int = 0
    who: str = ""
    person: int | None = None
    theirs: str = ""
    ways: tuple[Way, ...] = ()


@require_safe
@desk_page
def simulate(request: PageRequest) -> HttpResponse:
    """Who would be called, and when, if something failed at an instant and nobody answered."""
    sent = request.GET
    values = {
        "about": sent.get("about", ""),
        "at": sent.get("at", "") or show.for_input(request.now),
        "priority": sent.get("priority", "1"),
        "answered": sent.get("answered", ""),
        "after": sent.get("after", "5"),
        "kept": sent.get("kept", "1"),
    }
    errors: dict[str, str] = {}
    found, local = None, None
    if values["about"]:
        try:
            local = _instant(request)
            found = simulating.what_happens(
                _asked(values["about"]),
                at=simulating.check_horizon(local.at, now=request.now),
                priority=inputs.number(sent, "priority") or 1,
                answer=_answer(request),
                actor=request.actor,
            )
        except DeskError as error:
            if error.http in (403, 404):
                raise
            errors = field_errors(error)
    choices = choices_for(request)
    return page(
        request,
        "oncall/simulate.html",
        status=422 if errors else 200,
        values=values,
        errors=errors,
        choices=[one for one in choices if one[0].startswith("service:")],
        policies=[one for one in choices if one[0].startswith("policy:")],
        found=found,
        local=local,
        lines=lines(found) if found else [],
        at_text=_at_text,
        zone=lanes.zone_name(),
        other=_other(request) if local and local.is_twice else "",
        is_second=sent.get("second") == "1",
        here="oncall",
    )


def choices_for(request: PageRequest, *, has_teams: bool = False) -> list[tuple[str, str]]:
    """What may be asked about: the services and policies, and teams if asked for, that the viewer may know, by name, in one statement."""
    known = services.known_inside(request.actor).filter(is_active=True)
    policies = escalations.policies_visible_to(request.actor).filter(is_active=True)
    rows = known.annotate(kind_=Value("service")).values_list("kind_", "slug", "name")
    others = [policies, *([people.teams_visible_to(request.actor).filter(is_active=True)] if has_teams else [])]
    more = [
        found.annotate(kind_=Value(kind)).values_list("kind_", "slug", "name")
        for found, kind in zip(others, ("policy", "team"), strict=False)
    ]
    found = rows.union(*more, all=True).order_by("name")
    return [(f"{kind}:{slug}", name) for kind, slug, name in found[: 2 * MOST_CHOICES]]


def _asked(about: str) -> Asked:
    kind, _sep, ref = about.partition(":")
    if not ref or kind not in ("service", "policy", "team"):
        raise Invalid("Choose one of the list.", field="about")
    return Asked(
        service=ref if kind == "service" else None,
        team=ref if kind == "team" else None,
        policy=ref if kind == "policy" else None,
    )


def _instant(request: PageRequest) -> Local:
    """What the form names, by the viewer's clocks; of two instants with the same time the first unless asked otherwise."""
    said = request.GET.get("at", "").strip()
    if not said:
        return Local(request.now)
    try:
        naive = datetime.fromisoformat(said).replace(tzinfo=None)
    except ValueError as error:
        raise Invalid("Give a date and a time.", field="at") from error
    if not 1970 <= naive.year < 2200:
        raise Invalid("This is not a date and time.", field="at")
    return simulating.on_the_wall(naive, timezone.get_current_timezone(), is_second=request.GET.get("second") == "1")


def _answer(request: PageRequest) -> Answer | None:
    step = inputs.number(request.GET, "answered")
    if step is None:
        return None
    minutes = inputs.number(request.GET, "after") or 0
    if minutes > simulating.MOST_MINUTES:
        raise Invalid("Use a whole number from %(least)s to %(most)s.", field="after", least=0, most=simulating.MOST_MINUTES)
    return Answer(step - 1, timedelta(minutes=minutes), is_kept=request.GET.get("kept", "1") == "1")


def _other(request: PageRequest) -> str:
    """The address of the same question about the other of the two instants."""
    asked = request.GET.copy()
    if asked.get("second") == "1":
        del asked["second"]
    else:
        asked["second"] = "1"
    return f"?{asked.urlencode()}"


# the answer


def lines(found: Simulated) -> list[Line]:
    """What happens, a line for everybody who is called."""
    told: list[Line] = []
    for moment in found.moments:
        told += _told(moment, found)
    return told


def _told(moment: Moment, found: Simulated) -> list[Line]:
    after, clock = offset(moment.at - found.at), _clock(moment.at)
    if moment.what is not What.STEP or moment.taken is None:
        return [Line(after, moment.at, clock, moment.what.value, _ending(moment))]
    step = moment.taken.position + 1
    if moment.taken.empty:
        text = _("Step %(n)s calls nobody and does not wait: %(why)s")
        said = text % {"n": step, "why": proof_words.empty(moment.taken.empty)}
        return [Line(after, moment.at, clock, "empty", said, step)]
    return [_call(call, moment, found, after, clock, step) for call in moment.calls]


def _ending(moment: Moment) -> str:
    said = {
        What.ANSWERED: _("It is answered, and the promise is kept."),
        What.BROKEN: _("The promise is over without a word: it calls again."),
        What.EXHAUSTED: _("Nobody has answered. It ends, and the team's lead and the duty managers are told."),
        What.GOES_ON: _("It goes on."),
    }
    if moment.what is What.ANSWERED and moment.until is not None:
        return _("It is answered. The promise holds until %(time)s, and no word comes.") % {"time": _clock(moment.until)}
    return said[moment.what]


def _call(call: Call, moment: Moment, found: Simulated, after: str, clock: str, step: int) -> Line:
    person = call.called.person
    ways = tuple(Way(proof_words.channel(way.channel), offset(way.due_at - found.at)) for way in call.planned)
    if person is None:
        who = _("A room of the team") if call.called.room is not None else _("A webhook")
        return Line(after, moment.at, clock, "call", "", step, who, None, "", ways)
    who = (found.names or {}).get(person, f"#{person}")
    text = "" if ways else _("cannot be reached")
    return Line(
        after, moment.at, clock, "call", text, step, who, person, _theirs(moment.at, (found.zones or {}).get(person)), ways
    )


def _theirs(at: datetime, zone: str | None) -> str:
    """The time where somebody is, when their clocks show another."""
    if zone is None:
        return ""
    there, here = at.astimezone(ZoneInfo(zone)), timezone.localtime(at)
    if there.utcoffset() == here.utcoffset():
        return ""
    return _("%(time)s in %(zone)s") % {"time": dateformat.format(there, "D H:i"), "zone": zone}


def _at_text(at: datetime) -> str:
    """An instant with its zone, also in the hour that comes twice: Sun 25 October 2026, 02:30 CEST."""
    local = timezone.localtime(at)
    return f"{dateformat.format(local, 'D j F Y, H:i')} {local:%Z}"


def _clock(at: datetime) -> str:
    return dateformat.format(timezone.localtime(at), "D H:i:s")


def offset(length: timedelta) -> str:
    """How long after the beginning: +0:05:00."""
    seconds = int(length.total_seconds())
    return f"+{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
