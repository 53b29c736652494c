"""The use cases of a ticket's life: report, take, hand over, answer, resolve, close."""

from allswell.desk.steps import matrix_for

from .around import (
    add_participant,
    name_people,
    remove_participant,
    restrict,
    tag,
    unname_person,
    unrestrict,
    untag,
    unwatch,
    watch,
)
from .editing import EDITABLE, edit, override_priority, refile
from .linking import BY_HAND, link, split, unlink
from .merging import merge, unmerge
from .moving import cancel, close, confirm, rate, reopen, resolve, restore, resume, wait
from .reporting import Report, follow_up, report
from .talking import note, reply
from .undoing import undo
from .working import assign, escalate, hand_over, take

__all__ = [
    "BY_HAND",
    "EDITABLE",
    "Report",
    "add_participant",
    "assign",
    "cancel",
    "close",
    "confirm",
    "edit",
    "escalate",
    "follow_up",
    "hand_over",
    "link",
    "matrix_for",
    "merge",
    "name_people",
    "note",
    "override_priority",
    "rate",
    "refile",
    "remove_participant",
    "reopen",
    "reply",
    "report",
    "resolve",
    "restore",
    "restrict",
    "resume",
    "split",
    "tag",
    "take",
    "undo",
    "unlink",
    "unmerge",
    "unname_person",
    "unrestrict",
    "untag",
    "unwatch",
    "wait",
    "watch",
]
