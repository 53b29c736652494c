"""Folding reports into alerts: many reports of one thing make one change of one row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from allswell.intake.operations import alerts as writing
from allswell.intake.parsers.alerts.shape import Action, AlertReport
from allswell.intake.queries import alerts as queries
from allswell.intake.queries.alerts import Known
from allswell.intake.rules import standing
from allswell.intake.rules.standing import Change, Standing, State

if TYPE_CHECKING:
    from allswell.intake.models import Alert

    from .reading import Read

Key = tuple[int, str]
_WORDS = frozenset({Change.FIRED, Change.REPEATED, Change.WORSENED, Change.EASED})


@dataclass(slots=True)
class Line:
    """One alert while it is folded: its row (None before it is written), how it stood and stands, and what its sender says."""

    source: Known
    key: str
    row: Alert | None = None
    before: Standing | None = None
    now: Standing | None = None
    said: AlertReport | None = None
    raw: int | None = None
    changes: set[Change] = field(default_factory=set)
    episodes: list[Standing] = field(default_factory=list)  # as each stood when it ended
    is_test: bool = False

    @property
    def alert(self) -> Alert:
        """The row, once it is written."""
        assert self.row is not None
        return self.row

    @property
    def has_fired(self) -> bool:
        """Whether it fires now and did not before."""
        was_firing = self.before is not None and self.before.state is State.FIRING
        return self.now is not None and self.now.state is State.FIRING and (not was_firing or Change.FIRED in self.changes)

    @property
    def has_cleared(self) -> bool:
        """Whether it fired before, and is over now."""
        was_firing = self.before is not None and self.before.state is State.FIRING
        return was_firing and self.now is not None and self.now.state is State.RESOLVED

    @property
    def is_answered(self) -> bool:
        """Whether somebody acknowledged it at its source just now, while it fires."""
        was_open = self.before is None or self.before.acknowledged_at is None or self.before.episode != self.alert.episode
        return was_open and self.now is not None and self.now.state is State.FIRING and self.now.acknowledged_at is not None

    @property
    def has_worsened(self) -> bool:
        """Whether it fires on, and is worse than before."""
        return Change.WORSENED in self.changes and not self.has_fired and self.now is not None and self.now.state is State.FIRING


@dataclass(frozen=True, slots=True)
class Drafted:
    """What there is to write: the lines that changed, those that are new, and columns of those that are there."""

    changed: list[Line]
    fresh: list[Line]
    updates: list[tuple[int, dict[str, Any]]]


class Fold:
    """Alerts while reports about them are taken, in the order in which they came."""

    def __init__(self) -> None:
        self.lines: dict[Key, Line] = {}
        self.beats: list[tuple[Known, AlertReport, datetime]] = []
        self.notes: list[tuple[Known, AlertReport]] = []
        self.told_changes: list[tuple[Known, AlertReport, datetime]] = []

    def load(self, rows: Iterable[Alert], sources: dict[int, Known]) -> list[Line]:
        """Take up alerts that are there."""
        found = []
        for row in rows:
            key = (row.source_id, row.key)
            if key not in self.lines:
                stands = queries.standing(row)
                self.lines[key] = Line(sources[row.source_id], row.key, row, stands, stands)
            found.append(self.lines[key])
        return found

    def take_all(self, reads: Iterable[Read]) -> None:
        """Take the reports of requests."""
        reads = list(reads)
        sources = {one.source.id: one.source for one in reads}
        wanted = {(one.source.id, report.key) for one in reads for report in one.reports}
        self.load(queries.by_keys(wanted).values(), sources)
        lists = [one for one in reads if one.reports and one.reports[-1].lists_group]
        unheard = self._unheard(lists) if lists else {}
        for one in reads:
            for report in one.reports:
                self._take(one.source, report, received_at=one.received_at, raw=one.raw)
            if unheard and one.reports and one.reports[-1].lists_group:
                self._leave_out(one, unheard)

    def _take(self, source: Known, report: AlertReport, *, received_at: datetime, raw: int | None) -> None:
        if report.action is Action.HEARTBEAT:
            self.beats.append((source, report, received_at))
            return
        if report.action is Action.CHANGE:
            self.told_changes.append((source, report, received_at))
        if report.action is Action.NOTE:
            self.notes.append((source, report))
        if report.action not in (Action.FIRE, Action.RESOLVE, Action.ACKNOWLEDGE):
            return
        if report.resolves_group and report.group:
            self._end_group(source, report, received_at=received_at)
        line = self.lines.get((source.id, report.key)) or Line(source, report.key)
        was = line.now
        stands, change = standing.take(was, report, received_at=received_at)
        if stands is None:
            return
        self.lines[source.id, report.key] = line
        self._note(line, stands, change)
        is_newest = was is None or stands.last_at != was.last_at
        if change is Change.FIRED or (change in _WORDS and is_newest):
            line.said, line.raw, line.is_test = report, raw, report.is_test

    def _end_group(self, source: Known, report: AlertReport, *, received_at: datetime) -> None:
        at = standing.instant_of(report, received_at=received_at)
        self.load(queries.firing_of_group(source.id, report.group), {source.id: source})
        for line in list(self.lines.values()):
            group = line.said.group if line.said else line.row.group if line.row else ""
            if line.source.id != source.id or group != report.group or line.now is None or line.key == report.key:
                continue
            if line.now.state is State.FIRING and line.now.since_at <= at:
                self._note(line, standing.end(line.now, at=at, received_at=received_at, by="group"), Change.RESOLVED)

    @staticmethod
    def _unheard(lists: list[Read]) -> dict[Key, Alert]:
        """What fires of groups that messages name all of, and was not heard of for a while."""
        groups: dict[int, set[str]] = defaultdict(set)
        for one in lists:
            groups[one.source.id].add(one.reports[-1].group)
        named = {(one.source.id, report.key) for one in lists for report in one.reports}
        since = max(one.received_at for one in lists) - standing.LEFT_OUT_FOR
        keys = {(source, key) for source, some in groups.items() for key in queries.unheard(source, some, since=since)}
        return queries.by_keys(keys - named)

    def _leave_out(self, one: Read, unheard: dict[Key, Alert]) -> None:
        """A message names all that fires of its group; `unheard` may be over."""
        told = one.reports[-1]
        for key, row in unheard.items():
            if row.source_id != one.source.id or row.group != told.group:
                continue
            line = self.lines.get(key)
            stood = line.now if line is not None else queries.standing(row)
            if stood is None:
                continue
            stands, change = standing.leave_out(stood, by=told.told_by, received_at=one.received_at)
            if stands != stood:
                (line,) = self.load([row], {one.source.id: one.source})
                self._note(line, stands, change)

    def end(self, line: Line, *, at: datetime, by: str, now: datetime) -> None:
        """An alert is over without a word of its sender's."""
        if line.now is not None and line.now.state is State.FIRING:
            self._note(line, standing.end(line.now, at=at, received_at=now, by=by), Change.RESOLVED)

    def calm(self, line: Line) -> None:
        """An alert flaps no more."""
        if line.now is not None:
            line.now = standing.calm(line.now)

    @staticmethod
    def _note(line: Line, stands: Standing, change: Change) -> None:
        line.now = stands
        line.changes.add(change)
        if change is Change.RESOLVED:
            line.episodes.append(stands)

    def drafted(self) -> Drafted:
        """What came of it, put into the rows but not yet written."""
        changed = [line for line in self.lines.values() if line.now is not None and line.now != line.before]
        fresh = [line for line in changed if line.row is None]
        for line in fresh:
            line.row = writing.new_alert(line.source.id, line.key, columns=_columns(line), raw=line.raw)
        updates = []
        for line in changed:
            if line.before is not None and (values := _differing(line)):
                updates.append((line.alert.pk, values))
                for name, value in values.items():
                    setattr(line.row, name, value)
        return Drafted(changed, fresh, updates)

    def write(self) -> list[Line]:
        """Write what came of it; the lines that changed."""
        draft = self.drafted()
        writing.create([line.alert for line in draft.fresh])
        writing.write(draft.updates)
        self._write_episodes(draft.changed)
        return draft.changed

    @staticmethod
    def _write_episodes(changed: list[Line]) -> None:
        """An episode of each that fired, and the end of each that is over; within one batch there may be several."""
        begun, ended = [], []
        for line in changed:
            known = line.before.episode if line.before is not None else 0
            stood = [*line.episodes, *([line.now] if line.now is not None else [])]
            seen = {known}
            for one in stood:
                if one.episode not in seen:
                    begun.append((line.alert.pk, one))
                    seen.add(one.episode)
            ended += [(line.alert, one) for one in line.episodes]
        writing.begin_episodes(begun)
        writing.end_episodes(ended)


def _columns(line: Line) -> dict[str, Any]:
    assert line.now is not None
    said = writing.words_of(line.said) if line.said is not None else {}
    stale_at = standing.stale_at(line.now, key=line.key, ends_after=line.source.ends_after)
    return {**writing.columns_of(line.now), "stale_at": stale_at, **said}


def _differing(line: Line) -> dict[str, Any]:
    values = {name: value for name, value in _columns(line).items() if getattr(line.row, name) != value}
    if line.raw is not None:
        values["raw"] = line.raw
    return values
