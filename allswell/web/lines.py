"""What the journal says, in words: one line per entry of a ticket's story."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from markupsafe import Markup, escape

from allswell.journal.rules import Verb, others_in
from allswell.sla import wording
from allswell.tickets import dossier
from allswell.tickets.rules import reference

from . import alert_lines, paging_lines, show, words

if TYPE_CHECKING:
    from allswell.journal.models import Entry


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `entry` is its id, `who` the person's name, "" for the program itself."""

    entry: int
    icon: str
    text: Markup
    at: datetime
    is_imported: bool


class Names:
    """Names of what entries point to, looked up all at once."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.wanted: dict[str, set[int]] = defaultdict(set)
        self.found: dict[str, dict[int, str]] = {"person": {}}
        for entry in entries:
            if entry.person is not None:
                self.found["person"][entry.person.pk] = entry.person.name
            self._collect(entry)
        self._is_looked_up = False

    def _collect(self, entry: Entry) -> None:
        """Remember the ids in an entry's data that will be named."""
        kept = entry.data
        self._want("ticket", *others_in(entry.verb, kept))
        if entry.verb in (Verb.ASSIGNED, Verb.UNASSIGNED):
            self._want("person", kept.get("from"), kept.get("to"), kept.get("instead_of"))
        elif entry.verb == Verb.HANDED_OVER:
            self._want("team", kept.get("from"), kept.get("to"))
        elif entry.verb == Verb.ESCALATED:
            self._want("person", kept.get("to"))
        elif entry.verb in (Verb.WATCHED, Verb.UNWATCHED):
            self._want("person", kept.get("person"))
        elif entry.verb in (Verb.TAGGED, Verb.UNTAGGED):
            self._want("tag", kept.get("tag"))
        elif entry.verb == Verb.PAGED:
            self._want("person", *kept.get("persons", ()))
        elif entry.verb == Verb.EDITED:
            for side in ("from", "to"):
                values = kept.get(side)
                if isinstance(values, dict):
                    self._want("service", values.get("service_id"))
                    self._want("category", values.get("category_id"))

    def _want(self, kind: str, *ids: Any) -> None:
        self.wanted[kind].update(value for value in ids if isinstance(value, int))

    def of(self, kind: str, pk: Any) -> Markup:
        """The name of a thing in bold, "nobody" or "nothing" for None."""
        if not isinstance(pk, int):
            return Markup("<b>{}</b>").format(_("nobody") if kind == "person" else _("nothing"))
        name = self._found(kind, pk) or f"#{pk}"
        return Markup("<b>{}</b>").format(words.category(pk, name) if kind == "category" else name)

    def _found(self, kind: str, pk: int) -> str | None:
        known = self.found.setdefault(kind, {})
        if pk not in known and not self._is_looked_up:
            self._is_looked_up = True
            for one, names in dossier.names(self.wanted).items():
                self.found.setdefault(one, {}).update(names)
        return known.get(pk)

    def ticket(self, number: Any) -> Markup:
        """Another ticket by its reference, as a link."""
        kind = self._found("ticket", number)
        return Markup('<a href="/tickets/{}">{}</a>').format(number, reference(kind, number) if kind else f"#{number}")


def _other(kept: dict[str, Any], names: Names) -> Markup:
    """The other ticket of a merge, split or follow-up."""
    for name in ("by", "into", "to", "of", "from"):
        if isinstance(kept.get(name), int):
            return names.ticket(kept[name])
    return Markup("")


