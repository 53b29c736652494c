"""What was changed where we watch: told by tools, kept for a while, shown beside what fails afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from allswell.desk.alerts import changes as desk
from allswell.intake.models import Alert, AlertRule, SystemChange
from allswell.intake.queries import changes
from allswell.kernel.actor import engine
from allswell.people.models import Person
from allswell.tickets.models import Ticket
from tests.support.monitoring import Monitoring
from tests.support.world import World


@pytest.fixture
def pd(world: World) -> Monitoring:
    return Monitoring(world, "pagerduty", service=world.lookup.pk)


def changed(pd: Monitoring, title: str, *, hours_ago: float = 0, details: dict[str, str] | None = None, **more: object) -> None:
    """A deployment is told as PagerDuty's clients do."""
    at = (pd.world.now - timedelta(hours=hours_ago)).isoformat()
    payload = {"summary": title, "source": "ci", "timestamp": at, "custom_details": details or {}}
    answer = pd.post({"routing_key": pd.key, "payload": payload, **more}, path="/v2/change/enqueue")
    assert answer.status_code == 202
    pd.read()


def test_a_change_is_kept_and_calls_nobody(world: World, pd: Monitoring) -> None:
    links = [{"href": "https://ci.example/7", "text": "Build 7"}, {"href": "javascript:alert(1)", "text": "no"}]
    changed(pd, "Deployed 1.2", details={"build": "7"}, links=links)
    row = SystemChange.objects.get()
    assert (row.title, row.service_id, row.happened_at, row.labels["build"]) == ("Deployed 1.2", world.lookup.pk, world.now, "7")
    assert row.links == [["Build 7", "https://ci.example/7"]]
    assert not Alert.objects.exists()
    assert not Ticket.objects.exists()


def test_what_is_told_twice_is_kept_once(world: World, pd: Monitoring) -> None:
    for _ in range(2):
        changed(pd, "Deployed 1.2", hours_ago=1)
    changed(pd, "Deployed 1.2")
    assert SystemChange.objects.count() == 2


def test_its_service_is_found_as_that_of_an_alert(world: World, pd: Monitoring) -> None:
    definition = {"matchers": [{"label": "app", "operator": "=", "value": "db"}], "severities": ["critical"]}
    AlertRule.objects.create(
        name="Databases",
        position=1,
        definition={**definition, "service": world.ledger.pk},
        created_at=world.now,
        changed_at=world.now,
    )
    changed(pd, "By a rule, however severe its alerts", details={"app": "db"})
    changed(pd, "By a label", details={"service": world.printing.name})
    found = dict(SystemChange.objects.values_list("title", "service"))
    assert found == {"By a rule, however severe its alerts": world.ledger.pk, "By a label": world.printing.pk}


def test_any_json_can_tell_of_a_change(world: World) -> None:
    tool = Monitoring(world, "generic", service=world.lookup.pk)
    tool.post({"id": "d-9", "title": "Rolled out", "status": "deployed"})
    tool.read()
    assert SystemChange.objects.get().title == "Rolled out"


def test_who_does_not_know_the_service_does_not_know_its_changes(world: World, pd: Monitoring) -> None:
    changed(pd, "Of the house")
    world.lookup.organization = world.bank
    world.lookup.save()

    def seen(person: Person) -> list[str]:
        return [row.title for row in changes.of_service(world.actor(person), world.lookup, limit=10)]

    assert seen(world.jonas) == ["Of the house"]
    assert seen(world.oskar) == [], "it is not a service of his customers"
    assert seen(world.maria) == [], "who asks for help does not look behind the scenes"


def test_changes_are_forgotten_after_three_months(world: World, pd: Monitoring) -> None:
    changed(pd, "Deployed 1.2")
    world.forward(days=89)
    assert desk.forget(actor=engine(), now=world.now) == 0
    world.forward(days=2)
    assert desk.forget(actor=engine(), now=world.now) == 1
    assert not SystemChange.objects.exists()
