"""The story of a night that starts in a real Alertmanager: incident, page, one thumb, and the end that monitoring tells."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.night import until
from tests.support.desk import Desk
from tests.support.receiver import Receiver

from .monitors import one_alertmanager, tell
from .stage import Stage

_CAST = """
import django; django.setup()
from allswell.desk import policies, sealing
from allswell.kernel import clock
from allswell.notifications.models import ContactMethod
from tests.support.world import World
world = World()
world.now = clock.now()
for person in (world.amir, world.priya):
    ContactMethod.objects.create(
        person=person, kind="webhook", address=sealing.seal(%r + person.name.split()[0].lower()), shown="…",
        created_at=world.now, verified_at=world.now,
    )
steps = [{"targets": [{"kind": "person", "person": one.pk}], "wait": 60} for one in (world.amir, world.priya)]
row = policies.create_policy(name="Databases", team="databases", definition={"steps": steps}, **world.by(world.lena))
policies.use_for_service(world.lookup.slug, policy=row.pk, **world.by(world.lena))
print(world.lookup.slug)
"""


@pytest.fixture
def phones() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def _page_to(phones: Receiver, who: str, number: int) -> str:
    """The address in the page that came to somebody's phone, "" while none came."""
    for call in list(phones.calls):
        page = json.loads(call.body)["data"]
        if call.path == f"/{who}" and page["number"] == number:
            return str(page["link"])
    return ""


def _has_it(link: str) -> str:
    """What a thumb does: open the page of a page, and press the one button."""
    with urllib.request.urlopen(link, timeout=20) as answer:
        page = answer.read().decode()
    assert "Nobody has it yet." in page
    button = re.search(r'name="do" value="(\w+)"[^>]*>(?:(?!</button>|</form>).)*I have it', page, re.S)
    assert button is not None, page
    asked = urllib.request.Request(link, urllib.parse.urlencode({"do": button[1]}).encode(), {"Origin": link.partition("/p/")[0]})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return str(answer.read().decode())


@pytest.mark.timeout(300)
def test_an_alertmanager_fires_a_person_is_paged_and_has_it_and_its_end_ends_it(tmp_path: Path, phones: Receiver) -> None:
    desk = Desk(tmp_path, ALLSWELL_OUTGOING_ALLOW="127.0.0.1")
    desk.run("migrate")
    service = desk.python(_CAST % f"http://127.0.0.1:{phones.port}/")
    desk.token = desk.run("token", "create", "--person", "amir@example.org", "--scope", "all", "--quiet").stdout.strip()
    stage = Stage(desk, tmp_path, 0)
    source = stage.source("Alertmanager", "alertmanager")
    stage.make_sources()
    desk.start()
    try:
        process, port = one_alertmanager(source, tmp_path / "alertmanager")
        with process:
            began = datetime.now(UTC)
            tell(port, began, 600, "db1", "db2", service=service)
            number = source.until_it_fires()["ticket"]
            source.until("both", lambda alerts: len(alerts) == 2)
            until(lambda: bool(_page_to(phones, "amir", number)), seconds=60, what="Amir's phone")
            assert "You have it." in _has_it(_page_to(phones, "amir", number))
            ticket = stage.read(f"/tickets/{number}")
            assert (ticket["priority"], ticket["assignee"]["name"]) == (1, "Amir Haddad")
            tell(port, began, 0, "db1", service=service)
            source.until("db1 is well", lambda alerts: {one["state"] for one in alerts} == {"firing", "resolved"})
            assert stage.read(f"/tickets/{number}")["restored_at"] is None
            tell(port, began, 0, "db1", "db2", service=service)
            source.until_it_is_over()
            until(lambda: stage.read(f"/tickets/{number}")["restored_at"] is not None, seconds=30, what="the service works again")
        assert _verbs(desk, number, resolution="The standby was promoted.")["state"] == "resolved"
        assert {one["ticket"] for one in source.alerts()} == {number}
        assert not _page_to(phones, "priya", number)
    finally:
        desk.stop()


def _verbs(desk: Desk, number: int, **content: Any) -> dict[str, Any]:
    """Amir wrote what it was; the incident is solved."""
    answer = desk.post(f"/api/v1/tickets/{number}/resolve", **content)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found
