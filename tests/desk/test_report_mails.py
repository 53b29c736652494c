"""Reports by mail: at the right time, of what their reader sees, in their language and zone."""

from __future__ import annotations

import quopri
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from allswell.desk import outbox, report_mails
from allswell.desk import tickets as desk
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.notifications import mail
from allswell.notifications.letters import Letter
from allswell.notifications.models import Delivery
from allswell.people.models import Person, RoleGrant
from allswell.reporting import telling
from allswell.reporting.models import Subscription
from allswell.reporting.rules.counting import next_sending, period_before
from tests.support.world import START, World


def _subscribe(world: World, person: Person, name: str = "attainment", every: str = "week", **given: str) -> Subscription:
    asked = telling.asked(name, given, zone="UTC", now=world.now)
    return report_mails.subscribe(name, asked, every=every, **world.by(person))


def _send(world: World) -> int:
    return report_mails.send_due(limit=10, actor=engine(), now=world.now)


def _letters(world: World) -> list[Letter | Any]:
    world.forward(minutes=1)
    return [outbox.letter(claim) for claim in outbox.claim_mails(50, actor=engine(), now=world.now) if _is_report(claim)]


def _is_report(claim: Any) -> bool:
    return Delivery.objects.get(pk=claim.id).topic == "report"


def _texts(letter: Letter) -> tuple[str, str]:
    """The plain and the HTML part."""
    made = mail.message(letter, sender="Allswell <desk@example.org>", public_url="https://desk.example.org", now=START)
    parts = {part.get_content_type(): part for part in made.walk() if not part.is_multipart()}
    decoded = [quopri.decodestring(parts[kind].get_payload()).decode() for kind in ("text/plain", "text/html")]
    return decoded[0], decoded[1]


def _work(world: World) -> None:
    """In the week of Monday 23 November: one promise of three kept late."""
    world.promise()
    for service, minutes in ((world.printing, 5), (world.lookup, 50)):
        ticket = world.report(title=f"About {service.name}", service=service.slug)
        world.forward(minutes=minutes)
        desk.resolve(ticket.pk, code="fixed", resolution="Done", **world.by(world.jonas))


@pytest.mark.parametrize(
    ("every", "zone", "now", "at"),
    [
        ("week", "UTC", datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 30, 7, tzinfo=UTC)),
        ("week", "UTC", datetime(2026, 11, 23, 6, tzinfo=UTC), datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ("week", "UTC", datetime(2026, 11, 23, 7, tzinfo=UTC), datetime(2026, 11, 30, 7, tzinfo=UTC)),
        ("month", "Europe/Berlin", datetime(2026, 12, 31, 9, tzinfo=UTC), datetime(2027, 1, 1, 6, tzinfo=UTC)),
        ("month", "Europe/Berlin", datetime(2026, 6, 30, 23, tzinfo=UTC), datetime(2026, 7, 1, 5, tzinfo=UTC)),
        # Sunday evening here is Monday morning there
        ("week", "Pacific/Auckland", datetime(2026, 11, 22, 20, tzinfo=UTC), datetime(2026, 11, 29, 18, tzinfo=UTC)),
    ],
)
def test_it_comes_at_seven_where_its_reader_is(every: str, zone: str, now: datetime, at: datetime) -> None:
    assert next_sending(every, zone=zone, now=now) == at


def test_it_is_about_what_is_over() -> None:
    week = period_before("week", zone="Europe/Berlin", at=datetime(2026, 11, 30, 6, tzinfo=UTC))
    assert (f"{week.first}", f"{week.last}") == ("2026-11-23", "2026-11-29")
    month = period_before("month", zone="Europe/Berlin", at=datetime(2026, 12, 1, 6, tzinfo=UTC))
    assert (f"{month.first}", f"{month.last}", month.name) == ("2026-11-01", "2026-11-30", "2026-11")


