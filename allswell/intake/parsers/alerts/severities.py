"""Words that senders have for how bad it is."""

from __future__ import annotations

from .reading import word
from .shape import Severity

_WORDS = {
    Severity.CRITICAL: "critical crit fatal emergency emerg alert disaster blocker page p1 1-critical sev0 sev1 down security",
    Severity.ERROR: "error err errors major high p2 sev2 failure failed unreachable unknown",
    Severity.WARNING: "warning warn minor medium moderate average p3 sev3 degraded",
    Severity.INFO: "info information informational notice none ok normal low debug trace p4 p5 sev4 sev5 trivial cleared success up",
}
SEVERITIES = {word: severity for severity, said in _WORDS.items() for word in said.split()}


def severity_of(*values: object, default: Severity = Severity.ERROR) -> Severity:
    """The first of some values that is a word for it."""
    for value in values:
        if value is not None and (found := SEVERITIES.get(word(value))) is not None:
            return found
    return default
