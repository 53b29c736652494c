"""Version 1, a module per resource. Importing the package declares its operations."""

from . import (
    announcements,
    attachments,
    correcting,
    linking,
    me,
    organizations,
    people,
    search,
    services,
    teams,
    tickets,
    tokens,
    verbs,
    views,
    webhooks,
)

MODULES = (
    announcements,
    attachments,
    correcting,
    linking,
    me,
    organizations,
    people,
    search,
    services,
    teams,
    tickets,
    tokens,
    verbs,
    views,
    webhooks,
)
