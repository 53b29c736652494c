"""How an alert stands after a report: fired, repeated, worse, over, flapping. Pure.

An alert is one thing a source tells of by one key. Reports come more than once, late and in the wrong order; each has its own
instant by the sender's clock, and what is older than what is known changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from allswell.intake.parsers.alerts.shape import Action, AlertReport, Severity


class State(StrEnum):
    """How an alert stands."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Change(StrEnum):
    """What a report changed."""

    FIRED = "fired"
    REPEATED = "repeated"
    WORSENED = "worsened"
    EASED = "eased"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    IGNORED = "ignored"


#: so many turns within so long are flapping, and so long without one ends it (Nagios and Icinga judge by the last 20 checks; a
#: source that does not say so itself is judged by this)
FLAPS = 4
FLAPS_WITHIN = timedelta(minutes=30)
CALM_AFTER = timedelta(minutes=15)
#: what its source calls flapping is so until the source says otherwise, or this long after its last word: that one may be lost
SAID_CALM_AFTER = timedelta(hours=4)
#: how many turns are remembered
_TURNS = 10
#: so far ahead of ours a sender's clock may be; what is further ahead is taken to be now
_AHEAD = timedelta(minutes=2)
#: what names no instant but its beginning, and comes so long after the end was heard of, is no repeat that was held up on its way
_HELD_UP = timedelta(minutes=5)

#: so long nothing was told of an alert when messages that name all of its group begin to count against it, and so long they must go on:
#: an Alertmanager that was started again names a part at first. Another teller of the same group may know a part only, for good
LEFT_OUT_FOR = timedelta(minutes=5)
LEFT_OUT_BY_OTHERS_FOR = timedelta(days=1)

#: so begin the keys of alerts that we raise ourselves when a heartbeat is missing: of those nobody tells until it is heard of
HEARTBEAT = "heartbeat: "

RANK = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alert stands; the columns of `Alert` of the same names. Instants are aware."""

    state: State
    severity: Severity
    started_at: datetime
    since_at: datetime
    last_at: datetime
    seen_at: datetime
    episode: int = 1
    count: int = 1
    total: int = 1
    resolved_at: datetime | None = None
    ended_by: str = ""
    lease_until: datetime | None = None
    turns: tuple[datetime, ...] = ()
    is_flapping: bool = False
    calm_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    told_by: str = ""
    left_out_at: datetime | None = None


def instant_of(report: AlertReport, *, received_at: datetime) -> datetime:
    """When what is told happened: by the sender's clock unless that is ahead of ours."""
    told = report.ended_at if report.action is Action.RESOLVE and report.ended_at else report.happened_at
    if told is None or told > received_at + _AHEAD:
        return received_at
    return told


def take(known: Standing | None, report: AlertReport, *, received_at: datetime) -> tuple[Standing | None, Change]:
    """How an alert stands after a report, and what that changed. None: still nothing is known of it."""
    at = instant_of(report, received_at=received_at)
    if report.action is Action.FIRE:
        return _fire(known, report, at=at, received_at=received_at)
    if known is None:
        return None, Change.IGNORED
    if report.action is Action.RESOLVE:
        return _resolve(known, report, at=at, received_at=received_at)
    if report.action is Action.ACKNOWLEDGE and known.state is State.FIRING:
        taken = replace(known, acknowledged_at=at, acknowledged_by=report.by[:120], seen_at=received_at)
        return taken, Change.ACKNOWLEDGED
    return known, Change.IGNORED


def _fire(known: Standing | None, report: AlertReport, *, at: datetime, received_at: datetime) -> tuple[Standing, Change]:
    began = report.started_at if report.started_at and report.started_at <= at else at
    if known is None:
        new = Standing(State.FIRING, report.severity, began, began, at, received_at, lease_until=report.lease_until, turns=(at,))
        new = replace(new, told_by=report.told_by)
        return _marked(new, report, at=at), Change.FIRED
    counted = replace(known, count=known.count + 1, total=known.total + 1, seen_at=received_at, left_out_at=None)
    counted = replace(counted, told_by=report.told_by) if report.told_by != known.told_by else counted
    if known.state is State.RESOLVED:
        if known.resolved_at is not None and not _is_again(known, report, at=at, began=began, received_at=received_at):
            return counted, Change.IGNORED  # late: a repeat of what is over
        again = replace(
            counted,
            state=State.FIRING,
            severity=report.severity,
            started_at=max(began, known.resolved_at or began),
            since_at=max(began, known.since_at),
            last_at=at,
            episode=known.episode + 1,
            count=1,
            resolved_at=None,
            ended_by="",
            lease_until=report.lease_until,
            turns=_turned(known.turns, at),
            acknowledged_at=None,
            acknowledged_by="",
        )
        return _marked(again, report, at=at), Change.FIRED
    if at < known.last_at:
        return counted, Change.REPEATED  # late: it counts, and what is newer stands
    lease = max(filter(None, (known.lease_until, report.lease_until)), default=None)
    newest = replace(counted, severity=report.severity, last_at=at, since_at=max(known.since_at, began), lease_until=lease)
    newest = _marked(newest, report, at=at)
    if RANK[report.severity] < RANK[known.severity]:
        return newest, Change.WORSENED
    return newest, Change.EASED if RANK[report.severity] > RANK[known.severity] else Change.REPEATED


