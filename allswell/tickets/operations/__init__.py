"""Writing tickets: guarded updates and a journal entry, inside the desk's transaction."""

from .around import copy_named, tag, tag_by_id, untag, untag_by_id, unwatch, watch
from .attaching import attach, detach, discard, keep_upload, store
from .core import change, closing_at, comment, index, move, open_ticket, record, retract
from .linking import link, take_back_link, unlink

__all__ = [
    "attach",
    "change",
    "closing_at",
    "comment",
    "copy_named",
    "detach",
    "discard",
    "index",
    "keep_upload",
    "link",
    "move",
    "open_ticket",
    "record",
    "retract",
    "store",
    "tag",
    "tag_by_id",
    "take_back_link",
    "unlink",
    "untag",
    "untag_by_id",
    "unwatch",
    "watch",
]
