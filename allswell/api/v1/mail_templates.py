"""Templates of mail: the words of mails to those who ask, by kind, language and organization."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from allswell.api.contract import BASE, Body, Call, Id, operation
from allswell.desk.mail import templates as desk
from allswell.notifications.rules.templates import SUBJECT_LIMIT, TEXT_LIMIT, MailKind

TAG = "Mail"
SCOPE = "setup:write"
Subject = Annotated[str, Meta(min_length=1, max_length=SUBJECT_LIMIT, pattern=r"\S")]
Text = Annotated[str, Meta(min_length=1, max_length=TEXT_LIMIT, pattern=r"\S")]
Locale = Annotated[str, Meta(min_length=2, max_length=12)]


class MailTemplate(Struct):
    """The words of a kind of mail in a language; no `organization` (null) is all. `trouble` says why the built-in words are sent."""

    id: int
    organization: int | None
    kind: str
    locale: str
    subject: str
    text: str
    trouble: str
    created_at: datetime
    changed_at: datetime


def _make(row: Any) -> MailTemplate:
    found = desk.trouble(row)
    said = (row.pk, row.organization_id, row.kind, row.locale, row.subject, row.text, str(found) if found else "")
    return MailTemplate(*said, row.created_at, row.changed_at)


@operation(
    "GET",
    "/mail-templates",
    id="listMailTemplates",
    summary="The words that were chosen for mails, those for all organizations first",
    tag=TAG,
    scope=SCOPE,
    answer=list[MailTemplate],
)
def list_templates(call: Call) -> list[MailTemplate]:
    return [_make(row) for row in desk.visible_to(call.actor)]


@operation(
    "GET",
    "/mail-templates/{id}",
    id="getMailTemplate",
    summary="The words of one kind of mail",
    tag=TAG,
    scope=SCOPE,
    answer=MailTemplate,
)
def get(call: Call) -> MailTemplate:
    return _make(desk.one(call.path["id"], actor=call.actor))


class NewMailTemplate(Body):
    """Words with names in braces, such as {{ticket.reference}}; without `organization` those for all."""

    kind: MailKind
    locale: Locale
    subject: Subject
    text: Text
    organization: Id | None = None


@operation(
    "POST",
    "/mail-templates",
    id="createMailTemplate",
    summary="Choose words for a kind of mail in a language",
    tag=TAG,
    scope=SCOPE,
    body=NewMailTemplate,
    answer=MailTemplate,
    status=201,
    present=lambda call, row: _created(call, row),
)
def create(call: Call) -> Any:
    return desk.create(**_said(call.body), actor=call.actor, now=call.now)


def _said(body: NewMailTemplate) -> dict[str, Any]:
    names = ("kind", "locale", "subject", "text", "organization")
    return {name: getattr(body, name) for name in names}


def _created(call: Call, row: Any) -> MailTemplate:
    call.headers["Location"] = f"{BASE}/mail-templates/{row.pk}"
    return _make(row)


class MailTemplateChange(Body):
    """What to change; what is left out stays."""

    subject: Subject | UnsetType = UNSET
    text: Text | UnsetType = UNSET


@operation(
    "PATCH",
    "/mail-templates/{id}",
    id="updateMailTemplate",
    summary="Change the words of a mail",
    tag=TAG,
    scope=SCOPE,
    body=MailTemplateChange,
    answer=MailTemplate,
    present=lambda call, row: _make(row),
    current=get,
)
def update(call: Call) -> Any:
    body: MailTemplateChange = call.body
    return desk.change(
        call.path["id"],
        subject=None if body.subject is UNSET else body.subject,
        text=None if body.text is UNSET else body.text,
        actor=call.actor,
        now=call.now,
    )


@operation(
    "DELETE",
    "/mail-templates/{id}",
    id="forgetMailTemplate",
    summary="Back to the words of the organization above, those for all, or the built-in ones",
    tag=TAG,
    scope=SCOPE,
    status=204,
)
def forget(call: Call) -> Any:
    return desk.forget(call.path["id"], actor=call.actor, now=call.now)


class MailPreview(Struct):
    """A mail as it would go out. `is_example`: nobody answered there yet, so an example stands for the answer."""

    subject: str
    sender: str
    to: str
    answers: str
    plain: str
    html: str
    is_example: bool


class PreviewOfMail(NewMailTemplate):
    """Words to try, on a `ticket` that the caller may see: "INC-1042"."""

    ticket: Annotated[str, Meta(min_length=1, max_length=20)] = ""


@operation(
    "POST",
    "/mail-templates/preview",
    id="previewMailTemplate",
    summary="The mail that words would make of a ticket; nothing is written or sent",
    tag=TAG,
    scope=SCOPE,
    body=PreviewOfMail,
    answer=MailPreview,
)
def preview(call: Call) -> MailPreview:
    body: PreviewOfMail = call.body
    return MailPreview(**asdict(desk.preview(ticket=body.ticket, **_said(body), actor=call.actor, now=call.now)))
