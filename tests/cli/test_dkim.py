"""A key that signs mail is made, and the doctor says whether others can find its public half."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dns import exception, rdatatype, resolver
from dns.rrset import from_text_list

from allswell.cli import doctor_dkim
from allswell.cli.findings import Finding
from allswell.notifications import signing
from allswell.notifications.rules.signing import Place
from tests.support.world import World

from .conftest import Done

Make = Callable[..., Done]
NAME = "allswell._domainkey.example.org"


@pytest.fixture(autouse=True)
def desk(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR, settings.MAIL_FROM = tmp_path, "Service desk <desk@example.org>"
    settings.SMTP_URL, settings.DKIM_KEYS = "smtp+plain://localhost:1", []


@pytest.fixture
def make(world: World, allswell: Callable[..., Done]) -> Make:
    """`allswell mail dkim` with these words."""
    return lambda *words: allswell("mail", "dkim", *words)


def published(monkeypatch: pytest.MonkeyPatch, *records: str, error: Exception | None = None) -> None:
    """What the name servers say from now on."""

    def answered(name: str, kind: str, **_: Any) -> Any:
        assert (name, kind) == (f"{NAME}.", "TXT")
        if error is not None:
            raise error
        return from_text_list(name, 60, "IN", rdatatype.TXT, list(records)) if records else []

    monkeypatch.setattr(resolver, "resolve", answered)


def findings(settings: Any, *, selector: str = "allswell") -> list[Finding]:
    settings.DKIM_KEYS = [Place(selector, settings.DATA_DIR / "dkim-allswell.pem")]
    return list(doctor_dkim.look())


def test_a_key_is_made_once_and_shown_never(make: Make, tmp_path: Path) -> None:
    first = make()
    path = tmp_path / "dkim-allswell.pem"
    assert (first.code, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    pem = path.read_text()
    assert f"{NAME}. IN TXT" in first.out
    setting = next(line for line in first.out.splitlines() if line.startswith("ALLSWELL_DKIM_KEYS="))
    assert shlex.split(setting) == [f"ALLSWELL_DKIM_KEYS=allswell:{path}"]
    assert not any(line in first.out for line in pem.splitlines() if line)
    again = make()
    assert (again.code, path.read_text()) == (0, pem)
    assert "there already" in again.out


def test_what_cannot_be_made_is_one_line(make: Make, settings: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(b"something else")
    done = [make("--selector", "no_such thing"), make("--file", str(other)), make("--file", str(other / "below.pem"))]
    settings.MAIL_FROM = ""
    done.append(make())
    assert [one.code for one in done] == [2, 1, 1, 2]
    assert [len(one.err.splitlines()) for one in done] == [1, 1, 1, 1]
    assert other.read_bytes() == b"something else"
    assert "ALLSWELL_MAIL_FROM" in done[-1].err


def test_the_doctor_says_whether_others_find_it(
    make: Make, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("--kind", "ed25519")
    record = signing.load(Place("allswell", tmp_path / "dkim-allswell.pem")).record
    for said, state, words in (
        ([f'"{record}"'], "good", "is published"),
        ([f'"{record[:30]}" "{record[30:]}"'], "good", "is published"),
        (['"v=DKIM1; k=ed25519; p=AAAA"'], "bad", "names another key"),
        (['"v=spf1 -all"'], "bad", "is not published"),
        ([], "bad", "is not published"),
    ):
        published(monkeypatch, *said)
        (found,) = findings(settings)
        assert (found.state, words in found.found) == (state, True), found
        assert (state == "good") or record in found.advice.replace('" "', "")
    published(monkeypatch, error=resolver.NXDOMAIN())
    assert findings(settings)[0].state == "bad"
    published(monkeypatch, error=exception.Timeout())
    (found,) = findings(settings)
    assert (found.state, "could not be asked" in found.found) == ("note", True)


def test_the_doctor_says_that_a_key_is_open_to_all_or_none(
    make: Make, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("--kind", "ed25519")
    published(monkeypatch)
    (tmp_path / "dkim-allswell.pem").chmod(0o604)
    assert "Everybody" in findings(settings)[0].found
    (tmp_path / "dkim-allswell.pem").write_bytes(b"nothing")
    (found,) = findings(settings)
    assert (found.state, "without this signature" in found.found) == ("bad", True)
    settings.DKIM_KEYS = []
    assert [one.state for one in doctor_dkim.look()] == ["note"]
    settings.SMTP_URL = ""
    assert list(doctor_dkim.look()) == []
