"""One change to many tickets, done by the engine in batches: per ticket its own permission, at the end one notice."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.jobs import operations as jobs
from allswell.jobs import queries as job_queries
from allswell.kernel import text
from allswell.kernel.actor import Actor, Role
from allswell.kernel.errors import Conflict, DeskError, Invalid, NotAllowed, NotFound
from allswell.notifications import operations as notifications
from allswell.notifications.rules import Topic
from allswell.people import queries as people
from allswell.tickets.rules import LinkKind, WaitingOn

from . import job_ends, steps
from . import tickets as desk
from .door import attempt, body_of, use_case

if TYPE_CHECKING:
    from allswell.jobs.models import Job

log = logging.getLogger("allswell.desk")

KIND = "bulk"
MOST = 5000

Plain = Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _number(value: Any) -> int:
    number = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else 0
    if not 0 < number < 2**53:
        raise ValueError
    return number


def _instant(value: Any) -> datetime | None:
    instant = datetime.fromisoformat(value) if value else None
    if instant is not None and instant.tzinfo is None:
        raise ValueError
    return instant


def _person(value: Any) -> int | None:
    return None if value is None else _number(value)


def _changes(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= {"impact", "urgency", "service", "category"}:
        raise ValueError
    for name, wanted in value.items():
        is_level = isinstance(wanted, int) and not isinstance(wanted, bool) and 1 <= wanted <= 4
        if not (is_level if name in ("impact", "urgency") else wanted is None or isinstance(wanted, str) or _number(wanted)):
            raise ValueError
    return value


def _storable(value: Any) -> Any:
    """Parameters as both databases keep them."""
    if isinstance(value, dict):
        return {name: _storable(part) for name, part in value.items()}
    return text.clean(value) if isinstance(value, str) else value


#: verb -> (what does it, what each of its parameters takes); the parameters are JSON
VERBS: Mapping[str, tuple[Callable[..., Any], Mapping[str, Plain]]] = {
    "assign": (desk.assign, {"person": _person}),
    "hand_over": (desk.hand_over, {"team": _number, "reason": _text, "tried": _text}),
    "wait": (desk.wait, {"on": WaitingOn, "until": _instant, "reason": _text}),
    "resume": (desk.resume, {}),
    "resolve": (desk.resolve, {"code": _text, "resolution": _text}),
    "close": (desk.close, {}),
    "cancel": (desk.cancel, {"reason": _text}),
    "edit": (desk.edit, {"changes": _changes}),
    "override_priority": (desk.override_priority, {"priority": _person, "reason": _text}),
    "tag": (desk.tag, {"name": _text}),
    "untag": (desk.untag, {"name": _text}),
    "watch": (desk.watch, {}),
    "unwatch": (desk.unwatch, {}),
    "link": (desk.link, {"kind": LinkKind, "target": _number}),
    "reply": (desk.reply, {"body": _text}),
    "note": (desk.note, {"body": _text}),
}


def _needed(verb: str) -> set[str]:
    """The parameters of a verb that cannot be left out."""
    act, known = VERBS[verb]
    taken = inspect.signature(body_of(act)).parameters
    return {name for name in known if taken[name].default is inspect.Parameter.empty}


def _arguments(verb: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a verb as its use case takes them. Raises Invalid."""
    if verb not in VERBS:
        raise Invalid("This cannot be done to many tickets at once.", field="verb")
    known = VERBS[verb][1]
    if unknown := params.keys() - known.keys():
        raise Invalid("There is no such field.", field=min(unknown))
    arguments = {}
    for name, value in params.items():
        try:
            arguments[name] = known[name](value)
        except (ValueError, TypeError, OverflowError):
            raise Invalid("This does not fit.", field=name) from None
    return arguments


