"""The use cases of mail rules: what a mail becomes that opens a ticket. The first that fits decides, else its mailbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from allswell.desk import rule_order
from allswell.desk.door import use_case
from allswell.intake.operations import rules as writing
from allswell.intake.parsers.alerts.registry import MAIL
from allswell.intake.queries import alerts, mailboxes
from allswell.intake.queries import mail as queries
from allswell.intake.rules.mail_rules import Rule, RuleAct
from allswell.kernel import text
from allswell.kernel.actor import Actor
from allswell.kernel.errors import Invalid
from allswell.people.rules import INSTALLATION, Act, require
from allswell.tickets import queries as tickets

from . import deciding

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from allswell.intake.models import InboundMessage, MailRule

MOST = rule_order.MOST
version = rule_order.version
#: the mailbox stays as it was: None is every mailbox
AS_IT_WAS: Final = -1


def all_rules(actor: Actor) -> QuerySet[MailRule]:
    """Every rule in their order, for who may see the set-up. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return queries.all_rules()


def one(rule: int, *, actor: Actor, act: Act = Act.READ_SETUP) -> MailRule:
    """A rule, for who may see the set-up. Raises NotAllowed, NotFound."""
    return rule_order.one(queries.all_rules(), rule, actor=actor, act=act)


def sources_of_mail(actor: Actor) -> list[tuple[int, str]]:
    """The sources of alerts that a rule can name: those that read mail, by name. Raises NotAllowed."""
    require(actor, Act.READ_SETUP, INSTALLATION)
    return list(alerts.sources().filter(kind=MAIL).order_by("name", "id").values_list("id", "name"))


def said_by(row: MailRule) -> Rule:
    """What a rule says."""
    return Rule.parse(row.definition, number=row.pk, name=row.name, mailbox=row.mailbox_id)


def _judged(rule: Rule, *, before: Rule | None = None, actor: Actor) -> Rule:
    """A rule that can be followed. What it named before may be out of use by now. Raises Invalid."""
    was = before or Rule()
    if rule.mailbox not in (None, was.mailbox) and not mailboxes.all_mailboxes().filter(pk=rule.mailbox).exists():
        raise Invalid("There is no such mailbox.", field="mailbox")
    rule_order.check_place(rule, before=was, actor=actor)
    if rule.category is not None and rule.category != was.category and tickets.category(rule.category) is None:
        raise Invalid("There is no such category.", field="category")
    if rule.act is RuleAct.ALERT and rule.source is None:
        raise Invalid("Choose a source of alerts that reads mail.", field="source")
    if rule.source not in (None, was.source) and not alerts.sources().filter(pk=rule.source, kind=MAIL).exists():
        raise Invalid("Choose a source of alerts that reads mail.", field="source")
    if rule.header_says and not rule.header:
        raise Invalid("Say which header holds it.", field="header")
    return rule


@use_case
def create(*, name: str, mailbox: int | None = None, definition: Mapping[str, Any], actor: Actor, now: datetime) -> MailRule:
    """A new rule, asked after all others; about mail of one mailbox, or of all. Raises Invalid, NotAllowed."""
    position = rule_order.last_position(writing.mail_rules, actor=actor)
    name = text.line(name, field="name", limit=80)
    judged = _judged(Rule.parse(definition, mailbox=mailbox), actor=actor)
    values: dict[str, Any] = {"name": name, "mailbox_id": mailbox, "definition": judged.as_json(), "position": position}
    return writing.create_mail_rule(actor=actor, now=now, **values)


@use_case
def change(
    rule: int,
    *,
    name: str | None = None,
    mailbox: int | None = AS_IT_WAS,
    definition: Mapping[str, Any] | None = None,
    seen: str = "",
    actor: Actor,
    now: datetime,
) -> MailRule:
    """Change what is said. `seen` is what `version` said when the rule was read. Raises Invalid, NotFound, Stale."""
    row = rule_order.to_change(writing.mail_rules, rule, seen=seen, actor=actor)
    before = said_by(row)
    place = row.mailbox_id if mailbox == AS_IT_WAS else mailbox
    wanted = replace(before, mailbox=place) if definition is None else Rule.parse(definition, mailbox=place)
    values: dict[str, Any] = {"mailbox_id": place, "definition": _judged(wanted, before=before, actor=actor).as_json()}
    if name is not None:
        values["name"] = text.line(name, field="name", limit=80)
    writing.change(row, values, actor=actor, now=now)
    return row


@use_case
def switch(rule: int, *, is_active: bool, actor: Actor, now: datetime) -> MailRule:
    """Ask it, or leave it out; it keeps its place."""
    return rule_order.switch(writing.mail_rules, rule, is_active=is_active, actor=actor, now=now)


@use_case
def move(rule: int, *, by: int, actor: Actor, now: datetime) -> MailRule:
    """Ask it `by` places later (negative: earlier); at an end it stays there."""
    return rule_order.move(writing.mail_rules, rule, by=by, actor=actor, now=now)


@use_case
def reorder(order: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Ask all rules in this order. Raises Invalid when it does not name each of them once."""
    rule_order.reorder(writing.mail_rules, order, actor=actor, now=now)


@use_case
def remove(rule: int, *, actor: Actor, now: datetime) -> None:
    """Forget it. Mails it decided about stay as they are."""
    rule_order.remove(writing.mail_rules, rule, actor=actor, now=now)


@dataclass(frozen=True, slots=True)
class Fit:
    """A mail that a rule fits; `before` is the rule asked earlier that decides about it, None where this one does."""

    message: InboundMessage
    before: Rule | None


def try_out(
    rule: int | None, *, mailbox: int | None = None, definition: Mapping[str, Any], actor: Actor
) -> tuple[Rule, int, list[Fit]]:
    """What a rule as it was typed would say of the last mails: the rule, how many mails were looked at, those that fit. Writes nothing.

    It is asked in its place (a new one last) among the rules in use. Raises Invalid, NotAllowed, NotFound.
    """
    before = said_by(one(rule, actor=actor)) if rule is not None else None
    require(actor, Act.READ_SETUP, INSTALLATION)
    wanted = _judged(Rule.parse(definition, number=rule, mailbox=mailbox), before=before, actor=actor)
    earlier: list[Rule] = []
    for row in queries.all_rules():
        if row.pk == rule:
            break
        if row.is_active:
            earlier.append(said_by(row))
    tried = deciding.dry_run([wanted], actor=actor)
    fits = {one.message.pk: one.message for one in tried if one.rule is not None}
    decided = {one.message.pk: one.rule for one in deciding.dry_run(earlier, actor=actor)} if earlier and fits else {}
    return wanted, len(tried), [Fit(message, decided.get(pk)) for pk, message in fits.items()]
