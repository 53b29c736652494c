"""How something in the conversation came by mail: from whom, whether that is proven, what it quoted, and why it is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.views.decorators.http import require_GET

from allswell.desk.mail import beside
from allswell.intake.parsers.mail.kinds import MailKind
from allswell.web.pages import PageRequest, desk_page

if TYPE_CHECKING:
    from allswell.intake.models import InboundMessage

#: steps of a mail's way, in words; (step, by) where it matters by what
_STEPS = {
    ("on_ticket", "address"): N_("It was sent to the signed address of this ticket."),
    ("on_ticket", "our_id"): N_("It answers a mail that we sent about this ticket."),
    ("on_ticket", "known_id"): N_("It answers a mail that is on this ticket already."),
    ("on_ticket", "subject"): N_("Its subject names this ticket, and its sender may see it."),
    ("opened", ""): N_("It named no ticket, so it opened this one."),
    ("rule", ""): N_("A rule for mail fitted it."),
    ("maybe", ""): N_("It names another ticket, which its sender may not see."),
    ("forwarded", ""): N_("It was forwarded; who wrote first is the requester."),
    ("written_first", ""): N_("It was forwarded, and who wrote it first is not the requester."),
    ("made_known", ""): N_("Nobody knew its sender before."),
    ("commands", ""): N_("What it asked for was done."),
    ("thanks", ""): N_("It says no more than thanks, so nothing was reopened."),
    ("reopened", ""): N_("It opened the ticket again."),
    ("follow_up", ""): N_("The ticket it answers is closed, so this is a follow-up."),
    ("released", ""): N_("It was held, and somebody let it in."),
    ("address_fails", ""): N_("It says that our mail did not arrive."),
}
_KINDS = {
    MailKind.AUTO_REPLY.value: N_("automatic reply"),
    MailKind.BOUNCE.value: N_("bounce"),
    MailKind.DELIVERY_REPORT.value: N_("delivery report"),
    MailKind.RECEIPT.value: N_("receipt"),
}


@dataclass(frozen=True, slots=True)
class Mailed:
    """How it came. `is_unproven`: anybody may have written this in the sender's name; `checks` is what a trusted server found.

    `is_thanks`: it says no more, so its ticket stayed as it was. `written_first`: name and address of who wrote what was passed on.
    """

    number: int
    sender: str
    kind: str
    is_unproven: bool
    checks: str
    folded: str
    why: tuple[str, ...]
    is_thanks: bool = False
    written_first: tuple[str, str] = ("", "")


def mailed(mail: InboundMessage) -> Mailed:
    """What the page says of a mail, in the active language."""
    found = mail.authentication if isinstance(mail.authentication, dict) else {}
    checks = [f"{name.upper()} {found[name]}" for name in ("dmarc", "spf", "dkim") if found.get(name)]
    first = _step(mail, "written_first")
    is_person = mail.mail_kind in ("", MailKind.PERSON.value)
    return Mailed(
        number=mail.pk,
        sender=mail.sender or mail.envelope_from or "",
        kind=_(_KINDS[mail.mail_kind]) if mail.mail_kind in _KINDS else "",
        is_unproven=is_person and not found.get("is_aligned"),
        checks=", ".join(checks) or _("not checked by a trusted server"),
        folded=mail.folded,
        why=tuple(_way(mail.trail)),
        is_thanks=_step(mail, "thanks") is not None,
        written_first=(str(first.get("name", "")), str(first.get("address", ""))) if first else ("", ""),
    )


def _step(mail: InboundMessage, what: str) -> dict[str, Any] | None:
    """A step of its way, None where it was not taken."""
    trail = mail.trail if isinstance(mail.trail, list) else []
    return next((step for step in trail if isinstance(step, dict) and step.get("what") == what), None)


def _way(trail: Any) -> list[str]:
    """The known steps of a way as sentences; a step of a newer or older version is left out."""
    said: list[str] = []
    for step in trail if isinstance(trail, list) else []:
        if not isinstance(step, dict):
            continue
        what = str(step.get("what", ""))
        words = _STEPS.get((what, str(step.get("by", "")))) or _STEPS.get((what, ""))
        if words and (sentence := _(words)) not in said:
            said.append(sentence)
    return said


@require_GET
@desk_page
def mail_source(request: PageRequest, number: int, mail: int) -> HttpResponseBase:
    """A mail on a ticket word for word, as a download."""
    raw = beside.word_for_word(number, mail, actor=request.actor)
    response = HttpResponse(raw, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{mail}.eml"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response