def _is_again(known: Standing, report: AlertReport, *, at: datetime, began: datetime, received_at: datetime) -> bool:
    """Whether it fires after its end. Many senders tell whole seconds: within the same one, what began later than the last time did.

    Some tell when it began and nothing else, the same through a whole outage: where its lease ran out, a later lease says that it fires
    still; where it was called over, it fires again unless this may be what was sent before, held up on its way. Where messages of its
    group left it out, or nothing was told of it for too long, a message that names it again says that it fires.
    """
    if known.ended_by in ("left_out", "unheard"):
        return received_at > known.seen_at
    ended = known.resolved_at or known.last_at
    if at > ended or (at == ended and began > known.since_at):
        return True
    if known.ended_by == "lease" and report.lease_until is not None:
        return report.lease_until > ended
    if at == received_at:  # it tells no instant, so that it is now; its end was told by a clock ahead of ours
        return ended > received_at
    return at == report.started_at and received_at >= known.seen_at + _HELD_UP


def _resolve(known: Standing, report: AlertReport, *, at: datetime, received_at: datetime) -> tuple[Standing, Change]:
    if at == received_at:  # it tells no instant: it came after all that is known, also after what a clock ahead of ours told
        at = max(at, known.since_at)
    if known.state is State.RESOLVED or at < known.since_at:
        return _marked(known, report, at=at), Change.IGNORED  # over already, or the end of an earlier episode
    return _marked(end(known, at=at, received_at=received_at, by="sender"), report, at=at), Change.RESOLVED


def end(known: Standing, *, at: datetime, received_at: datetime, by: str) -> Standing:
    """The episode is over since `at`: the sender said so ("sender"), its group is ("group"), messages of its
    group leave it out ("left_out"), its lease is over ("lease"), or nothing more was told of it ("unheard")."""
    return _marked(
        replace(
            known,
            state=State.RESOLVED,
            resolved_at=max(at, known.started_at),
            last_at=max(at, known.last_at),
            seen_at=received_at,
            ended_by=by,
            lease_until=None,
            left_out_at=None,
            turns=_turned(known.turns, at),
        ),
        None,
        at=at,
    )


def leave_out(known: Standing, *, by: str, received_at: datetime) -> tuple[Standing, Change]:
    """How an alert stands after a message that names all that fires of its group, but not this: the word of its end may be lost.

    Such a message has no instant of its own. So one alone ends nothing: it must be the second, long enough after the first, and
    nothing may have been told of the alert for as long before that.
    """
    patience = LEFT_OUT_FOR if by == known.told_by else LEFT_OUT_BY_OTHERS_FOR
    if known.state is not State.FIRING or received_at < known.seen_at + patience:
        return known, Change.IGNORED
    if known.left_out_at is None:
        return replace(known, left_out_at=received_at), Change.IGNORED
    if received_at < known.left_out_at + LEFT_OUT_FOR:
        return known, Change.IGNORED
    return end(known, at=known.left_out_at, received_at=received_at, by="left_out"), Change.RESOLVED


def stale_at(known: Standing, *, key: str, ends_after: int | None) -> datetime | None:
    """When it ends because nothing more was told of it for so many hours; None: never."""
    if ends_after is None or known.state is not State.FIRING or key.startswith(HEARTBEAT):
        return None
    return known.seen_at + timedelta(hours=ends_after)


def calm(known: Standing) -> Standing:
    """It has not turned for a while: it flaps no more, and stands as it last said."""
    return replace(known, is_flapping=False, calm_at=None, turns=())


def _turned(turns: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
    return (*turns, at)[-_TURNS:]


def _marked(standing: Standing, report: AlertReport | None, *, at: datetime) -> Standing:
    """Whether it flaps now: as the sender says; else by how often it turned lately. Each turn puts its calm off."""
    if report is not None and report.is_flapping is False:
        return calm(standing)
    lately = [turn for turn in standing.turns if turn > at - FLAPS_WITHIN]
    said = report is not None and report.is_flapping is True
    if said or len(lately) > FLAPS or standing.is_flapping:
        turned = standing.turns[-1] if standing.turns else at
        return replace(standing, is_flapping=True, calm_at=max(turned, at) + SAID_CALM_AFTER if said else turned + CALM_AFTER)
    return standing
