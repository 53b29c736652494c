"""What is refused for its form is no fault of ours: one line in the log, a warning."""

from __future__ import annotations

import logging


class Refusals(logging.Filter):
    """Turns Django's reports of refused requests (wrong host, too many fields, too large) into warnings of one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change such a record; all others pass as they are."""
        if record.name.startswith("django.security."):
            record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
            record.msg, record.args = " ".join(record.getMessage().split())[:500], None
            record.exc_info = record.exc_text = record.stack_info = None
            return logging.getLogger().isEnabledFor(logging.WARNING)
        return True
