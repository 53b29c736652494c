"""The use cases of a ticket's life: report, take, hand over, answer, resolve, close."""

from .moving import cancel, close, reopen, resolve, resume, wait
from .reporting import Report, matrix_for, report
from .talking import note, reply
from .working import assign, escalate, hand_over, take

__all__ = [
    "Report",
    "assign",
    "cancel",
    "close",
    "escalate",
    "hand_over",
    "matrix_for",
    "note",
    "reopen",
    "reply",
    "report",
    "resolve",
    "resume",
    "take",
    "wait",
]
