"""The words of notices, in the language that is active when they are asked for. User text is set in as it is, never interpreted."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from . import blind_wording, shift_wording
from .instants import when
from .letters import Letter, Matter, Said
from .rules import SHIFT_TOPICS, Passed, Topic

__all__ = ["ACCOUNT", "after", "due", "sentence", "subject", "when"]

#: mails about a person's own sign-in, or that they cannot write to us: key -> (subject, sentence before the link, sentence after it)
ACCOUNT = {
    "password": (
        N_("Choose a new password"),
        N_("Somebody, we hope you, asked to set a new password for your account. Open this address within one hour:"),
        N_("If it was not you, do nothing; your password stays as it is."),
    ),
    "invitation": (
        N_("Your account is ready"),
        N_("An account was made for you. Choose your password here:"),
        N_("Everything you report and everything that is answered is found there."),
    ),
    "contacts": (
        N_("Ways to reach you were added"),
        N_("An administrator has added ways by which pages could reach you. Nothing goes there until you show that they work:"),
        N_("Remove there what is not yours."),
    ),
    "refused": (
        N_("Your mail was not taken"),
        N_('Your mail "%(title)s" to %(to)s was not taken: only people who are known there can write to it. Nobody has read it.'),
        N_("If you should be known there, ask whom you work with there to add your address."),
    ),
    "address": (
        N_("Confirm your address"),
        N_("Open this address to confirm that this mailbox is yours:"),
        N_("If you do not know what this is about, do nothing."),
    ),
}

_STATES = {
    "ticket.waited": N_("We wait for your answer."),
    "ticket.resumed": N_("We go on working on it."),
    "incident.restored": N_("It works again. The cause is still being looked at."),
    "ticket.resolved": N_("It is solved. If it is not, answer in the ticket and it is open again."),
    "request.fulfilled": N_("It is done. If something is missing, answer in the ticket and it is open again."),
    "ticket.reopened": N_("It is open again."),
    "ticket.closed": N_("It is closed."),
    "ticket.cancelled": N_("It was cancelled."),
}
_ACTS = {
    "incident.reported": N_("%(who)s reported it."),
    "request.made": N_("%(who)s asked for it."),
    "ticket.assigned": N_("%(who)s assigned it."),
    "ticket.handed_over": N_("%(who)s handed it over to another team:"),
    "ticket.escalated": N_("%(who)s escalated it:"),
    "ticket.replied": N_("%(who)s wrote:"),
    "ticket.noted": N_("%(who)s wrote a note:"),
    "ticket.resolved": N_("%(who)s resolved it."),
    "request.fulfilled": N_("%(who)s fulfilled it."),
    "ticket.reopened": N_("%(who)s reopened it."),
    "ticket.closed": N_("%(who)s closed it."),
    "ticket.cancelled": N_("%(who)s cancelled it."),
    "ticket.watched": N_("%(who)s put you in copy: you read what is answered and can answer yourself."),
    "ticket.merged": N_("%(who)s merged it with another."),
}
#: metric -> its time is nearly up, its time has passed
_CLOCKS = {
    "acknowledgement": (N_("Somebody has to take this soon."), N_("Nobody took this in the promised time.")),
    "first_response": (N_("The first answer is due soon."), N_("The first answer was not given in the promised time.")),
    "next_update": (N_("The next update is due soon."), N_("The next update was not given in the promised time.")),
    "restoration": (N_("The service has to work again soon."), N_("The service does not work again in the promised time.")),
    "resolution": (N_("It has to be resolved soon."), N_("It was not resolved in the promised time.")),
    "fulfilment": (N_("It has to be fulfilled soon."), N_("It was not fulfilled in the promised time.")),
    "team_time": (N_("The team's time for this is nearly up."), N_("The team has held this longer than agreed.")),
}
_ANNOUNCED = {
    "announced": N_("We know about this and work on it:"),
    "updated": N_("There is news:"),
    "ended": N_("This is over:"),
    "works_again": N_("This works again:"),
    "withdrawn": N_("This announcement was taken down:"),
}


def subject(letter: Letter) -> str:
    """The subject line: "[INC-1042] Account look-up is down", or how many tickets a digest is about."""
    matter, said = letter.parts[0]
    if said[0].topic is Topic.ACCOUNT:
        return _(ACCOUNT.get(str(said[0].facts.get("subject")), ACCOUNT["address"])[0])
    if said[0].topic is Topic.JOB and said[0].facts.get("subject") == "clocks":
        return _("The clocks were counted again")
    if said[0].topic is Topic.JOB and said[0].facts.get("subject") == "what_if":
        return _("What if: the answer is there")
    if said[0].topic is Topic.JOB and matter is None:
        return _("The change of many tickets is done")
    if said[0].topic is Topic.REPORT:
        return str(said[0].facts.get("title", ""))
    if said[0].topic is Topic.DIGEST:
        return _("Promises whose time has passed")
    if said[0].topic is Topic.BLIND:
        return blind_wording.sentence(said[0].facts)
    if said[0].topic in SHIFT_TOPICS:
        return shift_wording.subject(said[0])
    if len(letter.parts) > 1:
        return ngettext("News about %(count)s ticket", "News about %(count)s tickets", len(letter.parts)) % {
            "count": len(letter.parts)
        }
    if matter is None:
        return str(said[0].facts.get("title") or _("News from the service desk"))
    return f"[{matter.reference}] {matter.title}"


def sentence(said: Said, matter: Matter | None) -> str:
    """What happened, in one sentence; ends in a colon when the person's own words follow."""
    who = said.who or _("Allswell")
    names = {"who": who, "reference": matter.reference if matter else ""}
    if said.topic is Topic.ACCOUNT:
        named = {"title": said.facts.get("title", ""), "to": said.facts.get("to", "")}
        return _(ACCOUNT.get(str(said.facts.get("subject")), ACCOUNT["address"])[1]) % named
    if said.topic is Topic.JOB:
        return _job(said)
    if said.topic is Topic.REPORT:
        return _("This is the report you asked for: %(title)s.") % {"title": said.facts.get("title", "")}
    if said.topic is Topic.BLIND:
        return blind_wording.sentence(said.facts)
    if said.topic in SHIFT_TOPICS:
        return shift_wording.sentence(said)
    if said.topic is Topic.DIGEST:
        return _passed(Passed.from_json(said.facts))
    if said.topic in (Topic.WARNED, Topic.BREACHED):
        return _(_CLOCKS.get(str(said.facts.get("metric")), _CLOCKS["resolution"])[said.topic is Topic.BREACHED])
    if said.topic is Topic.RECEIVED:
        return _("We have received this. Its number is %(reference)s.") % names
    if said.topic is Topic.ANNOUNCED:
        return _(_ANNOUNCED.get(str(said.facts.get("step")), _ANNOUNCED["updated"]))
    if said.topic is Topic.ASSIGNED:
        return _("%(who)s assigned this to you.") % names
    if said.topic is Topic.TEAM:
        return _("This came to your team. %(who)s says why:") % names if said.body else _("This came to your team.")
    if said.topic is Topic.MENTIONED:
        return _("%(who)s mentioned you in a note:") % names
    if said.topic is Topic.ESCALATED:
        return _("%(who)s escalated this to you:") % names
    if said.topic is Topic.STATE and said.verb in _STATES:
        return _(_STATES[said.verb])
    return _(_ACTS.get(said.verb, N_("%(who)s changed it."))) % names


