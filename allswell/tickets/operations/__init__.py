"""Writing tickets: guarded updates and a journal entry, inside the desk's transaction."""

from .around import copy_named, tag, tag_by_id, untag, untag_by_id, unwatch, watch
from .core import change, closing_at, comment, index, move, open_ticket, record
from .linking import link, unlink

__all__ = [
    "change",
    "closing_at",
    "comment",
    "copy_named",
    "index",
    "link",
    "move",
    "open_ticket",
    "record",
    "tag",
    "tag_by_id",
    "unlink",
    "untag",
    "untag_by_id",
    "unwatch",
    "watch",
]
