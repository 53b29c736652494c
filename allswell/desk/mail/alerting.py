"""Mail of tools that can only mail becomes alerts: a rule says which, the patterns of a source how they are read.

Such mail is often marked as automatic, so this is asked before programs are set aside. The alert is kept as any other report; the engine
folds it, so that repeats count up and a recovery ends it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings

from allswell.intake.operations import alerts as alert_writing
from allswell.intake.operations import mail as writing
from allswell.intake.parsers.alerts.registry import FORMATS, MAIL
from allswell.intake.parsers.alerts.shape import Accepted, Request
from allswell.intake.parsers.mail.kinds import MailKind
from allswell.intake.queries import alerts
from allswell.intake.queries import mail as queries
from allswell.intake.rules import mail_rules
from allswell.intake.rules.kept import Raw
from allswell.intake.rules.mail_rules import MailFacts, Rule, RuleAct
from allswell.intake.rules.mailboxes import MessageState

from . import placing
from .case import Case, Outcome

if TYPE_CHECKING:
    from allswell.intake.models import AlertSource

#: what a mail says of its own time counts, unless it is of the future or older than this
_OLDEST = timedelta(days=7)
_TEXT = 50_000
_REPORTS = (MailKind.BOUNCE, MailKind.DELIVERY_REPORT)


def facts_of(case: Case) -> MailFacts:
    """What rules look at."""
    plus = mail_rules.plus_parts(placing.addressed_to(case.message, case.found))
    mail = case.found.mail
    return MailFacts(case.message.mailbox_id, case.sender.address, mail.subject, plus, mail.headers)


def handled(case: Case) -> Outcome | None:
    """What becomes of a mail that a rule takes for an alert; None where none does, or where it goes on as any other mail."""
    if not _may_be_one(case):
        return None
    rules = queries.mail_rules()
    if not any(rule.act is RuleAct.ALERT for rule in rules):
        return None
    rule = mail_rules.decide(facts_of(case), rules)
    if rule.act is not RuleAct.ALERT:
        return None
    case.say("rule", rule=rule.number)
    source = alerts.sources().filter(pk=rule.source or 0, kind=MAIL, is_active=True).first()
    why = _against(case, source)
    if not why and source is not None:
        why = _kept(case, source)
        if not why:
            return _taken(case, rule)
    return _unread(case, rule, source, why)


def _may_be_one(case: Case) -> bool:
    """Our own mail is none, nor what answers or reports on a mail of ours: bounces of it stay bounces."""
    kind = case.found.judgement.kind
    if kind in (MailKind.OWN, MailKind.RECEIPT, MailKind.COMPLAINT):
        return False
    if kind in _REPORTS and case.found.judgement.is_certain:
        return False
    return placing.reported_on(case.message, case.found, case.own) is None


def _against(case: Case, source: AlertSource | None) -> str:
    """Why a mail may not be an alert whatever it says, "" when it may. What a person decided is not doubted."""
    if source is None:
        return "no_source"
    if case.decision is None and case.sender.is_forged:
        return "forged"
    if case.decision is None and source.mapping.get("only_proven") and not case.sender.is_proven:
        return "unproven"
    return ""


def _kept(case: Case, source: AlertSource) -> str:
    """Keep the mail as a report of its source; why not, where no pattern fits."""
    body = _body(case)
    request = Request(body=body, content_type="application/json", received_at=case.message.received_at)
    found = FORMATS[MAIL].check(request, case.message.digest[:32], source.mapping)
    if not isinstance(found, Accepted) or not found.reports:
        return "no_pattern"
    head = {"method": "POST", "content_type": "application/json", "mail": case.message.pk}
    alert_writing.keep([Raw(source.pk, case.message.received_at, head, body, case.message.digest[:32])])
    report = found.reports[0]
    case.say("alert", source=source.pk, name=source.name, action=report.action.value, key=report.key[:200])
    return ""


def _body(case: Case) -> bytes:
    mail, came = case.found.mail, case.message.received_at
    date = mail.date if mail.date is not None and came - _OLDEST <= mail.date <= came else came
    said: dict[str, Any] = {
        "from": case.sender.address,
        "subject": mail.subject[:1_000],
        "date": date.isoformat(),
        "text": mail.text[:_TEXT],
        "url": f"{settings.PUBLIC_URL}/setup/mail/{case.message.pk}",
    }
    return msgspec.json.encode({name: _clean(value) for name, value in said.items()})


def _clean(said: str) -> str:
    return said.encode("utf-8", "replace").decode()


def _taken(case: Case, rule: Rule) -> Outcome:
    assert rule.number is not None
    writing.note_fit(rule.number, now=case.now)
    return Outcome(MessageState.TAKEN, "alert")


def _unread(case: Case, rule: Rule, source: AlertSource | None, why: str) -> Outcome | None:
    """It is no alert after all: it waits for a person, or goes on to become a ticket, as its source says. It is never lost."""
    if why in ("no_pattern", "no_source"):
        case.say(why, name=source.name if source is not None else "")
    opens = why == "no_pattern" and source is not None and source.mapping.get("otherwise") == "ticket"
    if case.decision is not None or (opens and case.found.judgement.kind.opens_ticket):
        case.is_monitoring = True
        case.is_program = True
        return None
    assert rule.number is not None
    writing.note_fit(rule.number, now=case.now)
    return Outcome(MessageState.HELD, why)
