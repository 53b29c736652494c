"""Why a mail became what it became, in words: one place for what the steps of its way and its reasons mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

_REASONS = {
    "own": N_("It is a mail of this installation that came back."),
    "bounce": N_("A mail server could not deliver a mail of ours."),
    "delivery_report": N_("A mail server tells how a mail of ours fares."),
    "auto_reply": N_("An automatic reply: it opens, reopens and answers nothing."),
    "worded": N_("It reads like an automatic reply, but its program does not say so."),
    "automatic": N_("A program wrote it: it reopens and answers nothing."),
    "receipt": N_("A receipt: nothing follows from it."),
    "complaint": N_("A complaint about a mail of ours."),
    "duplicate": N_("The same mail came before."),
    "rule": N_("A rule says so."),
    "alert": N_("It is an alert."),
    "no_pattern": N_("A rule takes it for an alert, but no pattern of the source fits it."),
    "no_source": N_("A rule takes it for an alert, but its source is switched off or not there."),
    "unproven": N_("Its source takes mail of proven senders only, and no server proved who sent this."),
    "sender_rate": N_("Too many mails of this sender in a short time. Perhaps two programs answer each other."),
    "ticket_rate": N_("Too many mails on one ticket in a short time. Perhaps two programs answer each other."),
    "unknown": N_("Nobody knows this sender."),
    "unknown_told": N_("Nobody knows this sender, who was told so."),
    "list": N_("It came through a list or went to many, and nobody knows this sender."),
    "no_sender": N_("It names no sender."),
    "inactive": N_("Its sender is not in use any more."),
    "forged": N_("A server we trust says that it is not from whom it claims."),
    "size": N_("It is larger than mail that is read."),
    "headers": N_("It has more headers than any mail needs."),
    "parts": N_("It has more parts than any mail needs."),
    "nesting": N_("Mails in it hold mails too deep."),
    "boundaries": N_("Its parts have no end that could be found."),
    "too long": N_("Reading it took too long, or too much memory."),
    "crashed": N_("It could not be read."),
    "failed": N_("It could not be taken, tried several times."),
    "gone": N_("Its words are not kept any more."),
}
_STEPS = {
    "kind": N_("Judged as: %(kind)s"),
    "released": N_("Somebody decided that it is taken."),
    "came_before": N_("It is the same as mail %(message)s."),
    "rate": N_("There were %(at_most)s mails of this sender within %(minutes)s minutes."),
    "repeats": N_("The sender said the same %(times)s times within a week, in the time of a program: no answer."),
    "by_list": N_("It came through a list, or went to many: its header %(header)s says so."),
    "on_ticket": N_("It belongs to ticket %(ticket)s (found by: %(by)s)."),
    "unproven": N_("No server proved who sent it, so it may only speak."),
    "commands": N_("It asked for: %(commands)s"),
    "thanks": N_("It only says thank you, so nothing opens again."),
    "reopened": N_("The ticket was opened again."),
    "too_late": N_("It was too late to open the ticket again."),
    "follow_up": N_("The ticket is closed: its follow-up is %(ticket)s."),
    "rule": N_("Rule %(rule)s fitted."),
    "alert": N_("It was read as an alert of %(name)s, under the key %(key)s."),
    "no_pattern": N_("No pattern of %(name)s fits it."),
    "no_source": N_("The source of alerts that its rule names is switched off or not there."),
    "made_known": N_("Its sender became known."),
    "forwarded": N_("It was passed on; who wrote it first is the requester."),
    "written_first": N_("It was passed on; it was first written by %(address)s."),
    "opened": N_("It opened ticket %(ticket)s."),
    "maybe": N_("It names ticket %(ticket)s, which its sender may not see."),
    "address_fails": N_("An address was marked: mail to it does not arrive."),
    "fails_still": N_("The address was marked before."),
    "not_now": N_("The server may take it later."),
}
_KINDS = {
    "person": N_("a letter of a person"),
    "auto_reply": N_("an automatic reply"),
    "bounce": N_("a mail that was not delivered"),
    "delivery_report": N_("a delivery report"),
    "receipt": N_("a receipt"),
    "complaint": N_("a complaint"),
    "calendar": N_("an invitation"),
    "notice": N_("a notice of a program"),
    "list": N_("mail of a list"),
    "own": N_("a mail of ours"),
}
_FOUND_BY = {
    "address": N_("the signed address it was sent to"),
    "our_id": N_("a signed mail of ours that it answers"),
    "known_id": N_("a mail of the ticket that it answers"),
    "subject": N_("the reference in its subject"),
    "decision": N_("a person"),
}


def reason(word: str) -> str:
    """What a reason means; the word itself where nobody knows it."""
    return _(_REASONS[word]) if word in _REASONS else word


def why(trail: Iterable[Mapping[str, Any]]) -> list[str]:
    """The way of a mail, step by step. A step of another version is left out."""
    found = []
    for step in trail:
        words = _STEPS.get(str(step.get("what")))
        if words is None:
            continue
        by, kind = str(step.get("by", "")), str(step.get("kind", ""))
        facts = dict.fromkeys(
            ("kind", "message", "at_most", "minutes", "times", "ticket", "commands", "rule", "name", "key", "address", "header"),
            "?",
        )
        facts |= {name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in step.items()}
        facts["kind"] = _(_KINDS[kind]) if kind in _KINDS else kind
        facts["by"] = _(_FOUND_BY[by]) if by in _FOUND_BY else "–"
        found.append(_(words) % facts)
    return found


def proof(found: Mapping[str, Any]) -> str:
    """How far the sender is proven, with what a server found out."""
    if not found:
        return ""
    if not found.get("is_checked"):
        return _("Nobody checked whether the sender is who they say.")
    named = ", ".join(f"{name.upper()} {found[name]}" for name in ("dmarc", "spf", "dkim") if found.get(name)) or "–"
    words = _("The sender is proven: %(checks)s") if found.get("is_aligned") else _("The sender is not proven: %(checks)s")
    return words % {"checks": named}
