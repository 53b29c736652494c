"""The real servers, when this machine has them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from allswell.notifications.channels import guarded_http
from tests.mail_servers.provider import Provider
from tests.mail_servers.servers import DOVECOT, Dovecot

#: these start servers and wait for them: `make test-mail` plays them, the suite does not
collect_ignore_glob = [] if os.environ.get("MAIL_SERVERS") == "1" else ["test_*.py"]


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder where servers may read as nobody; pytest's own are closed again whenever another run of it begins."""
    with tempfile.TemporaryDirectory(prefix="allswell-mail-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def provider(open_folder: Path) -> Iterator[Provider]:
    """Who gives tokens."""
    with Provider(open_folder) as one:
        yield one


@pytest.fixture
def dovecot(open_folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dovecot]:
    """A fresh Dovecot whose certificate is trusted; where a test has a provider of tokens, it takes those of it."""
    if DOVECOT is None or os.geteuid() != 0:
        pytest.skip("Dovecot is not here, or this is not root: make test-mail installs it")
    asks = request.getfixturevalue("provider").inside if "provider" in request.fixturenames else ""
    server = Dovecot(Path(tempfile.mkdtemp(dir=open_folder)), asks=asks)
    if asks:
        request.getfixturevalue("provider").is_trusted_with(server.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    guarded_http._certificates.cache_clear()
    server.start()
    yield server
    server.stop()
    guarded_http._certificates.cache_clear()
