"""Writing tickets: guarded updates and a journal entry, inside the desk's transaction."""

from .around import copy_named, forget_presence, rewatch, tag, tag_by_id, untag, untag_by_id, unwatch, watch
from .attaching import attach, detach, discard, keep_upload, store
from .core import change, closing_at, comment, former_values, index, move, open_ticket, promise, record, retract, touched
from .linking import link, merge, take_back_link, unlink, unmerge
from .writing import drop_draft, drop_presence, note_presence, save_draft

__all__ = [
    "attach",
    "change",
    "closing_at",
    "comment",
    "copy_named",
    "detach",
    "discard",
    "drop_draft",
    "drop_presence",
    "forget_presence",
    "former_values",
    "index",
    "keep_upload",
    "link",
    "merge",
    "move",
    "note_presence",
    "open_ticket",
    "promise",
    "record",
    "retract",
    "rewatch",
    "save_draft",
    "store",
    "tag",
    "tag_by_id",
    "take_back_link",
    "touched",
    "unlink",
    "unmerge",
    "untag",
    "untag_by_id",
    "unwatch",
    "watch",
]
