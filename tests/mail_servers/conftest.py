"""The real servers, when this machine has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from allswell.notifications.channels import guarded_http
from tests.mail_servers.servers import DOVECOT, Dovecot

#: these start servers and wait for them: `make test-mail` plays them, the suite does not
collect_ignore_glob = [] if os.environ.get("MAIL_SERVERS") == "1" else ["test_*.py"]


@pytest.fixture
def dovecot(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dovecot]:
    """A fresh Dovecot whose certificate is trusted."""
    if DOVECOT is None or os.geteuid() != 0:
        pytest.skip("Dovecot is not here, or this is not root: make test-mail installs it")
    folder: Path = tmp_path_factory.mktemp("dovecot")
    for one in (folder, *list(folder.parents)[:3]):
        if one.stat().st_uid == os.geteuid() and str(one).startswith("/tmp/"):
            one.chmod(0o755)
    server = Dovecot(folder / "server")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    guarded_http._certificates.cache_clear()
    server.start()
    yield server
    server.stop()
    guarded_http._certificates.cache_clear()