def _job(said: Said) -> str:
    """How many tickets a change of many changed: to who asked for it, or to one of those it touched ("by" says who asked)."""
    count = int(said.facts.get("changed") or 0)
    if said.facts.get("subject") == "clocks":
        return ngettext(
            "After your change, %(count)s ticket is due at another time.",
            "After your change, %(count)s tickets are due at other times.",
            count,
        ) % {"count": count}
    if said.facts.get("subject") == "what_if":
        return ngettext(
            "Under the other terms %(count)s promise would have fared otherwise.",
            "Under the other terms %(count)s promises would have fared otherwise.",
            count,
        ) % {"count": count}
    if said.facts.get("by"):
        return ngettext(
            "%(count)s ticket of yours was changed together with others.",
            "%(count)s tickets of yours were changed at once.",
            count,
        ) % {"count": count}
    text = ngettext("%(count)s ticket was changed.", "%(count)s tickets were changed.", count) % {"count": count}
    if failed := int(said.facts.get("problems") or 0):
        text += " " + _("%(count)s could not be changed; the job says why.") % {"count": failed}
    return text


def _passed(news: Passed) -> str:
    """What passed while nobody could be told: how much, and on which tickets."""
    parts = []
    if news.breached:
        text = ngettext(
            "While nobody could be told, the time of %(count)s promise passed.",
            "While nobody could be told, the time of %(count)s promises passed.",
            news.breached,
        )
        parts.append(text % {"count": news.breached})
    if news.warned:
        text = ngettext(
            "The time of %(count)s promise is nearly up.", "The time of %(count)s promises is nearly up.", news.warned
        )
        parts.append(text % {"count": news.warned})
    if news.tickets:
        parts.append(", ".join(news.tickets) + (" …" if news.more else ""))
    return " ".join(parts)


def due(said: Said, *, locale: str, zone: str) -> str:
    """When the time of the promise told of is up; "" for other news."""
    until = said.facts.get("due_at")
    if said.topic not in (Topic.WARNED, Topic.BREACHED) or not isinstance(until, str):
        return ""
    return _("Due %(when)s") % {"when": when(datetime.fromisoformat(until), locale=locale, zone=zone)}


def after(said: Said) -> str:
    """A last sentence below the link of a mail about the account; "" elsewhere."""
    if said.topic is Topic.ACCOUNT:
        return _(ACCOUNT.get(str(said.facts.get("subject")), ACCOUNT["address"])[2])
    return ""
