"""Version 1, a module per resource. Importing the package declares its operations."""

from . import me, tickets, verbs

MODULES = (me, tickets, verbs)
