"""What the desk does about alerts that fired, got worse or are over: incidents are opened, joined, opened again and resolved.

The steps are those people take; a storm of alerts comes to a few of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from allswell.desk import runs, steps
from allswell.desk.door import attempt, body_of
from allswell.desk.tickets import moving, reporting, talking
from allswell.desk.tickets.reporting import Report
from allswell.intake.operations import alerts as writing
from allswell.intake.parsers.alerts.shape import AlertReport, Severity
from allswell.intake.queries import alerts as queries
from allswell.intake.queries import explaining
from allswell.intake.rules import routing, standing
from allswell.intake.rules.routing import Act, Clear, Decision
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import DeskError
from allswell.oncall.queries import escalations
from allswell.oncall.queries.escalations import InForce
from allswell.tickets import operations as tickets
from allswell.tickets import queries as ticket_queries
from allswell.tickets.rules import Kind

from . import deciding
from .deciding import How, Setting
from .folding import Line

if TYPE_CHECKING:
    from allswell.tickets.models import Ticket

#: so many alerts are named in an entry of the journal, and in the words of an incident, where more would hide the rest of its page
_NAMED, _TOLD = 20, 5
#: characters of a note that was written at the source
_LONGEST_NOTE = 5_000


def act(lines: Iterable[Line], *, actor: Actor, now: datetime) -> None:
    """Do what follows from lines that were folded and written."""
    lines = list(lines)
    fired = [line for line in lines if line.has_fired]
    if fired:
        _route(fired, Setting.at(now), actor=actor, now=now)
    if worse := [line for line in lines if line.has_worsened]:
        _raise(worse, actor=actor, now=now)
    if answered := [line for line in lines if line.is_answered and line.alert.ticket_id is not None]:
        _answer(answered, actor=actor, now=now)
    cleared = {line.alert.ticket_id for line in lines if line.has_cleared or (line.row and _has_calmed(line))}
    unheard = {line.alert.ticket_id for line in lines if line.has_cleared and line.alert.ended_by == "unheard"}
    clear([ticket for ticket in cleared if ticket is not None], unheard=unheard, actor=actor, now=now)


def note(said: Iterable[tuple[Line, AlertReport]], *, actor: Actor, now: datetime) -> None:
    """What was written at the source about alerts is an internal note of their incidents, one for all that came together."""
    words: dict[int, list[str]] = defaultdict(list)
    for line, report in said:
        body = report.note or report.text or report.title
        if line.row is not None and line.row.ticket_id is not None and body:
            who = f"{report.by}: " if report.by else ""
            words[line.row.ticket_id].append(f"{who}{body}"[:_LONGEST_NOTE])
    for number, some in sorted(words.items()):
        if (ticket := ticket_queries.ticket(number)) is not None and ticket.done_at is None:
            told = [_("Written at the source:"), *some[:_NAMED]]
            body_of(talking.note)(ticket.pk, body="\n\n".join(told), actor=actor, now=now)


def _answer(lines: Iterable[Line], *, actor: Actor, now: datetime) -> None:
    """Somebody acknowledged alerts at their source: their incidents say so; where all that fire are, nobody is paged for a while."""
    of_tickets: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        of_tickets[line.alert.ticket_id or 0].append(line)
    for number, some in sorted(of_tickets.items()):
        ticket = ticket_queries.ticket(number, is_locked=True)
        if ticket is None or ticket.done_at is not None:
            continue
        names = ", ".join(dict.fromkeys(line.alert.acknowledged_by for line in some if line.alert.acknowledged_by))
        words = _("Acknowledged at the source by %(names)s:") % {"names": names} if names else _("Acknowledged at the source:")
        titles = "\n".join(f"- {line.alert.title}" for line in some[:_NAMED])
        body_of(talking.note)(number, body=f"{words}\n\n{titles}", actor=actor, now=now)
        if not explaining.has_unanswered(number):  # paging rests; also the run that begins with this very batch
            data = {"alerts": [line.alert.pk for line in some[:_NAMED]], "count": len(some)}
            tickets.record(Verb.ALERTS_ANSWERED, ticket, actor=actor, now=now, data=data)


def route_again(lines: Sequence[Line], *, actor: Actor, now: datetime) -> None:
    """What held these back is over, and they fire still. Those that belonged to an incident before, which is open still, stay there."""
    belonging = {line.alert.ticket_id for line in lines if line.alert.case and line.alert.ticket_id}
    is_open = ticket_queries.all_tickets().filter(pk__in=belonging, done_at=None).values_list("pk", flat=True)
    settled = set(is_open) if belonging else set()
    firing = [
        line for line in lines if line.alert.state == "firing" and not (line.alert.case and line.alert.ticket_id in settled)
    ]
    if firing:
        _route(firing, Setting.at(now), actor=actor, now=now)


def _has_calmed(line: Line) -> bool:
    return line.before is not None and line.before.is_flapping and line.now is not None and not line.now.is_flapping


def _route(lines: list[Line], setting: Setting, *, actor: Actor, now: datetime) -> None:
    """Decide about alerts that fire, and do it; those of one case together."""
    held: dict[tuple[str, int], list[Line]] = defaultdict(list)
    cases: dict[str, list[tuple[Line, Decision]]] = defaultdict(list)
    outcomes: dict[str, list[Line]] = defaultdict(list)
    fits: dict[int, int] = defaultdict(int)
    changes = []
    for line in lines:
        found = deciding.decided(line, setting)
        quiet = found.quiet
        values = {
            "service_id": found.service,
            "rule_id": found.rule.number,
            "case": "" if quiet is not None else found.case,
            "silence_id": quiet.number if quiet and quiet.kind == "silence" else None,
            "window_id": quiet.number if quiet and quiet.kind == "window" else None,
        }
        for name, value in values.items():
            setattr(line.row, name, value)
        changes.append((line.alert.pk, values))
        if found.rule.number is not None:
            fits[found.rule.number] += 1
        if quiet is not None:
            outcomes[How.SILENCED if quiet.kind == "silence" else How.EXPECTED].append(line)
            if quiet.kind == "window" and quiet.ticket is not None:
                held["window", quiet.ticket].append(line)
        elif found.act is Act.RECORD or line.is_test:
            outcomes[How.RECORDED].append(line)
        else:
            cases[found.case].append((line, found))
    writing.write(changes)
    writing.note_fits(fits, now=now)
    for (_kind, number), some in held.items():
        if (ticket := ticket_queries.ticket(number)) is not None:
            _join(ticket, some, how=How.EXPECTED, actor=actor, now=now)
    for outcome, some in _belong(cases, actor=actor, now=now).items():
        outcomes[outcome] += some
    for outcome, some in outcomes.items():
        writing.decided((line.alert for line in some), outcome=outcome)


def _belong(cases: dict[str, list[tuple[Line, Decision]]], *, actor: Actor, now: datetime) -> dict[str, list[Line]]:
    """Bring the alerts of each case to its incident; outcome -> alerts."""
    outcomes: dict[str, list[Line]] = defaultdict(list)
    known = deciding.tickets_of(cases, now=now)
    for case, some in cases.items():
        lines = [line for line, _ in some]
        found = deciding.leading(some)
        place = deciding.place_of(found, known.get(case), lines[0].source, now=now, is_locked=True)
        ticket = place.ticket
        if ticket is not None and place.how is How.REOPENED and (ticket := _open_again(ticket, actor=actor, now=now)) is None:
            place = deciding.new_place(found, lines[0].source, now=now, is_locked=True)
            ticket = place.ticket
        if place.how is How.OPENED:
            ticket = _opened(lines, found, actor=actor, now=now)
        if ticket is not None:
            _join(ticket, lines, how=place.how, actor=actor, now=now)
        outcomes[place.how.value] += lines
    return outcomes


def _open_again(ticket: Ticket, *, actor: Actor, now: datetime) -> Ticket | None:
    """An incident that was resolved a moment ago is open again; None where that cannot be."""
    try:
        with attempt():
            return body_of(moving.reopen)(ticket.pk, actor=actor, now=now)
    except DeskError:
        return None


def _opened(lines: list[Line], found: Decision, *, actor: Actor, now: datetime) -> Ticket:
    """A new incident for alerts."""
    first = min(lines, key=lambda line: (standing.RANK[Severity(line.alert.severity)], line.alert.pk))
    target = deciding.target_of(found)
    what = Report(
        kind=Kind.INCIDENT,
        title=first.alert.title[:200],
        description=_described(lines),
        service=target.service.pk if target.service is not None else None,
        team=target.team,
        impact=target.impact,
        urgency=found.urgency,
        occurred_at=min(line.alert.started_at for line in lines),
    )
    with attempt():
        ticket = body_of(reporting.report)(what, actor=actor, now=now)
    if found.rule.policy is not None and (row := escalations.policy_by_ref(found.rule.policy)) is not None and row.is_active:
        follows = InForce(row.pk, row.number, escalations.policy_definition(row).as_json())
        runs.start(ticket, follows, cause="opened", actor=actor, now=now)
    return ticket


def _described(lines: Sequence[Line]) -> str:
    """The words of an incident: what its alerts say, the labels they share, and where to look."""
    rows = [line.alert for line in lines]
    parts = [row.text for row in rows[:1] if row.text]
    if len(rows) > 1:
        named = "\n".join(f"- {row.title}" for row in rows[:_TOLD])
        more = len(rows) - _TOLD
        parts.append(named + (f"\n- … + {more}" if more > 0 else ""))
    shared = {name: value for name, value in rows[0].labels.items() if all(row.labels.get(name) == value for row in rows)}
    if shared:
        parts.append("\n".join(f"- {name}: `{value}`" for name, value in sorted(shared.items())[:_NAMED]))
    links = {url: name for row in rows[:_NAMED] for name, url in row.links}
    if links:
        parts.append("\n".join(f"- {name}: <{url}>" for url, name in list(links.items())[:10]))
    return "\n\n".join(parts)[:50_000]


def _join(ticket: Ticket, lines: Sequence[Line], *, how: How, actor: Actor, now: datetime) -> None:
    """These alerts belong to the ticket from now on; one entry in its journal for all of them."""
    new = [line.alert for line in lines if line.alert.ticket_id != ticket.pk]
    writing.write([(row.pk, {"ticket_id": ticket.pk}) for row in new])
    for row in new:
        row.ticket_id = ticket.pk
    data = {
        "alerts": [line.alert.pk for line in lines[:_NAMED]],
        "count": len(lines),
        "source": lines[0].source.id,
        "rule": lines[0].alert.rule_id,
        "how": how.value,
        **({"window": lines[0].alert.window_id} if how is How.EXPECTED else {}),
    }
    tickets.record(Verb.ALERTS_JOINED, ticket, actor=actor, now=now, data=data)


def _raise(lines: Iterable[Line], *, actor: Actor, now: datetime) -> None:
    """Alerts got worse: their incidents become as urgent as that; those only shown, or done with, are decided about again."""
    lines = list(lines)
    belonging = {line.alert.ticket_id for line in lines if line.alert.ticket_id}
    is_done = ticket_queries.all_tickets().filter(pk__in=belonging, done_at__isnull=False).values_list("pk", flat=True)
    done = set(is_done) if belonging else set()
    shown = [line for line in lines if line.alert.ticket_id is None or line.alert.ticket_id in done]
    setting = Setting.at(now)
    if shown:
        _route(shown, setting, actor=actor, now=now)
    for line in lines:
        number = line.alert.ticket_id
        if line in shown or number is None:
            continue
        ticket = ticket_queries.ticket(number, is_locked=True)
        found = deciding.decided(line, setting)
        urgency = found.urgency
        if ticket is None or found.quiet is not None or ticket.done_at or ticket.priority_reason or ticket.urgency <= urgency:
            continue
        priority = steps.matrix_for(ticket.organization).priority(ticket.impact, urgency)
        was = ticket.priority
        former = tickets.change(ticket, now=now, guard={"version": ticket.version}, urgency=urgency, priority=priority)
        data = {"from": was, "to": priority, "before": former, "alert": line.alert.pk}
        tickets.record(Verb.PRIORITY_SET, ticket, actor=actor, now=now, data=data)


def clear(numbers: Iterable[int], *, unheard: Collection[int | None] = (), actor: Actor, now: datetime) -> None:
    """Alerts of these tickets are over: where none is left, the incident is over too, as its rule says. `unheard`: tickets of which
    one is over only because nothing more was told of it."""
    wanted = sorted(set(numbers))
    if not wanted:
        return
    left = queries.unsettled(wanted)
    named = queries.rules_of(wanted)
    rules = {rule.number: rule for rule in queries.rules()}
    for number in wanted:
        if number in left:
            continue
        ticket = ticket_queries.ticket(number, is_locked=True)
        if ticket is None or ticket.done_at is not None or ticket.kind != Kind.INCIDENT:
            continue
        rule = rules.get(named.get(number), routing.OTHERWISE)
        _cleared(ticket, rule, is_unheard=number in unheard, actor=actor, now=now)


def _cleared(ticket: Ticket, rule: routing.Rule, *, is_unheard: bool, actor: Actor, now: datetime) -> None:
    how = deciding.ending_of(ticket, rule.on_clear)
    data = {"on_clear": rule.on_clear.value, "how": how.value, "rule": rule.number, "is_unheard": is_unheard}
    tickets.record(Verb.ALERTS_CLEARED, ticket, actor=actor, now=now, data=data)
    if how is Clear.RESOLVE:
        words = _("Monitoring says that it is over.") if not is_unheard else _("Monitoring told nothing of it any more.")
        body_of(moving.resolve)(ticket.pk, code=deciding.BY_ITSELF, resolution=words, actor=actor, now=now)
    elif how is Clear.RESTORE:
        body_of(moving.restore)(ticket.pk, actor=actor, now=now)
