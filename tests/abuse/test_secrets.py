"""Planted secrets are looked for in everything that leaves the desk or lies about it (A40)."""

from __future__ import annotations

import io
import json
import logging
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from allswell.api import front
from allswell.cli import doctor
from allswell.desk import exporting, webhooks
from allswell.desk import people as desk_people
from allswell.desk import sign_in as desk_sign_in
from allswell.desk import tickets as desk
from allswell.desk.sealing import unseal
from allswell.engine.outbox import Calls
from allswell.journal.models import Entry
from allswell.kernel import clock
from allswell.kernel.actor import nobody
from allswell.notifications.models import Delivery
from allswell.people.models import Person
from allswell.tickets import queue
from allswell.tickets.models import Ticket
from tests.abuse.test_identity import everything_stored
from tests.engine.test_mail import send
from tests.support.desk import PASSWORD as DESK_PASSWORD
from tests.support.desk import Desk
from tests.support.mailbox import Mailbox
from tests.support.program import Program
from tests.support.world import World
from tests.web.test_signing_in import code_at
from tests.web.test_who_may import words_of

Browser = Callable[[Person | None], Client]
#: settings of an operator
CANARIES = ("canary-smtp", "canary-metrics", "canary-sms", "canary-voice")
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def planted(world: World, settings: Any, caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Every kind of secret somebody has, and the words of the logs from here on."""
    caplog.set_level(logging.DEBUG)
    world.now = clock.now()
    with Mailbox() as box:
        port = box.port  # nobody listens there any more
    settings.SMTP_URL = f"smtp+plain://desk:canary-smtp@127.0.0.1:{port}"
    settings.SMS_URL = f"twilio+http://AC1:canary-sms@127.0.0.1:{port}/?from=%2B15550100"
    settings.VOICE_URL = f"twilio+http://AC1:canary-voice@127.0.0.1:{port}/?from=%2B15550100"
    settings.METRICS_TOKEN = "canary-metrics"
    jonas = world.jonas
    password = "canary password of Jonas"
    desk_people.set_password(jonas.pk, password_hash=desk_people.hash_of(password), **world.by(jonas))
    codes = desk_sign_in.turn_on_second_factor(secret=SEED, code=code_at(SEED, world.now), **world.by(jonas))
    _, token = desk_people.create_token(jonas.pk, name="x", scopes=["all"], **world.by(jonas))
    hook, signing = webhooks.create(name="x", url="http://127.0.0.1:9/", owner=jonas.pk, **world.by(world.ada))
    newer = webhooks.rotate_secret(hook.pk, **world.by(world.ada))
    desk_sign_in.ask_new_password(email="jonas@example.org", ip="10.0.0.1", actor=nobody(), now=world.now)
    link = unseal(Delivery.objects.filter(topic="account").latest("id").content["link"]).rpartition("/")[2].partition("-")[2]
    client = Client()
    client.force_login(jonas)
    return {
        **{name: name for name in CANARIES},
        "password": password,
        "seed": SEED,
        "recovery code": codes[0],
        "token": token,
        "webhook": signing,
        "newer webhook": newer,
        "link": link,
        "session": str(client.session.session_key),
    }


def found(planted: dict[str, str], text: str) -> list[str]:
    """The names of the secrets that stand in a text."""
    return [name for name, secret in planted.items() if secret in text or secret.removeprefix("whsec_") in text]


def test_A40_no_secret_lies_in_the_clear_in_any_table(planted: dict[str, str]) -> None:
    """Nor therefore in a backup; only what opens nothing by itself, digests and what is sealed under the key."""
    assert found(planted, everything_stored()) == []
    assert found(planted, str(list(Entry.objects.values()))) == []


def test_A40_a_seed_that_is_only_being_offered_is_sealed_in_the_session(world: World, browser: Browser) -> None:
    from django.contrib.sessions.models import Session

    from allswell.boot.sessions import SessionStore

    page = words_of(browser(world.jonas).get("/account/second-step"))
    seed = re.search(r"\b[A-Z2-7]{32}\b", page.replace(" ", ""))
    assert seed
    assert seed[0] not in str([SessionStore().decode(row.session_data) for row in Session.objects.all()])


def test_A40_no_secret_is_in_exports_pages_figures_logs_or_what_the_doctor_says(
    world: World, planted: dict[str, str], browser: Browser, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = world.report()
    desk.take(ticket.pk, **world.by(world.jonas))
    said = {
        "csv": "".join(exporting.tickets_csv(Ticket.objects.all(), **world.by(world.jonas))),
        "json": "".join(exporting.tickets_json(Ticket.objects.all(), **world.by(world.jonas))),
        "figures": words_of(Client().get("/metrics", headers={"authorization": "Bearer canary-metrics"})),
        "doctor": str(list(doctor.examine(world.now))),
        "ready": words_of(Client().get("/readyz")) + words_of(Client().get("/healthz")) + words_of(Client().get("/watchz")),
    }
    for person, pages in (
        (world.jonas, ("/account/security", "/profile", f"/tickets/{ticket.pk}", "/desk/all", "/profile/notices")),
        (world.ada, ("/setup/", "/setup/webhooks", "/setup/webhooks/1", f"/setup/people/{world.jonas.pk}", "/setup/people")),
    ):
        said |= {page: words_of(browser(person).get(page)) for page in pages}
    program, ada = Program(world, world.jonas), Program(world, world.ada)
    said |= {
        path: words_of(program.get(path)) for path in ("/me", "/tokens", f"/tickets/{ticket.pk}/journal", "/people", "/views")
    }
    hooks = ada.get("/webhooks").json()["items"]
    said |= {
        path: words_of(ada.get(path))
        for path in ("/webhooks", f"/webhooks/{hooks[0]['id']}", f"/webhooks/{hooks[0]['id']}/deliveries")
    }
    # what goes wrong: a mail server that is away, a webhook nobody answers, a sign-in, a fault of ours on a page and in the API
    send(world, "smtp+plain://desk:canary-smtp@127.0.0.1:1")
    Calls(["127.0.0.1"], now=lambda: world.now).tick(world.now)
    Client().post("/sign-in", {"email": "jonas@example.org", "password": planted["password"]})
    Client().post("/sign-in", {"email": "jonas@example.org", "password": planted["password"] + "x"})
    Client().get(f"/account/new-password/1-{planted['link']}")
    Client().get("/api/v1/me", headers={"authorization": f"Bearer {planted['token']}"})
    Client().get("/api/v1/me", headers={"authorization": f"Bearer {planted['token']}x"})

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(queue, "first_rows", broken)
    monkeypatch.setattr(front, "_answer", broken)
    client = browser(world.jonas)
    client.raise_request_exception = False
    session = str(client.session.session_key)
    said["broken page"] = words_of(client.get("/desk/all"))
    said["broken call"] = words_of(Client().get("/api/v1/me", headers={"authorization": f"Bearer {planted['token']}"}))
    said["after"] = everything_stored()
    said["logs"] = caplog.text + "".join(str(record.__dict__.get("exc_text") or "") for record in caplog.records)
    planted = {**planted, "session of the broken page": session}
    assert "a fault of ours" in said["logs"]
    assert {name: found(planted, text) for name, text in said.items() if found(planted, text)} == {}


def test_A40_a_backup_without_the_key_a_log_and_every_command_hold_no_secret(tmp_path: Path) -> None:
    """A desk of its own with secrets in its settings; its backup is unpacked and read byte by byte."""
    smtp = "smtp://desk:canary-smtp@127.0.0.1:9"
    installation = Desk(
        tmp_path / "home",
        ALLSWELL_SMTP_URL=smtp,
        ALLSWELL_SMS_URL="twilio+http://AC1:canary-sms@127.0.0.1:9/?from=%2B15550100",
        ALLSWELL_VOICE_URL="twilio+http://AC1:canary-voice@127.0.0.1:9/?from=%2B15550100",
        ALLSWELL_METRICS_TOKEN="canary-metrics",
        ALLSWELL_LOG_LEVEL="DEBUG",
    )
    installation.home.mkdir()
    try:
        installation.set_up()
        installation.start()
        made = installation.post("/api/v1/webhooks", name="x", url="http://127.0.0.1:9/")
        assert made.status == 201
        assert installation.post("/api/v1/tickets", title="Printer on fire").status == 201
        said = [
            installation.run(*words, check=False) for words in (["doctor", "--json"], ["doctor"], ["version"], ["token", "list"])
        ]
        said += [installation.run("export", "tickets"), installation.run("export", "tickets", "--format", "jsonl")]
        said += [installation.run("person", "list", check=False)]
        cookie = installation.session_cookie()
        assert installation.get("/desk/", cookie=cookie).status == 200
        installation.run("backup", str(tmp_path / "backup.tar"))
    finally:
        installation.stop()
    key = next((path.read_text().strip() for path in installation.home.glob("secret.key")), "")
    planted = {name: name for name in CANARIES} | {"token": installation.token, "password": DESK_PASSWORD, "key": key}
    planted |= {"session": cookie.partition("=")[2], "webhook": json.loads(made.body)["secret"]}
    assert all(planted.values())
    with tarfile.open(tmp_path / "backup.tar") as backup:
        inside = {one.name: (backup.extractfile(one) or io.BytesIO()).read() for one in backup.getmembers()}
    assert "manifest.json" in inside
    assert "secret.key" not in inside
    texts = {name: content.decode("latin-1") for name, content in inside.items()}
    texts |= {
        "log": installation.log(),
        "commands": "".join(one.stdout + one.stderr for one in said),
    }
    assert {name: found(planted, text) for name, text in texts.items() if found(planted, text)} == {}
