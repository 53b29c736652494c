"""What reaches the desk from elsewhere: history that is brought in, and what monitoring tells, and mail."""

from .alerts import (
    Alert,
    AlertEpisode,
    AlertRule,
    AlertSource,
    Heartbeat,
    MaintenanceWindow,
    RawReport,
    Silence,
    SystemChange,
)
from .history import ImportedEntry, ImportRun
from .mail import InboundMessage, Mailbox, MailRule, MessageSource, ThreadReference

__all__ = [
    "Alert",
    "AlertEpisode",
    "AlertRule",
    "AlertSource",
    "Heartbeat",
    "ImportRun",
    "ImportedEntry",
    "InboundMessage",
    "MailRule",
    "Mailbox",
    "MaintenanceWindow",
    "MessageSource",
    "RawReport",
    "Silence",
    "SystemChange",
    "ThreadReference",
]
