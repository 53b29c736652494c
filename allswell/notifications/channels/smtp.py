"""Mail out by SMTP. One connection serves a batch; nothing here knows the database."""

from __future__ import annotations

import smtplib
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from allswell.notifications.signing import Signer

TIMEOUT = 10.0  # seconds for each answer of the server
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}


class BadAddress(Exception):
    """ALLSWELL_SMTP_URL cannot be understood."""


class ServerDown(Exception):
    """The server cannot be spoken to: nothing was sent, and nothing else will be for now."""


class NotTaken(Exception):
    """The server answered, and did not take this mail. `status` is its code; `is_final`: it never will."""

    def __init__(self, status: int, said: str, *, is_final: bool, is_bad_address: bool = False) -> None:
        super().__init__(said)
        self.status, self.is_final, self.is_bad_address = status, is_final, is_bad_address


class Unsure(Exception):
    """The connection broke while the mail was handed over: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go. `security`: "starttls", "tls" or "none"."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""

    @classmethod
    def parse(cls, url: str) -> Server:
        """From smtp:// (STARTTLS), smtps:// or smtp+plain://. Raises BadAddress."""
        parts = urlsplit(url)
        try:
            port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            raise BadAddress("ALLSWELL_SMTP_URL must be smtp://, smtps:// or smtp+plain:// with host and port.") from None
        if not parts.hostname:
            raise BadAddress("ALLSWELL_SMTP_URL names no host.")
        security = {"smtp": "starttls", "smtps": "tls"}.get(parts.scheme, "none")
        return cls(parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or ""))


class Connection:
    """A conversation with the server, opened at once and used for many mails. Raises ServerDown."""

    def __init__(self, server: Server, *, within: float | None = None, signer: Signer | None = None) -> None:
        """`within`: seconds for everything until it is closed; each answer gets at most what is left of them. `signer` signs each mail."""
        self._signer = signer
        self._ends = None if within is None else time.monotonic() + within
        try:
            self._smtp = self._open(server)
        except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
            raise ServerDown(_described(error)) from error

    def _left(self, smtp: smtplib.SMTP | None = None) -> float:
        """Seconds the next answer may take. Raises OSError when none are left."""
        left = TIMEOUT if self._ends is None else min(TIMEOUT, self._ends - time.monotonic())
        if left <= 0:
            raise TimeoutError("it took too long")
        if smtp is not None and smtp.sock is not None:
            smtp.sock.settimeout(left)
        return left

    def _open(self, server: Server) -> smtplib.SMTP:
        if server.security == "tls":
            context = ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._left(), context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._left())
        try:
            if server.security == "starttls":
                self._left(smtp)
                smtp.starttls(context=ssl.create_default_context())
            if server.user:
                self._left(smtp)
                smtp.login(server.user, server.password)
            self._left(smtp)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye, if somebody still listens."""
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()

    def send(self, mail: EmailMessage) -> str:
        """Hand a mail over; what the server said. Raises NotTaken, Unsure, ServerDown."""
        sender, receiver = parseaddr(str(mail["From"]))[1], parseaddr(str(mail["To"]))[1]
        raw = mail.as_bytes()
        if self._signer is not None:
            raw = self._signer.signed(raw, sender=sender)
        try:
            self._left(self._smtp)
            self._step(self._smtp.mail(sender), is_about_sender=True)
            self._left(self._smtp)
            self._step(self._smtp.rcpt(receiver), is_about_address=True)
            self._left(self._smtp)
        except (OSError, smtplib.SMTPException) as error:
            raise ServerDown(_described(error)) from error
        try:
            code, said = self._smtp.data(raw)
        except smtplib.SMTPDataError as error:
            code, said = error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
        except (OSError, smtplib.SMTPException) as error:
            raise Unsure(_described(error)) from error
        self._step((code, said))
        return said.decode("ascii", "replace")[:200]

    def _step(self, answer: tuple[int, bytes], *, is_about_sender: bool = False, is_about_address: bool = False) -> None:
        code, raw = answer
        if 200 <= code < 300:
            return
        said = " ".join(raw.decode("ascii", "replace").split())[:200]
        try:
            self._smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()
        if code == 421:
            raise ServerDown(f"{code} {said}")
        # a refusal by policy (5.7.x: relaying, authentication) is our set-up's fault, not this mail's: it can be mended
        is_final = code >= 500 and not is_about_sender and not said.startswith("5.7.")
        is_bad = is_final and is_about_address and said.startswith(("5.1.1", "5.1.2", "5.1.3", "5.1.10"))
        raise NotTaken(code, f"{code} {said}", is_final=is_final, is_bad_address=is_bad)


def _described(error: BaseException) -> str:
    """What the server or the network said, in one line; never what we sent (it may hold the password)."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{error.smtp_code} the server refused user name and password"
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error.decode("ascii", "replace") if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
        return f"{error.smtp_code} {' '.join(said.split())[:200]}"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
