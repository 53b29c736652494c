"""Version 1, a module per resource. Importing the package declares its operations."""

from . import announcements, correcting, me, organizations, people, services, teams, tickets, tokens, verbs

MODULES = (announcements, correcting, me, organizations, people, services, teams, tickets, tokens, verbs)
