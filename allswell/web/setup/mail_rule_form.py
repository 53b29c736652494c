"""The form of a mail rule: what was typed, what it means, and what a rule says in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from allswell.intake.rules.mail_rules import Rule, RuleAct
from allswell.kernel.errors import DeskError
from allswell.web import inputs, words
from allswell.web.pages import field_errors

if TYPE_CHECKING:
    from allswell.intake.models import InboundMessage

ACTS = {
    RuleAct.TAKE: N_("It opens a ticket"),
    RuleAct.HOLD: N_("It waits for a decision"),
    RuleAct.IGNORE: N_("Nothing: it is only kept"),
    RuleAct.ALERT: N_("It is an alert"),
}
ACTS_IN_SHORT = {
    RuleAct.TAKE: N_("opens a ticket"),
    RuleAct.HOLD: N_("waits for a decision"),
    RuleAct.IGNORE: N_("nothing comes of it"),
    RuleAct.ALERT: N_("is an alert"),
}
KINDS = {"incident": N_("An incident"), "request": N_("A request")}
_NUMBERS = ("mailbox", "service", "team", "category", "impact", "urgency", "source")
_TEXTS = ("name", "senders", "words", "plus", "header", "header_says", "act", "kind", *_NUMBERS)
Names = Mapping[str, Mapping[int, str]]


@dataclass
class MailRuleForm:
    """What stands in the form, as texts."""

    name: str = ""
    mailbox: str = ""
    senders: str = ""
    words: str = ""
    plus: str = ""
    header: str = ""
    header_says: str = ""
    act: str = RuleAct.TAKE.value
    kind: str = ""
    service: str = ""
    team: str = ""
    category: str = ""
    impact: str = ""
    urgency: str = ""
    source: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule) -> MailRuleForm:
        """A rule to be changed."""
        numbers: dict[str, Any] = {name: str(getattr(rule, name) or "") for name in _NUMBERS}
        return cls(
            name=rule.name,
            senders="\n".join(rule.senders),
            words="\n".join(rule.words),
            plus=rule.plus,
            header=rule.header,
            header_says=rule.header_says,
            act=rule.act.value,
            kind=rule.kind,
            **numbers,
        )

    def take(self, sent: QueryDict) -> None:
        """What was sent stands in it now."""
        for name in _TEXTS:
            setattr(self, name, sent.get(name, "").strip())

    def said(self, sent: QueryDict) -> dict[str, Any]:
        """The mailbox and the definition as the use cases take them. Raises Invalid."""
        numbers = {name: inputs.number(sent, name) for name in _NUMBERS}
        mailbox = numbers.pop("mailbox")
        definition = numbers | {
            "senders": [one for one in re.split(r"[\s,;]+", self.senders) if one],
            "words": [one.strip() for one in self.words.splitlines() if one.strip()],
            "plus": self.plus.removeprefix("+"),
            "header": self.header,
            "header_says": self.header_says,
            "act": self.act,
            "kind": self.kind,
        }
        return {"mailbox": mailbox, "definition": definition}

    def refused(self, error: DeskError) -> None:
        """What was wrong, beside its field."""
        self.errors = field_errors(error)


def in_words(rule: Rule, names: Names) -> tuple[str, str]:
    """Which mails a rule is about, and what becomes of them. `names`: ids -> names of mailboxes, services, teams, categories."""
    about = []
    if rule.mailbox is not None:
        about.append(_("to %(mailbox)s") % {"mailbox": _named(names, "mailbox", rule.mailbox)})
    if rule.senders:
        about.append(_("from %(list)s") % {"list": ", ".join(rule.senders)})
    if rule.words:
        about.append(_("subject: %(list)s") % {"list": _(" or ").join(f"“{one}”" for one in rule.words)})
    if rule.plus:
        about.append(_("to an address with +%(plus)s") % {"plus": rule.plus})
    if rule.header and rule.header_says:
        about.append(_("header %(name)s holds “%(text)s”") % {"name": rule.header, "text": rule.header_says})
    elif rule.header:
        about.append(_("header %(name)s is there") % {"name": rule.header})
    does = [_(ACTS_IN_SHORT[rule.act])]
    if rule.act is not RuleAct.IGNORE:
        does += [_(KINDS[rule.kind])] if rule.kind else []
        named = [(part, getattr(rule, part)) for part in ("source", "service", "team", "category")]
        does += [_named(names, part, number) for part, number in named if number is not None]
        does += [_("impact %(n)s") % {"n": f"{rule.impact} ({words.impact(rule.impact)})"}] if rule.impact else []
        does += [_("urgency %(n)s") % {"n": f"{rule.urgency} ({words.urgency(rule.urgency)})"}] if rule.urgency else []
    return "; ".join(about) or _("every mail"), " · ".join(does)


def _named(names: Names, part: str, number: int) -> str:
    return names[part].get(number, f"#{number}")


def becomes(message: InboundMessage, rule: Rule, names: Names) -> str:
    """What would become of a mail that a rule decides about, with what its mailbox says of the rest."""
    if rule.act is RuleAct.ALERT and rule.source is not None:
        return f"{_(ACTS_IN_SHORT[rule.act])} · {_named(names, 'source', rule.source)}"
    if rule.act is not RuleAct.TAKE:
        return _(ACTS_IN_SHORT[rule.act])
    mailbox = message.mailbox
    kind = rule.kind or (mailbox.ticket_kind if mailbox is not None else "incident")
    said = [_(KINDS.get(kind, kind))]
    for part in ("service", "team"):
        number, own = getattr(rule, part), getattr(mailbox, part, None)
        if number is not None:
            said.append(_named(names, part, number))
        elif own is not None:
            said.append(own.name)
    return " · ".join(said)
