"""Every dump made at the close of an issue is restored, brought up to this version, and works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import early
from tests.support.desk import Desk

DATABASE = "postgresql" if early.SERVER else "sqlite"
DUMPS = sorted(Path(__file__).parent.glob(f"*-{DATABASE}.tar.gz"))


@pytest.mark.slow
@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.name)
def test_a_desk_of_an_older_version_is_taken_over(dump: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert "can be restored" in desk.run("restore", str(dump), "--verify").stdout
    desk.run("restore", str(dump))
    desk.run("migrate")
    assert json.loads(desk.run("migrate", "--check", "--json").stdout) == {"pending": []}
    assert json.loads(desk.run("clocks", "replay", "--dry-run", "--json").stdout)["differences"] == {}
    desk.token = desk.run("token", "create", "--person", "olga@example.org", "--scope", "all", "--quiet").stdout.strip()
    desk.start()
    try:
        found = json.loads(desk.get("/api/v1/tickets", Authorization=f"Bearer {desk.token}").body)["items"]
        assert {row["title"] for row in found} == {"Account look-up is down", "Printer on fire", "Of another customer"}
        assert desk.post("/api/v1/tickets", kind="incident", title="New", requester="maria@example.org").status == 201
        words = json.loads(desk.get("/api/v1/search?q=printer", Authorization=f"Bearer {desk.token}").body)
        assert words
    finally:
        desk.stop()
    files = [path for path in (tmp_path / "attachments").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [b"smoke " * 100]
