"""Rules of mail: what a mail becomes that belongs to no ticket yet. The first that fits decides, else its mailbox."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins

from allswell.api.contract import BASE, Body, Call, Id, operation
from allswell.desk.mail import rules as desk

from . import rule_acts

TAG = "Mail"
SCOPE = "setup:write"
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
Level = Annotated[int, Meta(ge=1, le=4)]
Word = Annotated[str, Meta(max_length=200)]
Words = Annotated[list[Word], Meta(max_length=50)]


class MailRuleDefinition(Body):
    """Which mails, and what becomes of them; all that is said must fit, and what is left out fits all or is as the mailbox says.

    `senders` are addresses, or domains with all below them; one of `words` stands in the subject; `plus` is the part of
    support+plus@example.org; `header` is there and holds `header_says`. `source` is the source of alerts, of kind
    mail-pattern, that reads what becomes an alert.
    """

    senders: Words = []
    words: Words = []
    plus: Word = ""
    header: Word = ""
    header_says: Word = ""
    act: Literal["take", "hold", "ignore", "alert"] = "take"
    kind: Literal["", "incident", "request"] = ""
    service: Id | None = None
    team: Id | None = None
    category: Id | None = None
    impact: Level | None = None
    urgency: Level | None = None
    source: Id | None = None

    def as_json(self) -> dict[str, Any]:
        """As the use cases take it."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class MailRule(Struct):
    """A rule in its place, how many mails it fitted, and when last."""

    noted: ClassVar[frozenset[str]] = frozenset({"fits_count", "last_fit_at"})

    id: int
    name: str
    mailbox: int | None
    is_active: bool
    definition: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    fits_count: int
    last_fit_at: datetime | None


def _make(row: Any) -> MailRule:
    return MailRule(
        row.pk,
        row.name,
        row.mailbox_id,
        row.is_active,
        to_builtins(row.definition),
        row.created_at,
        row.changed_at,
        row.fits_count,
        row.last_fit_at,
    )


@operation(
    "GET",
    "/mail-rules",
    id="listMailRules",
    summary="All rules of mail, in the order in which they are asked",
    tag=TAG,
    scope=SCOPE,
    answer=list[MailRule],
)
def list_rules(call: Call) -> list[MailRule]:
    return [_make(row) for row in desk.all_rules(call.actor)]


@operation("GET", "/mail-rules/{id}", id="getMailRule", summary="One rule of mail", tag=TAG, scope=SCOPE, answer=MailRule)
def get(call: Call) -> MailRule:
    return _make(desk.one(call.path["id"], actor=call.actor))


class NewMailRule(Body):
    """A rule is asked after all others, until it is put elsewhere; without `mailbox` about mail to all of them."""

    name: Name
    definition: MailRuleDefinition
    mailbox: Id | None = None


@operation(
    "POST",
    "/mail-rules",
    id="createMailRule",
    summary="Add a rule of mail, asked after all others",
    tag=TAG,
    scope=SCOPE,
    body=NewMailRule,
    answer=MailRule,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    body: NewMailRule = call.body
    definition = body.definition.as_json()
    return desk.create(name=body.name, mailbox=body.mailbox, definition=definition, actor=call.actor, now=call.now)


def _created(call: Call, row: Any) -> MailRule:
    call.headers["Location"] = f"{BASE}/mail-rules/{row.pk}"
    return _make(row)


class MailRuleChange(Body):
    """What to change; what is left out stays. A definition is given whole; no `mailbox` (null) is every mailbox."""

    name: Name | UnsetType = UNSET
    mailbox: Id | UnsetType | None = UNSET
    definition: MailRuleDefinition | UnsetType = UNSET


@operation(
    "PATCH",
    "/mail-rules/{id}",
    id="updateMailRule",
    summary="Change a rule of mail",
    tag=TAG,
    scope=SCOPE,
    body=MailRuleChange,
    answer=MailRule,
    present=lambda call, row: _make(row),
    current=get,
)
def update(call: Call) -> Any:
    body: MailRuleChange = call.body
    return desk.change(
        call.path["id"],
        name=None if body.name is UNSET else body.name,
        mailbox=desk.AS_IT_WAS if body.mailbox is UNSET else body.mailbox,
        definition=None if body.definition is UNSET else body.definition.as_json(),
        actor=call.actor,
        now=call.now,
    )


class MailRuleToTry(Body):
    """A rule as it would be written; `rule` is the one that it would replace, in its place, else it is asked after all others."""

    definition: MailRuleDefinition
    rule: Id | None = None
    mailbox: Id | None = None


class FittingMail(Struct):
    """A mail that the rule fits. `decided_by` is the rule asked earlier that decides about it, null where this one would."""

    id: int
    mailbox: int | None
    received_at: datetime
    sender: str
    subject: str
    decided_by: int | None


class TriedMailRule(Struct):
    """How many of the last mails were looked at, and those that the rule fits, the newest first.

    Headers are not kept: a rule about one fits none here, and a rule about a plus sign only what an envelope says.
    """

    looked_at: int
    fits: list[FittingMail]


@operation(
    "POST",
    "/mail-rules/try",
    id="tryMailRule",
    summary="Which of the last 100 mails a rule would fit; nothing is written",
    tag=TAG,
    scope=SCOPE,
    body=MailRuleToTry,
    answer=TriedMailRule,
)
def try_rule(call: Call) -> TriedMailRule:
    body: MailRuleToTry = call.body
    _rule, looked_at, found = desk.try_out(
        body.rule, mailbox=body.mailbox, definition=body.definition.as_json(), actor=call.actor
    )
    fits = []
    for fit in found:
        row, before = fit.message, fit.before.number if fit.before else None
        fits.append(FittingMail(row.pk, row.mailbox_id, row.received_at, row.sender, row.subject, before))
    return TriedMailRule(looked_at, fits)


class MailRuleOrder(Body):
    """The ids of all rules, in the order in which they are to be asked."""

    order: Annotated[list[Id], Meta(max_length=desk.MOST)]


rule_acts.declare(desk, of="mail", answer=MailRule, order=MailRuleOrder, make=_make, list_rules=list_rules, tag=TAG, scope=SCOPE)