def test_a_report_comes_by_mail_as_text_and_page(world: World) -> None:
    _work(world)
    row = _subscribe(world, world.jonas, by="service")
    assert _send(world) == 0
    world.now = row.next_at
    assert (_send(world), _send(world)) == (1, 0)
    (letter,) = _letters(world)
    plain, page = _texts(letter)
    assert "Service levels kept, 23 Nov 2026 – 29 Nov 2026" in plain
    assert "| Printing | 100.00 % | 3 | 3 | 0 | 0 | 0 |" in plain
    assert "| All | 66.66 % | 6 | 4 | 2 | 0 | 0 |" in plain
    assert re.search(r"<td>Account look-up</td>\s*<td>33.33 %</td>", page)
    link = "https://desk.example.org/reports/attainment?from=2026-11-23&to=2026-11-29&by=service"
    assert link in plain
    assert "Shares are rounded down" in plain
    assert Subscription.objects.get().next_at == row.next_at.replace(day=7, month=12)


def test_it_is_in_the_readers_language_and_zone(world: World) -> None:
    world.jonas.locale, world.jonas.time_zone = "de", "Europe/Berlin"
    world.jonas.save()
    _work(world)
    row = _subscribe(world, world.jonas)
    assert row.next_at == datetime(2026, 11, 30, 6, tzinfo=UTC)
    world.now = row.next_at
    _send(world)
    (letter,) = _letters(world)
    assert "Eingehaltene Zusagen" in _texts(letter)[0]


def test_what_was_missed_is_sent_once(world: World) -> None:
    row = _subscribe(world, world.jonas)
    world.now = row.next_at
    world.forward(days=20)
    assert (_send(world), _send(world)) == (1, 0)


def test_only_what_the_reader_may_see_when_it_is_sent(world: World) -> None:
    _work(world)
    of_olga, of_oskar = _subscribe(world, world.olga), _subscribe(world, world.oskar)
    assert of_olga.next_at == of_oskar.next_at
    world.now = of_olga.next_at
    assert _send(world) == 2
    by_name = {letter.to_name: _texts(letter)[0] for letter in _letters(world)}
    assert "66.66 %" in by_name["Olga Brandt"]
    assert "There is nothing to count" in by_name["Oskar Outside"]


def test_who_left_the_desk_gets_none(world: World) -> None:
    row = _subscribe(world, world.jonas)
    world.now = row.next_at
    _send(world)
    RoleGrant.objects.filter(person=world.jonas).delete()
    assert [letter for letter in _letters(world) if isinstance(letter, Letter)] == []
    world.now = Subscription.objects.get().next_at
    _send(world)
    assert Delivery.objects.filter(topic="report").count() == 1


def test_a_name_is_never_taken_for_markup(world: World) -> None:
    world.printing.name = "a | b [x](https://evil.example) <b>c</b> &lt;"
    world.printing.save()
    _work(world)
    row = _subscribe(world, world.jonas, by="service")
    world.now = row.next_at
    _send(world)
    (letter,) = _letters(world)
    page = _texts(letter)[1]
    assert "evil.example)" in page
    assert 'href="https://evil.example' not in page
    assert "<b>c" not in page


def test_who_may_and_what_is_refused(world: World) -> None:
    for person in (world.maria, world.otto):
        with pytest.raises(NotAllowed):
            _subscribe(world, person)
    with pytest.raises(Invalid):
        _subscribe(world, world.jonas, every="day")
    row = _subscribe(world, world.jonas)
    assert _subscribe(world, world.jonas).pk == row.pk
    with pytest.raises(NotFound):
        report_mails.unsubscribe(row.pk, **world.by(world.julia))
    report_mails.unsubscribe(row.pk, **world.by(world.jonas))
    assert not Subscription.objects.exists()
    for number in range(report_mails.MOST):
        _subscribe(world, world.jonas, service=f"s{number}")
    with pytest.raises(Conflict):
        _subscribe(world, world.jonas, service="one-more")
