"""GoAlert's generic integration, as Uptime Kuma and others call it: a form or JSON with a summary.

Some of its senders send no `dedup` and another text for the end than for the beginning: the title without its state is the key then.
"""

from __future__ import annotations

import re

from .reading import fields_of, labels_of, word
from .shape import Accepted, Action, Malformed, Options, Refused, Request, accepted, clean_report, refusal
from .titles import without_state

_KUMA = re.compile(r"\[(?P<monitor>[^\[\]]{1,200})\] \[\W{0,4}(?:up|down)\]", re.IGNORECASE)
_READ = {"summary", "details", "dedup", "action", "token"}


def check(request: Request, nonce: str, options: Options) -> Accepted | Refused:
    """One alert of the generic integration; the fields may stand in the query, too."""
    try:
        message = {**request.query, **fields_of(request)}
    except Malformed as error:
        return refusal(str(error))
    summary, dedup = message.get("summary", ""), message.get("dedup", "")
    if not (summary or dedup):
        return refusal("“summary” is missing.")
    monitor = _KUMA.match(summary)
    report = clean_report(
        Action.RESOLVE if word(message.get("action")) == "close" else Action.FIRE,
        dedup or (monitor["monitor"] if monitor else without_state(summary)) or summary,
        title=summary,
        text=message.get("details", ""),
        labels=labels_of({name: value for name, value in message.items() if name not in _READ}),
    )
    return accepted([report])
