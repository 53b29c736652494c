"""Mail that a provider posts: POST /in/mail/KEY with the mail word for word as its body."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError
from django.http import HttpRequest

from allswell.desk.mail import brought
from allswell.desk.mail.mailboxes import MOST_BYTES
from allswell.kernel.actor import engine

PATH = re.compile(r"/in/mail/([A-Za-z0-9_-]{16,100})/?")


def answer(request: HttpRequest, key: str, *, now: datetime) -> tuple[int, str]:
    """Keep it, and say how it went: the status, and words. Raises what the database does."""
    place = brought.posted_to(key)
    if place is None:
        return 404, "This key is not known here."
    if request.method != "POST":
        return 405, "Post the mail here."
    if not place.is_active:
        return 403, "This mailbox is switched off."
    kind = (request.content_type or "").lower()
    if kind not in ("message/rfc822", "message/global", "application/octet-stream", "text/plain", ""):
        return 415, "Send the mail itself, as message/rfc822."
    if request.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        return 415, "Send the mail as it is, not packed."
    raw = _body(request)
    if raw is None:
        return 413, "The mail is too large."
    if not raw.strip():
        return 422, "There is no mail in the request."
    if place.signing:
        at = request.headers.get("X-Allswell-Timestamp", "")
        signature = request.headers.get("X-Allswell-Signature", "")
        if not brought.is_signed(raw, secret=place.signing, at=at, signature=signature, now=now):
            return 401, "The signature does not fit, or is older than five minutes."
    sender = request.GET.get("from")
    try:
        brought.keep(
            raw,
            mailbox=place.mailbox,
            envelope_from=sender,
            envelope_to=request.GET.getlist("to") or [place.address],
            actor=engine(),
            now=now,
        )
    except IntegrityError:  # the same request came twice at once: the other one keeps it, or it comes again
        return 503, "The same mail is being kept. Come again in a moment."
    return 202, "It is kept."


def _body(request: HttpRequest) -> bytes | None:
    """The mail; None when it is larger than mails may be."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > MOST_BYTES:
        return None
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raw = request.META["wsgi.input"].read(MOST_BYTES + 1)
    else:
        raw = request.read(MOST_BYTES + 1)
    return bytes(raw) if len(raw) <= MOST_BYTES else None
