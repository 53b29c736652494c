"""Writing tickets: guarded updates and a journal entry, inside the desk's transaction."""

from .around import copy_named, forget_presence, tag, tag_by_id, untag, untag_by_id, unwatch, watch
from .attaching import attach, detach, discard, keep_upload, store
from .core import change, closing_at, comment, former_values, index, move, open_ticket, record, retract
from .linking import link, merge, take_back_link, unlink, unmerge

__all__ = [
    "attach",
    "change",
    "closing_at",
    "comment",
    "copy_named",
    "detach",
    "discard",
    "forget_presence",
    "former_values",
    "index",
    "keep_upload",
    "link",
    "merge",
    "move",
    "open_ticket",
    "record",
    "retract",
    "store",
    "tag",
    "tag_by_id",
    "take_back_link",
    "unlink",
    "unmerge",
    "untag",
    "untag_by_id",
    "unwatch",
    "watch",
]
