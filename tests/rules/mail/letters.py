"""Mails as tests write them, and everything that is asked of a mail."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

from allswell.intake.parsers.mail import authentication, delivery, forwarding, kinds, message, quoting, thanks
from allswell.intake.parsers.mail.message import ParsedMail

HEAD = "From: Eva Novak <eva@customer.example>\nTo: support@desk.example\nSubject: Printer\nMessage-ID: <1@customer.example>\n"


def mail(text: str = "", *, head: str = HEAD, more: str = "") -> ParsedMail:
    """A mail with these headers and this text."""
    return message.parse(f"{head}{more}\n{text}".encode("utf-8", "surrogateescape"))


def about(subject: str, text: str, *, more: str = "", sender: str = "Eva Novak <eva@customer.example>") -> ParsedMail:
    """A mail from somebody about something."""
    return mail(text, head=f"From: {sender}\nTo: support@desk.example\nSubject: {subject}\n", more=more)


def understand(raw: bytes) -> kinds.Judgement:
    """All that the desk asks of a mail, and what kind it is. Raises what any of it raises."""
    found = message.parse(raw)
    judgement = kinds.classify(found)
    delivery.reports(found)
    split = quoting.split(found.text, is_forward=forwarding.is_forward(found))
    assert "".join(piece.text for piece in split.pieces) == found.text
    forwarding.original(found)
    thanks.is_thanks_only(split.visible)
    authentication.authenticate(found, "mx.desk.example")
    return judgement


def steps(act: Callable[[], object]) -> int:
    """How many calls `act` makes: what its time grows with, without a clock."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    gc.disable()  # what it would call is not ours
    sys.setprofile(counted)
    try:
        act()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count
