"""Errors a person or a program can do something about. Each says what happened and what to do.

Entry points translate them: a page shows the message beside its field, the API answers problem+json with `code` and `http`,
the command line prints one line and exits with 2.
"""

from __future__ import annotations


class DeskError(Exception):
    """Something the desk refuses. `field` names the input it belongs to, "" when it belongs to none.

    The message is an English sentence with `%(name)s` places; `params` fills them, so entry points can translate it.
    """

    code = "refused"
    http = 409

    def __init__(self, message: str, *, field: str = "", **params: object) -> None:
        super().__init__(message % params if params else message)
        self.template = message
        self.params = params
        self.field = field


class Invalid(DeskError):
    """The input is wrong; `field` says where."""

    code = "invalid"
    http = 422


class NotAllowed(DeskError):
    """The actor may see the thing but may not do this."""

    code = "not-allowed"
    http = 403


class NotFound(DeskError):
    """There is no such thing, or the actor may not know that there is."""

    code = "not-found"
    http = 404


class Stale(DeskError):
    """Someone else was faster; look again and repeat if it still makes sense."""

    code = "stale"
    http = 409


class Conflict(DeskError):
    """The thing is in a state in which this cannot be done."""

    code = "conflict"
    http = 409


class CannotStart(Exception):
    """The program cannot start or go on; the message is one line that says why and what to do. `code` is the exit code."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
