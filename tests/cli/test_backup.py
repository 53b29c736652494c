"""A backup is made while the desk runs, proves itself, and brings everything back. A forged one is refused before writing (A43)."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from allswell.cli import archive
from tests.support import early
from tests.support.desk import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    try:
        desk.set_up()
        desk.start()
        made = desk.post("/api/v1/tickets", kind="incident", title="Printer on fire", requester="ada@example.org")
        assert made.status == 201
        desk.attach(json.loads(made.body)["number"], "smoke.txt", b"smoke " * 1000)
        yield desk
    finally:
        desk.stop()


@pytest.fixture(scope="module")
def backup(desk: Desk) -> Path:
    """A backup of the running desk."""
    path = desk.home.parent / "backup.tar.gz"
    done = desk.run("backup", str(path), "--with-key", "--json")
    report = json.loads(done.stdout)
    assert (report["counts"]["tickets_ticket"], report["files"]) == (1, 2)
    assert path.stat().st_mode & 0o077 == 0
    return path


def test_a_backup_proves_itself_and_changes_nothing(desk: Desk, backup: Path) -> None:
    before = sorted(path.name for path in desk.home.iterdir())
    done = desk.run("restore", str(backup), "--verify")
    assert "can be restored: 1 tickets and 1 files" in done.stdout
    assert sorted(path.name for path in desk.home.iterdir()) == before
    again = desk.run("backup", str(backup), check=False)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


def test_nothing_is_restored_over_a_running_desk(desk: Desk, backup: Path) -> None:
    desk.start()
    while "heartbeat_age_seconds{" not in desk.get("/metrics").body.decode():
        pass
    done = desk.run("restore", str(backup), "--replace", check=False)
    assert done.returncode == 1
    assert "Stop it first" in done.stderr


def test_a_backup_brings_everything_back(desk: Desk, backup: Path) -> None:
    desk.start()
    desk.post("/api/v1/tickets", kind="incident", title="After the backup", requester="ada@example.org")
    desk.stop()
    refused = desk.run("restore", str(backup), check=False)
    assert refused.returncode == 2
    assert "--replace" in refused.stderr
    desk.run("restore", str(backup), "--replace")
    desk.start()
    listed = json.loads(desk.get("/api/v1/tickets", Authorization=f"Bearer {desk.token}").body)
    assert [row["title"] for row in listed["items"]] == ["Printer on fire"]
    files = [path for path in (desk.home / "attachments").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [b"smoke " * 1000]


def test_a_new_machine_takes_the_backup(backup: Path, tmp_path: Path) -> None:
    other = Desk(tmp_path)
    other.run("restore", str(backup))
    other.token = ""
    other.start()
    assert other.get("/readyz").status == 200
    other.stop()


def rebuilt(source: Path, target: Path, change: Callable[[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]], None]) -> Path:
    """A copy of an archive with something changed: `change` gets the manifest and the entries."""
    entries = []
    with tarfile.open(source) as tar:
        for entry in tar:
            stream = tar.extractfile(entry)
            entries.append((entry, stream.read() if stream else b""))
    manifest = json.loads(entries.pop(0)[1])
    change(manifest, entries)
    words = json.dumps(manifest).encode()
    head = tarfile.TarInfo(archive.MANIFEST)
    head.size = len(words)
    with tarfile.open(target, "w") as tar:
        for entry, content in [(head, words), *entries]:
            tar.addfile(entry, io.BytesIO(content))
    return target


def _named(name: str) -> Callable[..., None]:
    def change(manifest: dict[str, Any], entries: list[Any]) -> None:
        manifest["items"][1]["name"] = entries[1][0].name = name

    return change


def _symlink(manifest: dict[str, Any], entries: list[Any]) -> None:
    entries[1][0].type, entries[1][0].linkname, entries[1][0].size = tarfile.SYMTYPE, "/etc/passwd", 0


def _hard_link(manifest: dict[str, Any], entries: list[Any]) -> None:
    entries[1][0].type, entries[1][0].linkname, entries[1][0].size = tarfile.LNKTYPE, "../../etc/passwd", 0


def _device(manifest: dict[str, Any], entries: list[Any]) -> None:
    entries[1][0].type, entries[1][0].size = tarfile.CHRTYPE, 0


def _extra(manifest: dict[str, Any], entries: list[Any]) -> None:
    extra = tarfile.TarInfo("attachments/extra")
    entries.append((extra, b""))


def _twice(manifest: dict[str, Any], entries: list[Any]) -> None:
    entries.append(entries[1])


def _missing(manifest: dict[str, Any], entries: list[Any]) -> None:
    entries.pop()


def _longer(manifest: dict[str, Any], entries: list[Any]) -> None:
    manifest["items"][1]["size"] += 1


def _altered(manifest: dict[str, Any], entries: list[Any]) -> None:
    entries[1] = (entries[1][0], b"x" * len(entries[1][1]))


def _other_format(manifest: dict[str, Any], entries: list[Any]) -> None:
    manifest["format"] = 2


def _newer(manifest: dict[str, Any], entries: list[Any]) -> None:
    manifest["migrations"].append("tickets.0999_later")


def _lying(manifest: dict[str, Any], entries: list[Any]) -> None:
    manifest["counts"]["tickets_ticket"] = 7


def _not_json(manifest: dict[str, Any], entries: list[Any]) -> None:
    manifest["items"] = "many"


def _huge(manifest: dict[str, Any], entries: list[Any]) -> None:
    manifest["items"][1]["size"] = 10**15


FORGERIES = {
    "climbs out": _named("attachments/../../evil"),
    "absolute": _named("/etc/cron.d/evil"),
    "elsewhere": _named("allswell.sqlite3-wal"),
    "backslash": _named("attachments\\..\\evil"),
    "hidden": _named("attachments/.htaccess"),
    "symlink": _symlink,
    "hard link": _hard_link,
    "device": _device,
    "not listed": _extra,
    "listed once, there twice": _twice,
    "missing": _missing,
    "longer": _longer,
    "altered": _altered,
    "another format": _other_format,
    "newer version": _newer,
    "other counts": _lying,
    "no manifest": _not_json,
    "huge": _huge,
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_backup_is_refused_and_leaves_nothing(how: str, backup: Path, desk: Desk, tmp_path: Path) -> None:
    forged = rebuilt(backup, tmp_path / "forged.tar", FORGERIES[how])
    home = tmp_path / "home"
    home.mkdir()
    settings = {} if not early.SERVER else {"ALLSWELL_DATABASE_URL": desk.environment["ALLSWELL_DATABASE_URL"]}
    other = Desk(home, **settings)
    done = other.run("restore", str(forged), "--verify" if early.SERVER else "--replace", check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in home.iterdir()} <= {"secret.key", "allswell.sqlite3"}
    if not early.SERVER:
        with closing(sqlite3.connect(home / "allswell.sqlite3")) as database:
            assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["forged.tar", "home"]


def test_what_is_no_backup_is_refused(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    assert desk.run("restore", str(tmp_path / "text"), "--verify", check=False).returncode == 1
    assert desk.run("restore", str(tmp_path / "nothing"), "--verify", check=False).returncode == 2
