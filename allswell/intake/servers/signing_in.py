"""From how a mailbox is set up to its open folder: with the password, or with an access token fetched before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from allswell.notifications.channels.guarded_http import Allowed

from . import imap, oauth


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox as it is fetched from: the server, and what gets a token where it takes one."""

    server: imap.Server
    grant: oauth.Grant | None = field(default=None, repr=False)

    @classmethod
    def of(cls, connection: Mapping[str, Any], secrets: Mapping[str, str]) -> Box:
        """From what is kept of it."""
        server = imap.Server(
            host=str(connection["host"]),
            port=int(connection["port"]),
            security=str(connection["security"]),
            user=str(connection["user"]),
            folder=str(connection.get("folder") or "INBOX"),
            done_folder=str(connection.get("done_folder") or ""),
            password=secrets.get("password", ""),
        )
        if connection.get("login") != "oauth":
            return cls(server)
        grant = oauth.Grant(
            token_url=str(connection["token_url"]),
            client_id=str(connection["client_id"]),
            client_secret=secrets.get("client_secret", ""),
            refresh_token=secrets.get("refresh_token", ""),
            scope=str(connection.get("scope") or ""),
        )
        return cls(server, grant)

    def with_token(self, token: str) -> imap.Server:
        """The server, signed in at with a token."""
        return replace(self.server, token=token)


def look(box: Box, *, allowed: Iterable[str], most: int) -> int:
    """Sign in, open the folder, and say how many mails lie there. Raises Trouble."""
    list_of = Allowed.parse(allowed)
    server = box.server
    if box.grant is not None:
        server = box.with_token(oauth.access(box.grant, allowed=list_of).token)
    with imap.opened(server, allowed=list_of, most=most) as folder:
        return folder.messages
