"""What reaches the desk from elsewhere: history that is brought in, and what monitoring tells."""

from .alerts import Alert, AlertEpisode, AlertRule, AlertSource, Heartbeat, MaintenanceWindow, RawReport, Silence
from .history import ImportedEntry, ImportRun

__all__ = [
    "Alert",
    "AlertEpisode",
    "AlertRule",
    "AlertSource",
    "Heartbeat",
    "ImportRun",
    "ImportedEntry",
    "MaintenanceWindow",
    "RawReport",
    "Silence",
]
