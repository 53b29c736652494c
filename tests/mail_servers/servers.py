"""Debian's Dovecot with settings of its own in a folder of its own, on a high port; nothing of the machine's is touched."""

from __future__ import annotations

import imaplib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import OperationalError

from allswell.kernel import clock

PASSWORD = "correct-horse"
DOVECOT = shutil.which("dovecot")
#: who has a mailbox
PEOPLE = ("desk", "maria", "amir")


def wait_until(is_so: Callable[[], object], *, within: float = 30.0) -> None:
    """Wait for what another process does. Raises AssertionError when it does not."""
    until = time.monotonic() + within
    while not _holds(is_so):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def _holds(is_so: Callable[[], object]) -> bool:
    try:
        return bool(is_so())
    except OperationalError:  # in memory, SQLite does not wait for who writes
        return False


def patiently(act: Callable[[], object]) -> None:
    """Do it, as soon as the database lets us."""
    wait_until(lambda: (act(), True)[1])


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path, authority: str = "localhost") -> Path:
    """A certificate of its own authority for localhost, with its key beside it. Two that are trusted together need two names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, authority)])
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "cert.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, secret, serialization.NoEncryption()))
    return path


_LMTP = """
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
service lmtp {{
  chroot =
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
protocol lmtp {{
  mail_plugins = sieve
  postmaster_address = postmaster@example.org
  auth_username_format = %Ln
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_extensions = +vacation-seconds
  sieve_vacation_min_period = 0
}}
"""


def _tokens(folder: Path, asks: str) -> str:
    """What lets people sign in with a token that the provider at `asks` knows."""
    (folder / "oauth2.conf").write_text(
        f"introspection_mode = post\nintrospection_url = {asks}/introspect\n"
        "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
    )
    return f"""
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""


class Dovecot:
    """An IMAP server with a few people; with `lmtp` mail can be brought to them at that port, and their Sieve scripts are obeyed."""

    def __init__(self, folder: Path, *, lmtp: int | None = None, asks: str = "") -> None:
        """With `asks`, the address of a provider of tokens, people sign in with those too."""
        self.folder, self.lmtp = folder, lmtp
        self.port, self.plain_port = free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.certificate = certificate(folder)
        (folder / "mail").mkdir()
        os.chown(folder / "mail", 65534, 65534)
        for who in PEOPLE:
            self.home(who).mkdir()
            os.chown(self.home(who), 65534, 65534)
        (folder / "dovecot.conf").write_text(f"""
protocols = imap{" lmtp" if lmtp else ""}
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
first_valid_uid = 0
disable_plaintext_auth = yes
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:~/Maildir
mail_home = {folder}/mail/%n
{_tokens(folder, asks) if asks else ""}
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={folder}/mail/%n allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {self.plain_port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {self.port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
{_LMTP.format(port=lmtp) if lmtp else ""}
""")
        self._process: subprocess.Popen[bytes] | None = None

    def sends_by(self, port: int) -> None:
        """What Sieve scripts say is sent by this server of this machine."""
        with (self.folder / "dovecot.conf").open("a") as file:
            file.write(f"submission_host = 127.0.0.1:{port}\n")

    def home(self, who: str) -> Path:
        """The folder of one of them."""
        return self.folder / "mail" / who

    def start(self) -> None:
        """Start, and wait until it answers."""
        assert DOVECOT
        self._process = subprocess.Popen([DOVECOT, "-F", "-c", str(self.folder / "dovecot.conf")])
        wait_until(self._answers)

    def _answers(self) -> bool:
        context = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with (
                socket.create_connection(("localhost", self.port), 5) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as told,
            ):
                return told.recv(100).startswith(b"* OK")
        except OSError:
            return False

    def stop(self) -> None:
        """End it, and everything it started."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def doveadm(self, *words: str, raw: bytes = b"") -> str:
        """Its own tool."""
        done = subprocess.run(
            ["doveadm", "-c", str(self.folder / "dovecot.conf"), *words], input=raw, capture_output=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def save(self, raw: bytes, who: str = "desk", folder: str = "INBOX") -> None:
        """A mail comes to somebody."""
        self.doveadm("save", "-u", who, "-m", folder, raw=raw)

    def save_of(self, raw: bytes, when: str, who: str = "desk") -> None:
        """A mail that came to somebody long ago."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        with imaplib.IMAP4_SSL("localhost", self.port, ssl_context=context) as client:
            client.login(who, PASSWORD)
            client.append("INBOX", "", when, raw)

    def count(self, who: str = "desk", folder: str = "INBOX", what: str = "ALL") -> int:
        """How many mails lie in a folder."""
        return len(self.doveadm("search", "-u", who, "mailbox", folder, *what.split()).splitlines())
