"""Agents at their desk: the queue, a ticket, what is done there, and what others must not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import tickets as desk
from allswell.notifications.models import Delivery
from allswell.tickets.models import Comment, CustomField, Draft, Ticket
from allswell.tickets.rules import Kind, LinkKind, WaitingOn, reference
from tests.support.world import World

Browser = Callable[..., Client]


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined]


def test_the_queue_is_grouped_by_what_needs_attention_next(world: World, browser: Browser) -> None:
    world.report(title="Printer squeaks", service="printing", can_work="yes")
    world.report(title="Nobody can work", service="account-look-up", can_work="no")
    waits = world.report(title="Vendor looks at it", service="printing")
    desk.wait(waits.pk, on=WaitingOn.SUPPLIER, **world.by(world.jonas))
    page = text(browser(world.jonas).get("/desk/service-desk"))
    places = [
        page.index(words) for words in ("Act first", "Nobody can work", "Printer squeaks", "Clock stopped", "Vendor looks at it")
    ]
    assert places == sorted(places)


def test_a_page_of_fifty_costs_few_queries_whatever_is_in_it(world: World, browser: Browser) -> None:
    client = browser(world.jonas)
    used = []
    for many in (2, 58):
        for number in range(many):
            world.report(title=f"Case {number}", service="printing")
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page = text(client.get("/desk/service-desk"))
        used.append(len(caught))
    assert page.count('class="tk ') == 50
    assert used[0] == used[1] <= 15


def test_the_next_page_goes_on_where_the_first_ended(world: World, browser: Browser) -> None:
    numbers = [world.report(title=f"Case {number}", service="printing").pk for number in range(60)]
    client = browser(world.jonas)
    first = text(client.get("/desk/service-desk"))
    after = first.split("after=")[1].split('"')[0]
    second = text(client.get(f"/desk/service-desk?after={after}"))
    seen = [number for number in numbers if f'id="t{number}"' in first] + [n for n in numbers if f'id="t{n}"' in second]
    assert sorted(seen) == numbers


def test_filters_stand_in_the_address_and_can_be_taken_away(world: World, browser: Browser) -> None:
    world.report(title="Paper jam", service="printing")
    world.report(title="No connection", service="account-look-up")
    page = text(browser(world.jonas).get("/desk/all?service=printing&q=paper"))
    assert "Paper jam" in page
    assert "No connection" not in page
    assert 'href="/desk/all?q=paper"' in page
    nothing = text(browser(world.jonas).get("/desk/all?service=printing&q=elephant"))
    assert "No ticket matches these 2 filters." in nothing


def test_with_nothing_to_do_the_desk_names_what_has_no_one(world: World, browser: Browser) -> None:
    world.report(title="Paper jam", service="printing")
    page = text(browser(world.jonas).get("/desk/"))
    assert "1 ticket has no one yet" in page
    assert 'href="/desk/triage"' in page


def test_a_requester_is_led_to_the_portal_and_a_stranger_to_the_sign_in(world: World, browser: Browser) -> None:
    assert browser(world.maria).get("/desk/").headers["Location"] == "/"
    assert browser(None).get("/desk/").headers["Location"].startswith("/sign-in")


def test_another_customer_sees_neither_row_nor_page_nor_counter(world: World, browser: Browser) -> None:
    ticket = world.report(title="Secret outage")
    client = browser(world.oskar)
    assert "Secret outage" not in text(client.get("/desk/all"))
    assert "Secret outage" not in text(client.get("/search?q=secret"))
    assert "Secret outage" not in text(client.get("/palette?q=secret"))
    assert client.get(f"/tickets/{ticket.pk}").status_code == 404
    assert client.get(f"/INC-{ticket.pk}").status_code == 404
    assert client.post(f"/tickets/{ticket.pk}/take").status_code == 404
    assert client.get(f"/tickets/{ticket.pk}/edit").status_code == 404


def test_a_ticket_tells_its_story_in_few_queries(world: World, browser: Browser) -> None:
    ticket = world.report(service="account-look-up")
    desk.take(ticket.pk, **world.by(world.jonas))
    for number in range(12):
        world.forward(minutes=1)
        desk.reply(ticket.pk, body=f"We are at step {number}.", **world.by(world.jonas))
        desk.note(ticket.pk, body="Pool is **full**", **world.by(world.amir))
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="Pool is full", tried="Restarted", **world.by(world.jonas))
    client = browser(world.jonas)
    with CaptureQueriesContext(connection) as caught:
        page = text(client.get(f"/tickets/{ticket.pk}"))
    assert len(caught) <= 15, [one["sql"][:150] for one in caught]
    assert "Pool is <strong>full</strong>" in page
    assert "handed it over from" in page
    assert "Databases" in page
    preview = text(client.get(f"/tickets/{ticket.pk}", headers={"HX-Request": "true"}))
    assert "<html" not in preview
    assert "Last note" in preview


def test_the_story_calls_other_tickets_by_their_references(world: World, browser: Browser) -> None:
    one, another = world.report(title="Slow"), world.report(title="Slow too")
    wish = world.report(title="A second screen", kind=Kind.REQUEST)
    desk.link(one.pk, target=wish.pk, kind=LinkKind.RELATED, **world.by(world.jonas))
    desk.merge(another.pk, into=one.pk, **world.by(world.jonas))
    page = text(browser(world.jonas).get(f"/tickets/{one.pk}"))
    assert f'<a href="/tickets/{another.pk}">INC-{another.pk}</a>' in page
    assert f'<a href="/tickets/{wish.pk}">{reference(wish.kind, wish.pk)}</a>' in page
    assert f"Merged into INC-{one.pk}" in text(browser(world.jonas).get(f"/tickets/{another.pk}"))


def test_references_lead_to_the_ticket_wherever_one_may_see_it(world: World, browser: Browser) -> None:
    ticket = world.report()
    assert browser(world.jonas).get(f"/INC-{ticket.pk}").headers["Location"] == f"/tickets/{ticket.pk}"
    assert browser(world.jonas).get(f"/req-{ticket.pk}").headers["Location"] == f"/tickets/{ticket.pk}"
    assert browser(world.maria).get(f"/INC-{ticket.pk}").headers["Location"] == f"/my/{ticket.pk}"
    assert browser(world.rolf).get(f"/INC-{ticket.pk}").status_code == 404


def test_a_note_never_becomes_a_reply(world: World, browser: Browser) -> None:
    ticket = world.report()
    client = browser(world.jonas)
    client.post(f"/tickets/{ticket.pk}/say", {"place": "note", "body": "Between us"})
    client.post(f"/tickets/{ticket.pk}/say", {"place": "reply", "body": "We are on it", "then": "wait"})
    said = list(Comment.objects.filter(ticket=ticket).order_by("id").values_list("body", "is_public"))
    assert said == [("Between us", False), ("We are on it", True)]
    assert Ticket.objects.get(pk=ticket.pk).state == "waiting"
    shown = text(client.get(f"/tickets/{ticket.pk}"))
    address = re.search(rf"/tickets/{ticket.pk}/undo/[\w-]+", shown.rsplit("the ticket waits for the answer", 1)[1])
    assert address is not None
    client.post(address[0])
    assert Ticket.objects.get(pk=ticket.pk).state == "new"
    assert list(Comment.objects.filter(ticket=ticket).values_list("body", flat=True)) == ["Between us"]


def test_what_cannot_be_sent_is_kept(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.resolve(ticket.pk, **world.by(world.julia))
    desk.close(ticket.pk, **world.by(world.julia))
    client = browser(world.jonas)
    response = client.post(f"/tickets/{ticket.pk}/say", {"place": "reply", "body": "Long and well considered"})
    shown = text(client.get(response.headers["Location"]))
    assert "This ticket is closed; open a follow-up. What you wrote is kept." in shown
    assert Draft.objects.get(person=world.jonas).content == {"body": "Long and well considered"}


def suggested(client: Client, ticket: Ticket, typed: str = "") -> list[str]:
    """Names offered after an @ in a note, best first."""
    return re.findall(r'data-name="([^"]+)"', text(client.get(f"/tickets/{ticket.pk}/mention", {"q": typed})))


def test_those_who_may_read_a_note_are_offered(world: World, browser: Browser) -> None:
    ticket = world.report()
    client = browser(world.jonas)
    assert suggested(client, ticket)[:2] == ["Julia Roth", "Amir Haddad"]
    assert suggested(client, ticket, "had") == ["Amir Haddad"]
    assert suggested(client, ticket, "amir h") == ["Amir Haddad"]
    assert suggested(client, ticket, "adda") == []
    # who reported it, oneself, and the agents of another customer are not
    assert {"Maria Keller", "Jonas Berg", "Oskar Outside"}.isdisjoint(suggested(client, ticket))
    assert suggested(client, ticket, "oskar") == []


def test_only_who_sees_a_restricted_ticket_is_offered(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.restrict(ticket.pk, **world.by(world.jonas))
    assert suggested(browser(world.jonas), ticket, "amir") == []
    assert suggested(browser(world.jonas), ticket, "julia") == ["Julia Roth"]


def test_of_two_of_one_name_the_one_chosen_is_told(world: World, browser: Browser) -> None:
    ticket = world.report()
    world.priya.name = "Julia Roth"
    world.priya.save()
    said = {"place": "note", "body": "@Julia Roth please look", "mention": [world.priya.pk]}
    browser(world.jonas).post(f"/tickets/{ticket.pk}/say", said)
    told = Delivery.objects.filter(entry__verb="ticket.noted", topic="mentioned").values_list("person", flat=True)
    assert set(told) == {world.priya.pk}


def test_who_was_chosen_and_deleted_again_is_not_told(world: World, browser: Browser) -> None:
    ticket = world.report()
    said = {"place": "note", "body": "Nobody in particular", "mention": [world.julia.pk, "x"]}
    browser(world.jonas).post(f"/tickets/{ticket.pk}/say", said)
    assert not Delivery.objects.filter(topic="mentioned").exists()


def test_a_new_ticket_asks_what_its_kind_asks(world: World, browser: Browser) -> None:
    client = browser(world.jonas)
    assert "hx-get" not in text(client.get("/tickets/new"))
    for key, kind in (("floor", "incident"), ("budget", "request"), ("origin", "")):
        CustomField.objects.create(key=key, label=key.title(), ticket_kind=kind, is_required=True)
    asked = text(client.get("/tickets/new"))
    assert 'name="custom.floor"' in asked
    assert 'name="custom.origin"' in asked
    assert 'name="custom.budget"' not in asked
    # the script asks for the other kind with what was typed into its fields; without script a button does
    asked = text(client.get("/tickets/new", {"kind": "request", "custom.origin": "Fair"}))
    assert 'name="custom.budget"' in asked
    assert 'value="Fair"' in asked
    typed = {"kind": "request", "look": "1", "title": "A second screen", "custom.floor": "4", "custom.origin": "Fair"}
    response = client.post("/tickets/new", typed)
    assert response.status_code == 200
    asked = text(response)
    assert 'value="A second screen"' in asked
    assert 'name="custom.budget"' in asked
    assert 'aria-invalid="true"' not in asked
    assert not Ticket.objects.exists()


def test_what_has_no_place_is_a_note(world: World, browser: Browser) -> None:
    ticket = world.report()
    browser(world.jonas).post(f"/tickets/{ticket.pk}/say", {"body": "Where does this go"})
    assert not Comment.objects.get(ticket=ticket).is_public


@pytest.mark.parametrize(
    "verb", ["assign", "hand-over", "escalate", "wait", "resolve", "cancel", "edit", "priority", "refile", "copy", "tag"]
)
def test_every_form_is_a_page_and_a_dialog(world: World, browser: Browser, verb: str) -> None:
    ticket = world.report()
    client = browser(world.jonas)
    whole = client.get(f"/tickets/{ticket.pk}/{verb}")
    dialog = client.get(f"/tickets/{ticket.pk}/{verb}", headers={"HX-Request": "true"})
    assert whole.status_code == dialog.status_code == 200
    assert "<html" in text(whole)
    assert "<html" not in text(dialog)
    assert "csrfmiddlewaretoken" in text(dialog)


def test_a_missing_reason_is_said_beside_its_field(world: World, browser: Browser) -> None:
    ticket = world.report()
    response = browser(world.jonas).post(f"/tickets/{ticket.pk}/hand-over", {"team": world.dba_team.pk, "reason": "  "})
    assert response.status_code == 422
    assert 'id="reason-error"' in text(response)


def test_who_was_slower_is_told_and_nothing_is_overwritten(world: World, browser: Browser) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.julia))
    response = browser(world.jonas).post(f"/tickets/{ticket.pk}/take", {"version": "1"}, headers={"HX-Request": "true"})
    assert response.status_code == 422
    assert "Somebody else just changed this ticket" in text(response)
    assert Ticket.objects.get(pk=ticket.pk).assignee_id == world.julia.pk


def test_a_ticket_is_opened_for_somebody_who_called(world: World, browser: Browser) -> None:
    client = browser(world.jonas)
    found = text(client.get("/find/people?q=mar"))
    assert "Maria Keller" in found
    assert "Otto" not in text(browser(world.oskar).get("/find/people?q=maria"))
    sent = {
        "kind": "request",
        "title": "New badge",
        "requester": "Maria Keller",
        "requester_id": world.maria.pk,
        "channel": "phone",
    }
    response = client.post("/tickets/new", sent)
    ticket = Ticket.objects.get(title="New badge")
    assert response.headers["Location"] == f"/tickets/{ticket.pk}"
    assert (ticket.kind, ticket.requester_id, ticket.channel) == ("request", world.maria.pk, "phone")


def test_the_palette_offers_what_can_be_done_and_found(world: World, browser: Browser) -> None:
    ticket = world.report(title="Ledger is slow")
    client = browser(world.jonas)
    page = text(client.get(f"/palette?q=take&on={ticket.pk}"))
    assert f"Take INC-{ticket.pk}" in page
    assert "Ledger is slow" in text(client.get("/palette?q=ledg"))
    assert f"/tickets/{ticket.pk}" in text(client.get(f"/palette?q={ticket.pk}"))


def test_times_are_shown_in_the_zone_of_the_viewer(world: World, browser: Browser) -> None:
    ticket = world.report()
    world.jonas.time_zone = "Asia/Tokyo"
    world.jonas.save()
    world.forward(minutes=5)
    page = text(browser(world.jonas).get(f"/tickets/{ticket.pk}"))
    assert ">18:00</time>" in page
    assert world.now - timedelta(minutes=5) == ticket.opened_at


def test_an_administrator_without_a_part_at_the_desk_is_told_there_is_no_such_ticket(world: World, browser: Browser) -> None:
    ticket = world.report()
    assert browser(world.ada).get(f"/tickets/{ticket.pk}").status_code == 404
