"""Apprise: an extra that is off unless the operator switched it on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from allswell.notifications import carriers
from allswell.notifications.channels import apprise_url
from allswell.notifications.letters import Way
from allswell.notifications.rules import Outcome
from tests.channels.pages import PAGE, send
from tests.support.receiver import Receiver

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own, while it is imported


@pytest.fixture
def switched_on(settings: object) -> Iterator[Receiver]:
    settings.APPRISE = True  # type: ignore[attr-defined]
    with Receiver() as receiver:
        yield receiver


def test_a_page_goes_through_apprise(switched_on: Receiver) -> None:
    answer = send(Way("apprise", f"json://127.0.0.1:{switched_on.port}/page"))
    assert (answer.outcome, answer.is_certain) == (Outcome.SENT, True)
    said = json.loads(switched_on.calls[0].body)
    assert (said["title"], said["type"]) == (PAGE.headline, "failure")
    assert said["message"] == f"{PAGE.text}\n\n{PAGE.link}"


def test_what_fails_may_have_arrived(switched_on: Receiver) -> None:
    switched_on.answers["/page"] = (500, {}, b"")
    answer = send(Way("apprise", f"json://127.0.0.1:{switched_on.port}/page"))
    assert (answer.outcome, answer.is_certain) == (Outcome.RETRY, False)


@pytest.mark.parametrize("address", ["", "no address", "syslog://", "dbus://", "file:///etc/passwd", "SysLog://"])
def test_what_is_no_address_of_another_machine_is_refused(address: str, switched_on: Receiver) -> None:
    assert send(Way("apprise", address)).outcome == Outcome.FAILED


def test_it_is_off_unless_switched_on_and_installed(
    settings: object, switched_on: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert carriers.is_ready("apprise")
    settings.APPRISE = False  # type: ignore[attr-defined]
    assert not carriers.is_ready("apprise")
    assert send(Way("apprise", f"json://127.0.0.1:{switched_on.port}/page")).outcome == Outcome.FAILED
    assert switched_on.calls == []
    settings.APPRISE = True  # type: ignore[attr-defined]
    monkeypatch.setattr(carriers, "find_spec", lambda name: None)
    assert not apprise_url.carriers.is_ready("apprise")
