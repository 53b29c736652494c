"""What can go wrong with a mail server, in words that pages know."""

from __future__ import annotations

from enum import StrEnum


class Problem(StrEnum):
    """Why mail cannot be fetched."""

    UNREACHABLE = "unreachable"  # nothing answers there, or it may not be called
    ENCRYPTION = "encryption"  # the certificate does not fit, or there is no TLS
    SIGN_IN = "sign_in"  # the server does not take the user or the password
    TOKEN = "token"
    FOLDER = "folder"  # there is no such folder
    DONE_FOLDER = "done_folder"  # what was taken cannot be put there
    SECRET = "secret"
    SILENT = "silent"  # it stopped answering, or answered what it may not


class Trouble(Exception):
    """Mail cannot be fetched. `said` is what the server said of it, if anything, in one line."""

    def __init__(self, problem: Problem, said: str = "") -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.said = " ".join(said.split())[:200]

    @property
    def note(self) -> str:
        """As it is kept: the word, and what the server said."""
        return f"{self.problem.value}: {self.said}" if self.said else self.problem.value
