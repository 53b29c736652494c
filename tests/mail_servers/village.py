"""A village with a post office: Debian's Postfix between a desk and its people, whose mail lies at a Dovecot with Pigeonhole.

People of example.org have mailboxes and may leave a vacation script there. Those of rude.example have none: a program answers whatever
comes for them, from their own address and without a word about being a program. All is in a folder, at high ports of this machine.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import shutil
import smtplib
import socket
import subprocess
import threading
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope

from tests.mail_servers.servers import DOVECOT, Dovecot, free_port, wait_until

POSTFIX = shutil.which("postfix")
#: it writes into the head of a mail what it knows of the sender, as a server does that checks signatures
SERVER = "mx.example.org"
SUPPORT = "support@desk.example"
_NOBODY = 65534

_SERVICES = (
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "pickup unix n - n 60 1 pickup",
    "tlsmgr unix - - n 1000? 1 tlsmgr",
    "rewrite unix - - n - - trivial-rewrite",
    "bounce unix - - n - 0 bounce",
    "defer unix - - n - 0 bounce",
    "trace unix - - n - 0 bounce",
    "verify unix - - n - 1 verify",
    "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap",
    "smtp unix - - n - - smtp",
    "relay unix - - n - - smtp",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "discard unix - - n - - discard",
    "lmtp unix - - n - - lmtp",
    "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache",
    "postlog unix-dgram n - n - 1 postlogd",
)


class Program:
    """It takes what comes for people of rude.example and answers it, again and again, without a word about itself."""

    def __init__(self) -> None:
        self.port, self.answers_by = free_port(), 0
        self.answered: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Listen by LMTP."""
        made = self._loop.create_server(lambda: LMTP(self), "127.0.0.1", self.port)
        self._server = asyncio.run_coroutine_threadsafe(made, self._loop).result(20)

    def stop(self) -> None:
        """Listen no more."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:
        """What LMTP calls: a mail has come."""
        for recipient in envelope.rcpt_tos:
            if envelope.mail_from:
                await asyncio.to_thread(self._answer, recipient, bytes(envelope.content or b""))
        return "250 It is answered."

    def _answer(self, recipient: str, raw: bytes) -> None:
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        said = EmailMessage()
        said["From"], said["To"] = recipient, str(mail["Reply-To"] or mail["From"])
        said["Subject"] = f"Re: {mail['Subject']}"
        said["Message-ID"] = make_msgid(domain="rude.example")
        said["In-Reply-To"] = said["References"] = str(mail["Message-ID"])
        said.set_content("Your words have reached the office; somebody writes back.")
        with smtplib.SMTP("127.0.0.1", self.answers_by) as server:
            server.send_message(said, from_addr=recipient, to_addrs=[parseaddr(str(said["To"]))[1]])
        self.answered.append(recipient)


class Postfix:
    """A mail server that brings everything to where it belongs, within this machine."""

    def __init__(self, folder: Path, *, to_people: int, to_desk: int, to_program: int) -> None:
        self.folder, self.port = folder, free_port()
        self.settings = folder / "etc"
        for one in (folder, self.settings, folder / "queue"):
            one.mkdir(parents=True)
            one.chmod(0o755)
        (folder / "data").mkdir()
        shutil.chown(folder / "data", "postfix")
        said = "PREPEND Authentication-Results: {server}; dmarc=pass header.from={domain}"
        proven = ", ".join(
            f"{{ {domain} = {said.format(server=SERVER, domain=domain)} }}" for domain in ("example.org", "rude.example")
        )
        routes = f"{{ example.org = lmtp:inet:127.0.0.1:{to_people} }}, {{ desk.example = lmtp:inet:127.0.0.1:{to_desk} }}"
        (self.settings / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
myhostname = {SERVER}
myorigin = example.org
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtputf8_enable = no
smtp_dns_support_level = disabled
relay_domains = example.org desk.example rude.example
transport_maps = inline:{{ {routes}, {{ rude.example = lmtp:inet:127.0.0.1:{to_program} }} }}
default_transport = error:no such place
recipient_delimiter = +
smtpd_client_connection_count_limit = 0
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_data_restrictions = check_sender_access inline:{{ {proven} }}
minimal_backoff_time = 5s
queue_run_delay = 5s
""")
        lines = [f"127.0.0.1:{self.port} inet n - n - - smtpd", *_SERVICES]
        (self.settings / "master.cf").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        assert POSTFIX
        self._process = subprocess.Popen([POSTFIX, "-c", str(self.settings), "start-fg"], start_new_session=True)
        wait_until(self._answers, within=60)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as told:
                return told.recv(100).startswith(b"220")
        except OSError:
            return False

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            subprocess.run([POSTFIX or "postfix", "-c", str(self.settings), "stop"], check=False, capture_output=True)
            self._process.wait(30)
            self._process = None

    def waiting(self) -> list[str]:
        """What it has not brought yet."""
        done = subprocess.run(["postqueue", "-c", str(self.settings), "-j"], check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    def log(self) -> str:
        """What it has said."""
        return (self.folder / "log").read_text(errors="replace")

    def send(self, mail: EmailMessage, sender: str, *recipients: str) -> None:
        """Somebody's program hands a mail in."""
        with smtplib.SMTP("127.0.0.1", self.port) as server:
            server.send_message(mail, from_addr=sender, to_addrs=list(recipients))


class Village:
    """The servers, and what people do there."""

    def __init__(self, folder: Path) -> None:
        self.desk_port = free_port()
        self.people = Dovecot(folder / "dovecot", lmtp=free_port())
        assert self.people.lmtp is not None
        self.program = Program()
        self.office = Postfix(
            folder / "postfix", to_people=self.people.lmtp, to_desk=self.desk_port, to_program=self.program.port
        )
        self.program.answers_by = self.office.port
        self.people.sends_by(self.office.port)

    def start(self) -> None:
        """Open."""
        self.people.start()
        self.program.start()
        self.office.start()

    def stop(self) -> None:
        """Close."""
        self.office.stop()
        self.program.stop()
        self.people.stop()

    def letters(self, who: str) -> list[EmailMessage]:
        """What lies in somebody's mailbox, the oldest first."""
        box = self.people.home(who) / "Maildir"
        found = sorted((one for one in box.glob("*/*") if one.parent.name in ("new", "cur")), key=lambda one: one.name)
        return [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in found if one.is_file()]  # type: ignore[misc]

    def writes(
        self, who: str, subject: str, text: str, *, to: str = SUPPORT, copy: str = "", answers: EmailMessage | None = None
    ) -> str:
        """Somebody writes a mail, or an answer as mail programs make it; its Message-ID."""
        mail = EmailMessage()
        address = who if "@" in who else f"{who}@example.org"
        mail["From"], mail["To"], mail["Subject"] = address, to, subject
        if copy:
            mail["Cc"] = copy
        mail["Message-ID"] = make_msgid(domain=address.partition("@")[2])
        if answers is not None:
            mail["In-Reply-To"] = str(answers["Message-ID"])
            mail["References"] = f"{answers['References'] or ''} {answers['Message-ID']}".strip()
        mail.set_content(text)
        self.office.send(mail, address, *(parseaddr(one)[1] for one in (to, *filter(None, [copy]))))
        return str(mail["Message-ID"])

    def answers(self, who: str, letter: EmailMessage, text: str, *, copy: str = "") -> str:
        """Somebody answers a letter, to where it wants its answers, with its words quoted."""
        plain = letter.get_body(("plain",))
        quoted = "\n".join(f"> {line}" for line in (plain.get_content() if plain else "").splitlines()[:20])
        subject = str(letter["Subject"])
        to = str(letter["Reply-To"] or letter["From"])
        text = f"{text}\n\nOn Monday, Support wrote:\n{quoted}\n"
        return self.writes(
            who, subject if subject.startswith("Re:") else f"Re: {subject}", text, to=to, copy=copy, answers=letter
        )

    def is_away(self, who: str) -> None:
        """Somebody goes on holiday: whoever writes is told each time."""
        script = self.people.home(who) / ".dovecot.sieve"
        script.parent.mkdir(exist_ok=True)
        script.write_text(
            'require ["vacation", "vacation-seconds"];\n'
            f'vacation :seconds 0 :addresses ["{who}@example.org"] :subject "Away" "I am on holiday until Monday.";\n'
        )
        for one in (script.parent, script):
            os.chown(one, _NOBODY, _NOBODY)


def can_be() -> bool:
    """Whether this machine has what the village is made of."""
    return bool(DOVECOT and POSTFIX and os.geteuid() == 0 and Path("/usr/lib/dovecot/modules/lib90_sieve_plugin.so").exists())
