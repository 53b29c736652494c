"""What a person decides about mail that waits, and what rules would make of the last mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from allswell.desk import steps
from allswell.desk.door import use_case
from allswell.intake.operations import mail as writing
from allswell.intake.parsers.mail.kinds import MailKind
from allswell.intake.queries import mail as queries
from allswell.intake.rules import mail_rules
from allswell.intake.rules.mail_rules import MailFacts, Rule, RuleAct
from allswell.intake.rules.mailboxes import Decision, MessageState
from allswell.journal import operations as journal
from allswell.journal.rules import Verb
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Conflict, NotAllowed
from allswell.people.rules import INSTALLATION, Act, require

from . import looking

if TYPE_CHECKING:
    from allswell.intake.models import InboundMessage

#: the bytes of mail that was handled are kept so long, and so many are thrown away at once
_KEPT, _MOST = timedelta(days=30), 500
#: mails that a dry run looks at
_LAST = 100
#: what programs send that can be an alert, though it opens no ticket
_MAY_ALERT = (MailKind.AUTO_REPLY, MailKind.NOTICE, MailKind.LIST)


@use_case
def release(number: int, *, person: int | str | None = None, actor: Actor, now: datetime) -> InboundMessage:
    """A mail that is held is taken after all, whatever held it: as written by `person` (an id or address) or by whom it names.

    A program's mail stays one. Raises NotAllowed, NotFound, Invalid, Conflict.
    """
    message = looking.one(number, actor=actor, act=Act.SET_UP)
    if actor.person is None:
        raise NotAllowed("Your role does not allow this.")
    if message.state not in (MessageState.HELD, MessageState.REFUSED) or queries.raw(number) is None:
        raise Conflict("Only mail that is held can be released.")
    named = steps.person_within_reach(person, actor=actor, field="person").pk if person not in (None, "") else None
    writing.wait_again(message, decision=Decision(by=actor.person, person=named).as_json())
    data = {"fields": ["state"], "from": {"state": MessageState.HELD.value}, "to": {"state": MessageState.PENDING.value}}
    journal.record(Verb.CHANGED, about=("mail", number), actor=actor, now=now, data=data)
    return message


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would make of a mail that came: the rule that would fit first, None where none does."""

    message: InboundMessage
    rule: Rule | None


def dry_run(rules: list[Rule], *, actor: Actor) -> list[Tried]:
    """What these rules would make of the last mails, the newest first. Mail that found its ticket, or came from a program, fits none.

    Headers are not kept, nor whom a mail says it is to: rules about one fit none here, rules about a plus sign only what an envelope says.
    """
    require(actor, Act.READ_SETUP, INSTALLATION)
    last = queries.messages().exclude(sender="").select_related("mailbox__service", "mailbox__team")
    found = []
    for message in last.defer("folded", "trail", "authentication").order_by("-pk")[:_LAST]:
        facts = MailFacts(message.mailbox_id, message.sender, message.subject, mail_rules.plus_parts(message.envelope_to))
        rule = mail_rules.decide(facts, rules)
        if not _is_asked_about(message) and not (rule.act is RuleAct.ALERT and message.mail_kind in _MAY_ALERT):
            rule = mail_rules.OTHERWISE
        found.append(Tried(message, None if rule is mail_rules.OTHERWISE else rule))
    return found


def _is_asked_about(message: InboundMessage) -> bool:
    """Whether rules were asked about a mail, or would be: it did not join a ticket, and was not set aside before."""
    return message.comment_id is None and (message.state != MessageState.IGNORED or message.reason == "rule")


@use_case
def forget_handled(*, actor: Actor, now: datetime) -> int:
    """Throw away the bytes of mails that were handled a month ago; what is held or in quarantine is kept."""
    return writing.forget_sources(taken_before=now - _KEPT, limit=_MOST)
