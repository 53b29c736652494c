"""What mail servers say became of a mail we sent: delivery reports as the standards want them (RFC 3464), and as they come."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import phrases
from .head import plain_address
from .message import ParsedMail

_FIELD = re.compile(r"^([A-Za-z][A-Za-z-]{2,40}):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.:-])([45])[0-7]\d(?=[ -](?!\d\d:))")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_SAID_ID = re.compile(r"^[ \t>]*Message-I[dD][ \t]*:\s*<([^<>\s]{3,250})>", re.MULTILINE | re.IGNORECASE)
_SAID_TO = re.compile(r"^[ \t>]*To[ \t]*:.{0,500}", re.MULTILINE | re.IGNORECASE)
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
#: how much of a report without a form is searched
SEARCHED = 20_000
MOST = 50


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a mail for one recipient. `action` is "failed", "delayed", "delivered", "relayed" or "expanded".

    `is_permanent`: trying again does not help. `is_certain` is false where this was read out of prose.
    """

    recipient: str
    action: str
    status: str
    original_message_id: str
    is_permanent: bool
    why: str = ""
    is_certain: bool = True


def reports(mail: ParsedMail) -> tuple[DeliveryReport, ...]:
    """What this mail reports, recipient by recipient; meant for mails that are a bounce or a delivery report (see kinds)."""
    original = original_message_id(mail)
    found = _formal(mail, original)
    if found:
        return tuple(found[:MOST])
    return tuple(_told(mail, original))


def original_message_id(mail: ParsedMail) -> str:
    """The Message-ID of the mail reported on, wherever the report shows it; "" where it does not."""
    for inner in mail.nested:
        if inner.message_id:
            return inner.message_id
    for kind, said in mail.reports:
        if "headers" in kind and (found := _SAID_ID.search(said)):
            return found.group(1)
    for attachment in mail.attachments:
        if attachment.content_type.startswith(("message/", "text/")) and (
            found := _SAID_ID.search(attachment.payload[:SEARCHED].decode("ascii", "replace"))
        ):
            return found.group(1)
    shown = phrases.SHOWN.search(mail.text[: SEARCHED * 2])
    found = _SAID_ID.search(mail.text, shown.start() if shown else 0)
    if found is not None:
        return found.group(1)
    return mail.in_reply_to[0] if mail.in_reply_to else (mail.references[-1] if mail.references else "")


def _formal(mail: ParsedMail, original: str) -> list[DeliveryReport]:
    found: list[DeliveryReport] = []
    for kind, said in mail.reports:
        if not kind.endswith("delivery-status"):
            continue
        for block in said.replace("\r", "").split("\n\n")[: MOST * 2]:
            fields: dict[str, str] = {}
            for name, value in _FIELD.findall(block):
                fields.setdefault(name.lower(), " ".join(value.split()))
            action = fields.get("action", "").split(" ")[0].strip(",;").lower()
            recipient = _recipient(fields.get("original-recipient", "")) or _recipient(fields.get("final-recipient", ""))
            if action not in _ACTIONS and not recipient:
                continue
            status = _STATUS.search(fields.get("status", "")) or _STATUS.search(fields.get("diagnostic-code", ""))
            code = status.group() if status else ""
            action = action if action in _ACTIONS else ("delayed" if code.startswith("4") else "failed")
            is_permanent = action == "failed" and not code.startswith("4")
            why = fields.get("diagnostic-code", "").partition(";")[2].strip()[:500]
            found.append(DeliveryReport(recipient, action, code, original, is_permanent, why))
    return found


def _recipient(said: str) -> str:
    """The address in "rfc822; name@example.org"."""
    value = said.partition(";")[2] or said
    found = _ADDRESS.search(value[:400])
    return plain_address(found.group()) if found else ""


def _told(mail: ParsedMail, original: str) -> list[DeliveryReport]:
    """What a bounce without a form tells in its prose."""
    shown = phrases.SHOWN.search(mail.text)
    prose = mail.text[: shown.start() if shown and shown.start() > 20 else SEARCHED][:SEARCHED]
    status = _STATUS.search(prose)
    code = _CODE.search(prose)
    is_delayed = phrases.DELAYED.search(f"{mail.subject}\n{prose[:3_000]}") is not None and phrases.GIVEN_UP.search(prose) is None
    is_temporary = (status.group(1) if status else code.group(1) if code else "5") == "4" or phrases.FULL.search(
        prose
    ) is not None
    own = {one.address for one in (*mail.to, mail.from_)} | set(mail.recipients)
    told = [plain_address(one.strip("<> ")) for one in mail.header("x-failed-recipients").split(",")][:MOST]
    told = [one for one in told if one] or _failing(prose, own)
    if not told and mail.nested:
        told = [one.address for one in mail.nested[0].to[:MOST] if one.address]
    if not told and shown and (to := _SAID_TO.search(mail.text, shown.start(), shown.start() + SEARCHED)):
        told = [plain_address(one) for one in _ADDRESS.findall(to.group())]
    action = "delayed" if is_delayed else "failed"
    is_certain = mail.has("x-failed-recipients")
    said = status.group() if status else ""
    return [
        DeliveryReport(one, action, said, original, action == "failed" and not is_temporary, is_certain=is_certain)
        for one in dict.fromkeys(told or [""])
    ]


def _failing(prose: str, own: set[str]) -> list[str]:
    """The addresses a bounce names, without those it is to and from; only the first paragraph with any."""
    for paragraph in prose.split("\n\n"):
        found = [plain_address(one) for one in _ADDRESS.findall(paragraph)[:MOST]]
        found = [one for one in found if one and one not in own]
        if found:
            return found
    return []