def _assigned(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    if kept.get("to") == entry.person_id:
        return show.fill(_("%(who)s took it"), who=who)
    if kept.get("instead_of"):
        return show.fill(
            _("%(who)s gave it to %(to)s, who stands in for %(away)s"),
            who=who,
            to=names.of("person", kept.get("to")),
            away=names.of("person", kept["instead_of"]),
        )
    return show.fill(_("%(who)s gave it to %(to)s"), who=who, to=names.of("person", kept.get("to")))


def _waited(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    on = words.waiting_on(str(kept.get("on", "")))
    until = kept.get("until")
    if isinstance(until, str):
        at = show.clock_text(datetime.fromisoformat(until))
        return show.fill(_("%(who)s put it on hold until %(at)s: %(on)s"), who=who, on=on, at=at)
    return show.fill(_("%(who)s put it on hold: %(on)s"), who=who, on=on)


def _edited(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    before, after = kept.get("from") or {}, kept.get("to") or {}
    parts: list[Markup] = []
    for field in kept.get("fields", []):
        label = words.field(str(field))
        if field in ("service", "category"):
            value = names.of(field, after.get(f"{field}_id"))
            parts.append(show.fill(_("%(field)s to %(value)s"), field=label, value=value))
        elif field in ("impact", "urgency") and field in after:
            word = words.impact if field == "impact" else words.urgency
            parts.append(
                show.fill(
                    _("%(field)s from %(before)s to %(value)s"),
                    field=label,
                    before=word(before.get(field, 0)),
                    value=word(after[field]),
                )
            )
        else:
            parts.append(Markup(str(escape(label))))  # noqa: S704
    if not parts:  # an imported log says that something was touched, not what
        return show.fill(_("%(who)s worked on it"), who=who)
    return show.fill(_("%(who)s changed %(what)s"), who=who, what=Markup(", ").join(parts))


def _linked(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    is_source = "target" in kept
    other = names.ticket(kept.get("target") or kept.get("source"))
    how = words.link(str(kept.get("kind", "")), is_source=is_source)
    if entry.verb == Verb.UNLINKED:
        return show.fill(_("%(who)s took away: %(how)s %(other)s"), who=who, how=how, other=other)
    return show.fill(_("%(who)s linked: %(how)s %(other)s"), who=who, how=how, other=other)


def _watched(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    person = names.of("person", kept.get("person"))
    kind = kept.get("kind")
    if entry.verb == Verb.UNWATCHED:
        return show.fill(_("%(who)s took %(person)s off"), who=who, person=person)
    if kind == "participant":
        return show.fill(_("%(who)s put %(person)s in copy"), who=who, person=person)
    if kind == "named":
        return show.fill(_("%(who)s let %(person)s see it"), who=who, person=person)
    if kind == "affected":
        return show.fill(_("%(person)s is affected too"), person=person)
    if kept.get("person") == entry.person_id:
        return show.fill(_("%(who)s follows it"), who=who)
    return show.fill(_("%(who)s added %(person)s as a watcher"), who=who, person=person)


def _priority(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    values = {"who": who, "before": f"P{kept.get('from')}", "after": f"P{kept.get('to')}"}
    if entry.verb == Verb.PRIORITY_OVERRIDDEN:
        return show.fill(_("%(who)s set the priority by hand from %(before)s to %(after)s"), **values)
    if kept.get("is_override_dropped"):
        return show.fill(_("The priority is worked out again: %(before)s to %(after)s"), **values)
    return show.fill(_("Priority from %(before)s to %(after)s"), **values)


def _handed_over(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    values = {"who": who, "before": names.of("team", kept.get("from")), "after": names.of("team", kept.get("to"))}
    if kept.get("returns"):
        return show.fill(_("%(who)s handed it back from %(before)s to %(after)s"), **values)
    return show.fill(_("%(who)s handed it over from %(before)s to %(after)s"), **values)


def _resolved(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    if kept.get("parent"):
        return show.fill(_("Resolved together with %(other)s"), other=names.ticket(kept["parent"]))
    return show.fill(_("%(who)s resolved it: %(code)s"), who=who, code=words.code(str(kept.get("code", ""))))


def _clock(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    due = kept.get("due_at")
    at = show.clock_text(datetime.fromisoformat(due)) if isinstance(due, str) else ""
    metric = wording.metric(str(kept.get("metric", "")))
    said = (
        _("%(metric)s is due %(at)s") if entry.verb == Verb.CLOCK_WARNED else _("%(metric)s is past its time: it was due %(at)s")
    )
    why = Markup(' <a href="/tickets/{}/why">{}</a>').format(entry.ticket_id, _("Why?"))
    return show.fill(said, metric=metric, at=at) + why


def _recounted(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
    """Clocks that were worked out again: because of what, and which promise moved from when to when."""
    because, moved = kept.get("because") or {}, kept.get("moved") or []
    if not moved:
        return show.fill(_("The clocks were worked out again"))
    if "organization" in because:
        said = _("The organization belongs elsewhere now: %(moves)s")
    else:
        said = _("A calendar has changed: %(moves)s") if "calendar" in because else _("What is agreed has changed: %(moves)s")
    told = [_moved(one) for one in moved[:3]] + (["…"] if len(moved) > 3 else [])
    why = Markup(' <a href="/tickets/{}/why">{}</a>').format(entry.ticket_id, _("Why?"))
    return show.fill(said, moves="; ".join(told)) + why


def _moved(one: dict[str, Any]) -> str:
    before, after = (show.clock_text(datetime.fromisoformat(at)) if at else "" for at in (one.get("from"), one.get("to")))
    said = {
        (True, True): _("%(metric)s is due %(after)s, no longer %(before)s"),
        (True, False): _("%(metric)s is not due %(before)s any more"),
        (False, True): _("%(metric)s is due %(after)s"),
    }
    template = said.get((bool(before), bool(after)), "%(metric)s")
    return template % {"metric": wording.metric(str(one.get("metric", ""))), "before": before, "after": after}


def _simple(template: str) -> Callable[[dict[str, Any], Markup, Names, Entry], Markup]:
    """A sentence with only `%(who)s` and, where named, the code, score or tag of the entry."""

    def said(kept: dict[str, Any], who: Markup, names: Names, entry: Entry) -> Markup:
        return show.fill(
            _(template),
            who=who,
            reason=words.code(str(kept.get("reason", ""))),
            score=kept.get("to", ""),
            tag=names.of("tag", kept.get("tag")) if "tag" in kept else "",
            other=_other(kept, names) if "%(other)s" in template else "",
        )

    return said


_SAYINGS: dict[Verb, tuple[str, Callable[[dict[str, Any], Markup, Names, Entry], Markup]]] = {
    Verb.ACKNOWLEDGED: ("eye", _simple(N_("%(who)s started to work on it"))),
    Verb.ASSIGNED: ("user-check", _assigned),
    Verb.UNASSIGNED: ("user-off", _simple(N_("%(who)s gave it back; nobody has it"))),
    Verb.HANDED_OVER: ("transfer", _handed_over),
    Verb.ESCALATED: (
        "arrow-up-right",
        lambda kept, who, names, entry: show.fill(
            _("%(who)s escalated it to %(to)s"), who=who, to=names.of("person", kept.get("to"))
        ),
    ),
    Verb.WAITED: ("player-pause", _waited),
    Verb.RESUMED: ("player-play", _simple(N_("%(who)s goes on with it"))),
    Verb.RESTORED: ("heartbeat", _simple(N_("%(who)s: the service works again"))),
    Verb.RESOLVED: ("circle-check", _resolved),
    Verb.FULFILLED: ("circle-check", _simple(N_("%(who)s fulfilled it"))),
    Verb.CONFIRMED: ("thumb-up", _simple(N_("%(who)s confirmed that it is solved"))),
    Verb.REOPENED: ("rotate-clockwise", _simple(N_("%(who)s reopened it"))),
    Verb.CLOSED: ("archive", _simple(N_("%(who)s closed it"))),
    Verb.CANCELLED: ("ban", _simple(N_("%(who)s cancelled it: %(reason)s"))),
    Verb.FOLLOWED_UP: ("arrow-forward-up", _simple(N_("%(who)s opened a follow-up: %(other)s"))),
    Verb.RATED: ("star", _simple(N_("%(who)s rated it %(score)s of 5"))),
    Verb.EDITED: ("edit", _edited),
    Verb.PRIORITY_SET: ("flag", _priority),
    Verb.PRIORITY_OVERRIDDEN: ("flag", _priority),
    Verb.REFILED: (
        "replace",
        lambda kept, who, names, entry: show.fill(
            _("%(who)s made it a different kind: %(kind)s"), who=who, kind=words.kind(str(kept.get("to", "")))
        ),
    ),
    Verb.RESTRICTED: ("lock", _simple(N_("%(who)s restricted it to its team and named people"))),
    Verb.UNRESTRICTED: ("lock-open", _simple(N_("%(who)s opened it to the desk again"))),
    Verb.ATTACHED: ("paperclip", _simple(N_("%(who)s added a file"))),
    Verb.DETACHED: ("paperclip", _simple(N_("%(who)s removed a file"))),
    Verb.TAGGED: ("tag", _simple(N_("%(who)s added the tag %(tag)s"))),
    Verb.UNTAGGED: ("tag", _simple(N_("%(who)s removed the tag %(tag)s"))),
    Verb.WATCHED: ("eye", _watched),
    Verb.UNWATCHED: ("eye-off", _watched),
    Verb.LINKED: ("link", _linked),
    Verb.UNLINKED: ("link-off", _linked),
    Verb.MERGED: ("arrows-join", _simple(N_("%(who)s merged it with %(other)s"))),
    Verb.UNMERGED: ("arrows-split", _simple(N_("%(who)s took the merge with %(other)s back"))),
    Verb.SPLIT: ("arrows-split", _simple(N_("%(who)s split it: %(other)s"))),
    Verb.UNDONE: ("arrow-back-up", _simple(N_("%(who)s took the last step back"))),
    Verb.IMPORTED: ("file-import", _simple(N_("Imported from another desk"))),
    Verb.ANNOUNCED: ("speakerphone", _simple(N_("%(who)s announced it to everybody affected"))),
    Verb.ANNOUNCEMENT_UPDATED: ("speakerphone", _simple(N_("%(who)s updated the announcement"))),
    Verb.ANNOUNCEMENT_ENDED: ("speakerphone", _simple(N_("%(who)s ended the announcement"))),
    Verb.CLOCK_WARNED: ("clock", _clock),
    Verb.CLOCK_BREACHED: ("alert-triangle", _clock),
    Verb.CLOCKS_REPLAYED: ("clock", _recounted),
    Verb.AFFECTED: ("hand-stop", _simple(N_("%(who)s is affected too"))),
    **paging_lines.SAYINGS,
    **alert_lines.SAYINGS,
}
#: shown as messages of their own, or as the beginning
_SILENT = {Verb.REPLIED, Verb.NOTED, Verb.INCIDENT_REPORTED, Verb.REQUEST_MADE}


def of(entries: list[Entry]) -> list[Line]:
    """The lines of a ticket's story, oldest first; what is a message or the beginning is left to its own place."""
    names = Names(entries)
    took = {entry.action for entry in entries if entry.verb == Verb.ASSIGNED}
    spoke = {entry.action for entry in entries if entry.verb == Verb.REPLIED}
    lines = []
    for entry in alert_lines.gathered(entries):
        if entry.verb in _SILENT or (entry.verb == Verb.ACKNOWLEDGED and entry.action in took | spoke):
            continue
        found = _SAYINGS.get(Verb(entry.verb))
        if found is None:
            continue
        icon, say = found
        who = names.of("person", entry.person_id) if entry.person_id else Markup("<b>{}</b>").format(_by(entry))
        lines.append(Line(entry.pk, icon, say(entry.data, who, names, entry), entry.happened_at, entry.actor_kind == "import"))
    return lines


def _by(entry: Entry) -> str:
    return {"engine": _("Allswell"), "import": _("The other desk"), "setup": _("The operator")}.get(
        entry.actor_kind, _("Allswell")
    )
