"""Writing tickets: guarded updates and a journal entry, inside the desk's transaction."""

from .core import change, closing_at, comment, move, open_ticket, record
from .around import tag, tag_by_id, untag, untag_by_id, unwatch, watch

__all__ = ["change", "closing_at", "comment", "move", "open_ticket", "record", "tag", "tag_by_id", "untag", "untag_by_id", "unwatch", "watch"]
