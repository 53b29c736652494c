"""An IMAP server, as far as fetching mail needs it (RFC 3501, 2177 IDLE, 6851 MOVE, 4315 UIDPLUS).

On the standard library's `imaplib`: what we need beside it (connecting to a checked address, an end to everything, a bound on what a
server may send, IDLE) is all below it, where libraries on top of it do not reach.
"""

from __future__ import annotations

import base64
import imaplib
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from allswell.notifications.channels import guarded_http

from .trouble import Problem, Trouble

#: seconds a server may take for a connection, and for a piece of an answer
CONNECTS_WITHIN, ANSWERS_WITHIN = 15.0, 60.0
LONGEST_LINE = 1_000_000
#: searches in a row while the server says that mail came and none is found: some say so each time
LOOKS = 3
#: bytes of a mail's head that are read of one that is too large
HEAD = 60_000
_PIECE = re.compile(rb"(\d+) \(")
_UID, _SIZE = re.compile(rb"\bUID (\d+)"), re.compile(rb"RFC822\.SIZE (\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a mailbox lies and who signs in. `security`: "tls" from the start, or "starttls" before anything is said."""

    host: str
    port: int
    security: str
    user: str
    folder: str = "INBOX"
    done_folder: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that lies there: its number, its size, and when it came there."""

    uid: int
    size: int
    came_at: datetime | None


def _xoauth2(server: Server) -> str:
    return f"user={server.user}\x01auth=Bearer {server.token}\x01\x01"


def _oauthbearer(server: Server) -> str:
    user = server.user.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={user},\x01host={server.host}\x01port={server.port}\x01auth=Bearer {server.token}\x01\x01"


#: ways of signing in with a token: what is said, and what answers the reason of a refusal. The first is what Google and Microsoft
#: document, the second is RFC 7628.
BEARER: dict[str, tuple[Callable[[Server], str], bytes]] = {"XOAUTH2": (_xoauth2, b""), "OAUTHBEARER": (_oauthbearer, b"\x01")}


class _Client(imaplib.IMAP4):
    """imaplib on a connection to a checked address. It reads by itself: what a server says has an end, and IDLE sees what came."""

    def __init__(self, server: Server, allowed: guarded_http.Allowed, most: int) -> None:
        self._server, self._allowed, self._most = server, allowed, most
        self.came = bytearray()
        super().__init__(server.host, server.port, CONNECTS_WITHIN)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect."""
        self.host, self.port = host, port
        plain = guarded_http.dial(host, port, allowed=self._allowed, within=CONNECTS_WITHIN)
        plain.settimeout(timeout)
        self.sock = plain
        if self._server.security == "tls":
            self.sock = guarded_http.trusted().wrap_socket(plain, server_hostname=host)

    def begin_tls(self) -> None:
        """STARTTLS; what was said before it counts for nothing."""
        kind, _told = self._simple_command("STARTTLS")
        if kind != "OK" or self.came:
            raise Trouble(Problem.ENCRYPTION)
        self.sock = guarded_http.trusted().wrap_socket(self.sock, server_hostname=self._server.host)
        self._tls_established = True
        self._get_capabilities()

    def _more(self) -> None:
        piece = self.sock.recv(65_536)
        if not piece:
            raise self.abort("the server hung up")
        self.came += piece

    def read(self, size: int) -> bytes:
        """A literal."""
        if size > self._most:
            raise self.abort("the server sends more than was asked for")
        while len(self.came) < size:
            self._more()
        return self._taken(size)

    def readline(self) -> bytes:
        """A line."""
        looked = 0
        while (end := self.came.find(b"\n", looked)) < 0:
            looked = len(self.came)
            if looked > LONGEST_LINE:
                raise self.abort("the server sends a line without an end")
            self._more()
        return self._taken(end + 1)

    def _taken(self, size: int) -> bytes:
        with memoryview(self.came) as view:
            taken = bytes(view[:size])
        del self.came[:size]
        return taken

    def has_more(self) -> bool:
        """Whether something came that was not read yet."""
        return bool(self.came) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def shutdown(self) -> None:
        """Hang up."""
        self.sock.close()


class Mailbox:
    """A folder that is open. Every method raises Trouble; after that the connection is of no use."""

    def __init__(self, client: _Client, server: Server) -> None:
        self._client, self._server = client, server
        self._can: frozenset[str] = frozenset()
        self.uid_validity = 0
        self.uid_next = 0
        self.messages = 0

    @property
    def has_idle(self) -> bool:
        """Whether the server says by itself when mail comes."""
        return "IDLE" in self._can

    def open(self) -> None:
        """Sign in and open the folder."""
        client = self._client
        if self._server.security == "starttls":
            client.begin_tls()
        with _of(Problem.SIGN_IN, client):
            if self._server.token:
                self._sign_in_with_token()
            else:
                client.login(self._server.user, self._server.password)
        client.sock.settimeout(ANSWERS_WITHIN)
        _kind, told = client.capability()
        self._can = frozenset(b" ".join(one for one in told if one).decode("ascii", "replace").upper().split())
        with _of(Problem.FOLDER, client):
            self._done(client.select(_quoted(self._server.folder)))
        self.messages = self._number("EXISTS")
        self.uid_validity, self.uid_next = self._number("UIDVALIDITY"), self._number("UIDNEXT")

    def _sign_in_with_token(self) -> None:
        """As the server knows it; what it says of a refusal has to be answered before it refuses."""
        ways = [way for way in BEARER if f"AUTH={way}" in self._client.capabilities] or list(BEARER)
        begins, ends = BEARER[ways[0]]
        said = iter([begins(self._server).encode()])
        self._client.authenticate(ways[0], lambda _challenge: next(said, ends))

    def _number(self, name: str) -> int:
        told = self._client.response(name)[1]
        return int(told[-1]) if told and told[-1] and bytes(told[-1]).isdigit() else 0

    def _done(self, answer: tuple[str, Sequence[Any]]) -> Sequence[Any]:
        if answer[0] != "OK":
            raise self._client.error(b" ".join(one for one in answer[1] if isinstance(one, bytes)).decode("utf-8", "replace"))
        return answer[1]

    def after(self, uid: int, *, limit: int = 500) -> list[Waiting]:
        """Mails with a higher number than `uid`, the lowest first."""
        numbers = self._numbers_after(uid)[:limit]
        if not numbers:
            return []
        wanted = set(numbers)
        pieces = self._done(self._client.uid("FETCH", ",".join(map(str, numbers)), "(UID RFC822.SIZE INTERNALDATE)"))
        found = {one.uid: one for one in map(_waiting, pieces) if one is not None and one.uid in wanted}
        return [found[number] for number in numbers if number in found]

    def _numbers_after(self, uid: int) -> list[int]:
        """What a search finds. Dovecot says at its end that mail came meanwhile, and not again while we wait: then look once more."""
        numbers: list[int] = []
        for _look in range(LOOKS):
            self._client.response("EXISTS")  # what was said before this look
            told = self._done(self._client.uid("SEARCH", "UID", f"{uid + 1}:*"))
            words = b" ".join(one for one in told if isinstance(one, bytes)).split()
            numbers = sorted({int(word) for word in words if word.isdigit() and int(word) > uid})
            if numbers or self._client.response("EXISTS")[1] == [None]:
                break
        return numbers

    def message(self, uid: int) -> bytes | None:
        """A mail word for word, left unseen; None when it is gone."""
        return self._part(uid, "(BODY.PEEK[])")

    def head(self, uid: int) -> bytes:
        """The start of a mail's head."""
        return self._part(uid, f"(BODY.PEEK[HEADER]<0.{HEAD}>)") or b""

    def _part(self, uid: int, what: str) -> bytes | None:
        pieces = self._done(self._client.uid("FETCH", str(uid), what))
        for piece in pieces:
            if isinstance(piece, tuple) and len(piece) == 2:
                return bytes(piece[1])
            # a short one may come as a quoted string
            if isinstance(piece, bytes) and b'""' in piece:
                return b""
        return None

    def put_aside(self, uid: int) -> None:
        """What was taken is marked as read, or goes into the folder for it, which is made when it is not there."""
        folder = self._server.done_folder
        if not folder:
            self._done(self._client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))
            return
        with _of(Problem.DONE_FOLDER, self._client):
            try:
                self._move(uid, _quoted(folder))
            except self._client.abort:
                raise
            except self._client.error:
                self._done(self._client.create(_quoted(folder)))
                self._move(uid, _quoted(folder))

    def _move(self, uid: int, folder: str) -> None:
        self._done(self._client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))
        if "MOVE" in self._can:
            self._done(self._client.uid("MOVE", str(uid), folder))
            return
        self._done(self._client.uid("COPY", str(uid), folder))
        self._done(self._client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
        if "UIDPLUS" in self._can:
            self._done(self._client.uid("EXPUNGE", str(uid)))

    def wait(self, seconds: float, *, wake: socket.socket) -> None:
        """Return when something happens in the folder, when `wake` can be read, or after `seconds`."""
        client = self._client
        tag = client._new_tag()
        client.send(tag + b" IDLE\r\n")
        is_told = False
        while not (line := client.readline()).startswith(b"+"):
            if line.startswith(tag):
                raise client.abort("the server does not wait")
            is_told |= line.upper().rstrip().endswith(b" EXISTS")
        if not is_told and not client.has_more():
            select.select([client.sock, wake], [], [], seconds)
        client.send(b"DONE\r\n")
        while not client.readline().startswith(tag):
            pass
        client.tagged_commands.pop(tag, None)

    def nothing(self) -> None:
        """Say something, so that the server tells what is new."""
        self._done(self._client.noop())


@contextmanager
def _of(problem: Problem, client: _Client) -> Iterator[None]:
    """A refusal in here is this problem; a broken connection is one of its own."""
    try:
        yield
    except client.abort:
        raise
    except client.error as error:
        said = str(error.args[0]) if error.args else ""
        raise Trouble(problem, "" if problem is Problem.SIGN_IN else _plain(said)) from None


def _plain(said: str) -> str:
    return "".join(one if one.isprintable() else " " for one in said)


@contextmanager
def opened(server: Server, *, allowed: guarded_http.Allowed, most: int) -> Iterator[Mailbox]:
    """The folder of a mailbox, open; `most` bytes are taken of a mail. Raises Trouble, whatever the server does."""
    client: _Client | None = None
    try:
        client = _Client(server, allowed, most + HEAD)
        mailbox = Mailbox(client, server)
        mailbox.open()
        yield mailbox
        _end(client.logout)
    except guarded_http.Unreachable:
        raise Trouble(Problem.UNREACHABLE) from None
    except ssl.SSLError as error:
        said = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else ""
        raise Trouble(Problem.ENCRYPTION, said) from None
    except imaplib.IMAP4.error as error:
        # the text of imaplib may quote what was sent
        is_tls = "TLS" in str(error)
        raise Trouble(Problem.ENCRYPTION if is_tls else Problem.SILENT) from None
    except (OSError, EOFError, ValueError, IndexError):
        raise Trouble(Problem.SILENT) from None
    finally:
        if client is not None:
            _end(client.shutdown)


def _end(how: Callable[[], object]) -> None:
    try:
        how()
    except (imaplib.IMAP4.error, OSError, ValueError):
        return


def _waiting(piece: Any) -> Waiting | None:
    said = piece[0] if isinstance(piece, tuple) else piece
    if not isinstance(said, bytes) or not _PIECE.match(said):
        return None
    uid, size = _UID.search(said), _SIZE.search(said)
    if uid is None or size is None:
        return None
    came = imaplib.Internaldate2tuple(said)
    at = datetime.fromtimestamp(_seconds(came), UTC) if came else None
    return Waiting(int(uid.group(1)), int(size.group(1)), at)


def _seconds(local: Any) -> float:
    return float(time.mktime(local))


def _quoted(folder: str) -> str:
    """A folder's name as the protocol writes it: modified UTF-7 (RFC 3501 section 5.1.3) in quotation marks."""
    said: list[str] = []
    other = ""
    for one in [*folder, ""]:
        if one and not " " <= one <= "~":
            other += one
            continue
        if other:
            code = base64.b64encode(other.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",").decode("ascii")
            said.append(f"&{code}-")
            other = ""
        said.append("&-" if one == "&" else f"\\{one}" if one in ('"', "\\") and one else one)
    return '"' + "".join(said) + '"'
