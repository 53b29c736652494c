"""Mails of monitoring tools: an alert read from sender and subject.

A pattern is the subject with holes in it: `[{state}:{count}] {key}`. A hole takes as little as it can; `{state}` is read as a word for what
became of it, `{key}` names the alert, `{severity}` is how bad it is, every other hole becomes a label. Without a pattern that fits, the
subject without its state is the key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from fnmatch import translate

from .reading import listed, said
from .severities import severity_of
from .shape import Action, AlertReport, Malformed, Options, clean_report
from .states import action_of, chosen
from .titles import said_in, without_state

_HOLE = re.compile(r"\{([a-z_][a-z0-9_]{0,40}|\*)\}")
_SUBJECT, _HOLES = 1_000, 12


def report_of(subject: str, sender: str, text: str, happened_at: datetime | None, options: Options) -> AlertReport | None:
    """The alert of a mail by the settings of its mailbox: `senders`, `subjects`, `words`. None for a mail that is no alert by them."""
    senders = [said(one).lower() for one in listed(options.get("senders"))]
    if senders and not any(re.fullmatch(translate(one), sender.strip().lower()[:300]) for one in senders if one.count("*") <= 2):
        return None
    subject = " ".join(subject[:_SUBJECT].split())
    patterns = [said(one) for one in listed(options.get("subjects"))]
    holes = next((found for one in patterns if (found := fitted(one, subject)) is not None), None)
    state = (holes or {}).pop("state", "")
    by_words = chosen(options.get("words"), state) if state else None
    action = action_of(by_words) or action_of(state) or said_in(subject)
    if holes is None and (patterns or action is None):
        return None
    labels = holes or {}
    return clean_report(
        action or Action.FIRE,
        labels.pop("key", "") or without_state(subject) or subject,
        title=subject,
        text=text,
        severity=severity_of(labels.get("severity"), state),
        labels=labels,
        happened_at=happened_at,
    )


def fitted(pattern: str, subject: str) -> dict[str, str] | None:
    """What stands in the holes of a pattern, None when it does not fit. Raises Malformed for a pattern that could mean two things."""
    parts: Sequence[str] = _HOLE.split(pattern)
    texts, names = parts[::2], parts[1::2]
    if len(names) > _HOLES or any(not text for text in texts[1:-1]):
        raise Malformed("Between two holes of a pattern there is some text.")
    if not subject.startswith(texts[0]):
        return None
    found, at = {}, len(texts[0])
    for name, text in zip(names, texts[1:], strict=True):
        # only the last hole may end with the subject: after every other there is some text
        end = subject.find(text, at) if text else len(subject)
        if end < 0:
            return None
        if name != "*":
            found[name] = subject[at:end].strip()
        at = end + len(text)
    return found if at == len(subject) else None
