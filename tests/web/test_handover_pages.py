"""The page of a handover, as the one who goes, the one who comes and the others see it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import tickets as desk
from allswell.kernel import clock
from allswell.oncall import queries
from allswell.oncall.models import Handover, Rota
from allswell.people.models import Person
from tests.desk.test_handovers import CHANGE, HOLDING, MINUTE, at, drafted
from tests.desk.test_rotas import HOUR, dbas
from tests.support.world import World

Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def clocks_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)


def read(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


def test_from_the_draft_to_the_shift_taken(world: World, browser: Browser) -> None:
    down = world.report(title="Ledger <is> down", service=world.ledger.pk, impact=1, urgency=1)
    row = drafted(world, HOLDING)
    path = f"/oncall/handovers/{row.pk}"
    amir, priya = browser(world.amir), browser(world.priya)
    assert "You hand" in read(amir, "/oncall/me")
    html = read(amir, path)
    assert "Ledger &lt;is&gt; down" in html
    assert f"/tickets/{down.pk}" in html
    assert "Sign and hand over" in html
    assert "Take the shift</button>" not in html
    assert "stays on call until Priya Nair" in html
    html = read(priya, path)
    assert "You can take it as soon as Amir Haddad has signed" in html
    assert "has written nothing" in html
    assert amir.post(f"{path}/write", {"notes": "Look at **4.18**", "do": "keep"}).status_code == 303
    assert "Look at **4.18**</textarea>" in read(amir, path)
    assert amir.post(f"{path}/write", {"notes": "Look at **4.19**", "do": "sign"}).status_code == 303
    assert "Sign and hand over" not in read(amir, path)
    html = read(priya, path)
    assert "<strong>4.19</strong>" in html
    assert "Take the shift</button>" in html
    assert priya.post(f"{path}/accept").status_code == 303
    assert "Taken" in read(priya, path)
    priya.post(f"{path}/accept")
    assert "The shift is taken already, by Priya Nair." in read(priya, path)
    refused = amir.post(f"{path}/write", {"notes": "Too late", "do": "keep"})
    assert (refused.status_code, b"taken already" in refused.content) == (409, True)


def test_not_taken_it_stands_red_where_one_looks(world: World, browser: Browser) -> None:
    row = drafted(world, HOLDING)
    at(world, CHANGE)
    at(world, CHANGE + 31 * MINUTE)
    for person in (world.lena, world.priya, world.amir):
        html = read(browser(person), "/oncall/")
        assert "Not taken in time." in html
        assert "Amir Haddad stays on call until the shift is taken" in html
    assert "Not taken in time." not in read(browser(world.jonas), "/oncall/")
    html = read(browser(world.lena), f"/oncall/handovers/{row.pk}")
    assert "Priya Nair has not taken the shift in time. Lena Frei was told" in html
    assert "stays on call until the shift is taken" in read(browser(world.jonas), "/oncall/databases/")


def test_only_the_team_and_who_decides_read_it(world: World, browser: Browser) -> None:
    row = drafted(world)
    for person, status in ((world.lena, 200), (world.olga, 200), (world.ada, 200), (world.jonas, 404), (world.audrey, 404)):
        read(browser(person), f"/oncall/handovers/{row.pk}", status)
        read(browser(person), "/oncall/databases/handovers", status)
    assert browser(world.maria).get(f"/oncall/handovers/{row.pk}").status_code == 302  # to the portal
    assert browser(world.lena).post(f"/oncall/handovers/{row.pk}/write", {"notes": "x"}).status_code == 403


def test_a_ticket_one_may_not_see_is_not_listed(world: World, browser: Browser) -> None:
    open_one = world.report(title="Open to all of us", service=world.ledger.pk, impact=1, urgency=1)
    secret = world.report(title="Of the board", service=world.ledger.pk, impact=1, urgency=1)
    desk.restrict(secret.pk, **world.by(world.amir))
    desk.name_people(secret.pk, people=[world.amir.pk], **world.by(world.amir))
    row = drafted(world)
    assert set(row.draft["major"]) == {open_one.pk, secret.pk}
    html = read(browser(world.olga), f"/oncall/handovers/{row.pk}")
    assert "Open to all of us" in html
    assert "Of the board" not in html
    assert re.search(r"Must not drop</h2><div class=\"v\"><b>1</b>", html)
    assert "Of the board" in read(browser(world.amir), f"/oncall/handovers/{row.pk}")


def test_the_list_of_a_rota_says_who_took_it_and_how_late(world: World, browser: Browser) -> None:
    row = drafted(world)
    at(world, CHANGE + HOUR)
    assert browser(world.priya).post(f"/oncall/handovers/{row.pk}/accept").status_code == 303
    html = read(browser(world.lena), "/oncall/databases/handovers")
    assert "Amir Haddad to Priya Nair" in html
    assert "1 h late" in html
    assert "/oncall/databases/handovers" in read(browser(world.amir), "/oncall/databases/")


def test_the_form_of_a_rota_asks_whether_shifts_are_handed_over(world: World, browser: Browser) -> None:
    dbas(world)
    lena = browser(world.lena)
    html = read(lena, "/oncall/databases/edit")
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    sent |= {"name": "Databases", "zone": "UTC", "minimum_rest": "11", "handover": "1", "handover_holds": "1"}
    sent |= {"l0_name": "Level 1", "l0_level": "1", "l0_people": "Amir Haddad\nPriya Nair", "l0_every": "1", "l0_unit": "week"}
    sent |= {"l0_first_on": "2026-11-23", "l0_first_time": "09:00", "l0_on_leave": "next", "l0_rank": "0"}
    wrong = lena.post("/oncall/databases/edit", {**sent, "handover_within": "3", "do": "preview"})
    assert (wrong.status_code, b"Use between 5 and 240 minutes." in wrong.content) == (422, True)
    seen = lena.post("/oncall/databases/edit", {**sent, "handover_within": "20", "do": "preview"}).content.decode()
    (mark,) = re.findall(r'name="mark" value="(\w+)"', seen)
    done = lena.post("/oncall/databases/edit", {**sent, "handover_within": "20", "mark": mark, "do": "save"})
    assert done.status_code == 303
    handing = queries.definition(Rota.objects.get()).handover
    assert (handing.wanted, handing.within, handing.holds) == (True, 20, True)
    assert 'value="20"' in read(lena, "/oncall/databases/edit")


def test_it_asks_the_database_a_bounded_number_of_times(world: World, browser: Browser) -> None:
    for number in range(8):
        world.report(title=f"Down {number}", service=world.ledger.pk, impact=1, urgency=1)
    row = drafted(world, HOLDING)
    paths = {world.amir: [f"/oncall/handovers/{row.pk}", "/oncall/", "/oncall/me", "/oncall/databases/handovers"]}
    paths[world.lena] = paths[world.amir]
    person: Person
    for person, found in paths.items():
        client = browser(person)
        for path in found:
            read(client, path)
            with CaptureQueriesContext(connection) as asked:
                read(client, path)
            assert len(asked) <= 15, path


def test_in_german(world: World, browser: Browser) -> None:
    row = drafted(world, HOLDING)
    Person.objects.filter(pk=world.amir.pk).update(locale="de")
    html = read(browser(world.amir), f"/oncall/handovers/{row.pk}")
    assert "Unterschreiben und übergeben" in html
    assert Handover.objects.get().state == "drafted"