@use_case
def start(numbers: Iterable[int], *, verb: str, params: Mapping[str, Any], actor: Actor, now: datetime) -> Job:
    """Write down that the engine shall do `verb` with `params` (JSON, see `VERBS`) to these tickets, at most `MOST`.

    Which of them the actor may change is asked when it is done, for each; the others are listed as problems.
    """
    if not actor.has_role(Role.AGENT, Role.LEAD, Role.DUTY_MANAGER):  # who works no ticket starts nothing
        raise NotAllowed("Your role does not allow this.")
    arguments = _arguments(verb, params)
    if missing := _needed(verb) - arguments.keys():
        raise Invalid("This is needed.", field=min(missing))
    chosen = sorted(set(numbers))
    if not chosen:
        raise Invalid("Choose at least one ticket.", field="numbers")
    if len(chosen) > MOST:
        raise Invalid("Choose at most %(most)s tickets.", field="numbers", most=MOST)
    kept = {"verb": verb, "params": _storable(dict(params)), "numbers": chosen, "told": {}}
    return jobs.start(KIND, params=kept, total=len(chosen), actor=actor, now=now)


@use_case
def claim(*, actor: Actor, now: datetime) -> Job | None:
    """Take the oldest free job for this engine, under a lease; None when there is none."""
    return jobs.claim(now=now)


@use_case
def put_back(job: Job, *, actor: Actor, now: datetime) -> None:
    """Give a claimed job back, so that any engine may go on with it at once."""
    jobs.release(job)


@use_case
def run_batch(job: Job, *, limit: int = 25, actor: Actor, now: datetime) -> bool:
    """Do the next `limit` tickets of a claimed job; True while there is more to do and it is still ours.

    Each ticket succeeds or fails alone. `actor` is the engine; the work is done with the present rights of who asked for it.
    """
    current = job_queries.job(job.pk)
    asked_by = people.actors([job.person_id]).get(job.person_id) if job.person_id else None
    if current is None or current.finished_at or asked_by is None or current.is_cancelled:
        _end(job, actor=actor, now=now)
        return False
    worker = replace(asked_by, action=job.action)
    verb, numbers = job.params["verb"], job.params["numbers"][job.position : job.position + limit]
    act, arguments = body_of(VERBS[verb][0]), _arguments(verb, job.params["params"])
    problems: list[dict[str, Any]] = []
    with steps.gathering() as told:
        for number in numbers:
            try:
                with attempt():
                    act(number, **arguments, actor=worker, now=now)
            except DeskError as refused:
                problems.append({"ticket": number, "code": refused.code, "message": refused.template, "field": refused.field})
            except Exception:  # a fault of ours in one ticket must not stop the others for ever
                log.exception("job %s failed on ticket %s", job.pk, number)
                problems.append({"ticket": number, "code": "error", "message": "It is our fault, and it has been written down."})
    for person, count in told.items():
        job.params["told"][str(person)] = job.params["told"].get(str(person), 0) + count
    jobs.remember(job)
    changed = len(numbers) - len(problems)
    if not jobs.advance(job, done=len(numbers), changed=changed, problems=problems, now=now):
        raise Conflict("Another engine has taken this job over.")  # takes back what this one just did
    if job.position < job.total:
        return True
    _end(job, actor=actor, now=now)
    return False


def _end(job: Job, *, actor: Actor, now: datetime) -> None:
    """Finish, and tell who asked, and each of the desk who would have got a notice per ticket, once."""
    verb = job.params["verb"]
    told = {"verb": verb, "changed": job.changed, "problems": len(job.problems)}
    entry = job_ends.end(job, came_of_it=told, actor=actor, now=now)
    if entry is None:
        return
    for person, count in sorted(job.params["told"].items()):
        if int(person) != job.person_id:
            theirs = {"job": job.pk, "verb": verb, "changed": count, "by": job.person_id}
            notifications.enqueue(entry, topic=Topic.JOB, persons=[int(person)], content=theirs, now=now)


@use_case
def cancel(job_id: int, *, actor: Actor, now: datetime) -> Job:
    """Stop a job of one's own after its present batch; what is done stays done. Raises NotFound, Conflict."""
    job = job_queries.job(job_id)
    if job is None or job.person_id != actor.person or actor.person is None:
        raise NotFound("There is no such job.")
    if not jobs.cancel(job):
        raise Conflict("This job is finished already.")
    return job
