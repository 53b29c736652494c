"""A real desk on its own port and a real Chromium in front of it.

The desk runs as people run it: `allswell serve`, web and engine, on a database of its own (SQLite, or the suite's PostgreSQL).
Where no Chromium is found the tests are skipped and say so; in CI that is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from tests.support import early
from tests.support.receiver import Receiver

_STICKING_OUT = """() => {
    const width = document.documentElement.clientWidth, body = document.body;
    const cut = one => one && one !== body && (getComputedStyle(one).overflowX !== 'visible' || cut(one.parentElement));
    return [...body.querySelectorAll('*')]
        .filter(one => one.getBoundingClientRect().left + Math.max(one.scrollWidth, one.offsetWidth) > width && !cut(one))
        .map(one => one.outerHTML.slice(0, 120));
}"""

Enter = Callable[..., "Visitor"]

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
PASSWORD = "a watch at night"
TEXTS = "/2010-04-01/Accounts/AC1/Messages.json"
NUMBER = "+15550123"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_COLORS = {"type": "rule", "values": ["color-contrast"]}

_CAST = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from allswell.kernel import clock
from tests.support import world as support
support.START = clock.now()
world = support.World()
for person in (world.maria, world.rolf, world.jonas, world.amir, world.priya, world.ada, world.audrey, world.otto, world.lena, world.olga):
    person.set_password({password!r})
    person.save()

# what the pages have to show: a ticket that moved between teams, one that is announced, one that is solved, one asked of others
from datetime import timedelta
from allswell.desk import announcements, tickets as desk
moved = world.report(title="The printer on floor 3 eats paper", description="It says **no paper**.", service=world.printing.slug)
desk.take(moved.pk, **world.by(world.jonas))
desk.reply(moved.pk, body="Good morning Maria, I look at it.", **world.by(world.jonas))
desk.note(moved.pk, body="Third time this month", **world.by(world.jonas))
desk.hand_over(moved.pk, team=world.dba_team.pk, reason="Queue table is full", tried="Restarted", **world.by(world.jonas))
solved = world.report(title="Scanner is offline", service=world.printing.slug)
desk.take(solved.pk, **world.by(world.jonas))
desk.resolve(solved.pk, resolution="Plugged it in again.", **world.by(world.jonas))
told = world.report(title="No color prints", service=world.printing.slug)
announcements.announce(
    told.pk, title="Printing in color does not work", body="Print in black until then.", service=world.printing.slug,
    is_for_all=True, next_update_at=world.now + timedelta(hours=1), **world.by(world.jonas),
)

# a calendar with lunch, holidays and days of its own
from allswell.calendars import rules
from allswell.desk import calendars
lunch = rules.parse_hours("08:30-12:00, 13:00-17:30", field="week")
half = rules.Day("Christmas Eve", rules.parse_hours("08:30-12:00", field="days"))
hours = calendars.Hours([lunch] * 5 + [(), ()], {{"12-24": half, f"{{world.now.year}}-12-05": rules.Day("Sale", lunch)}}, "CH", "ZH")
calendars.create_calendar(name="Office hours", zone="Europe/Zurich", hours=hours, **world.by(world.ada))

# an agreement with another customer, and what it would have come to for all
from allswell.desk import agreements, promises, what_if
said = promises.incident_terms("Europe/Zurich")
agreements.create(name="Othertown", organization=world.other.pk, definition=said, **world.by(world.ada))
since, until = world.now - timedelta(days=1), world.now + timedelta(days=1)
asked = what_if.ask(what_if.Question(said, since, until, name="Othertown"), **world.by(world.ada))

# two levels of a rota, a gap ahead, a colleague who asks, leave, an address for a calendar program
from allswell.desk import covering, rotas, shifts
monday = (world.now - timedelta(days=world.now.weekday())).date().isoformat()
layer = {{"name": "Week", "people": [world.jonas.pk, world.julia.pk, world.jonas.pk], "first_on": monday, "unit": "day"}}
second = {{"name": "Backup", "people": [world.julia.pk], "first_on": monday, "level": 2, "on_leave": "open"}}
said = {{"zone": "Europe/Zurich", "calendar": None, "layers": [layer, second]}}
rotas.create_rota(name="Service desk", team=world.desk_team.pk, definition=said, **world.by(world.ada))
away = {{"starts_at": world.now + timedelta(days=3), "ends_at": world.now + timedelta(days=4)}}
shifts.add_leave(person=world.julia.pk, **away, note="Family", **world.by(world.julia))
shifts.add_leave(person=world.jonas.pk, **{{name: at + timedelta(days=5) for name, at in away.items()}}, **world.by(world.jonas))
shifts.make_calendar_link(**world.by(world.jonas))
asked_for = {{"starts_at": world.now + timedelta(days=1), "ends_at": world.now + timedelta(days=9)}}
covering.ask_cover("service-desk", level=1, **asked_for, note="A wedding", **world.by(world.jonas))
covering.ask_cover("service-desk", level=2, **asked_for, note="Moving house", **world.by(world.julia))

# three telephones: text messages for Jonas, a program of their own for Amir and Priya; whom the account look-up calls, and the databases
from allswell.desk import paging, policies, sealing
from allswell.notifications.models import ContactMethod, ContactRule
def phone(person, kind, address):
    return ContactMethod.objects.create(
        person=person, kind=kind, address=address, shown="…", created_at=world.now, verified_at=world.now
    )
ContactRule.objects.create(person=world.jonas, urgency="urgent", contact=phone(world.jonas, "sms", {number!r}), after=0)
phone(world.amir, "webhook", sealing.seal({phone!r} + "amir"))
phone(world.priya, "webhook", sealing.seal({phone!r} + "priya"))
alone = {{"zone": "Europe/Zurich", "calendar": None, "layers": [layer | {{"people": [world.jonas.pk], "unit": "week"}}]}}
front = rotas.create_rota(name="Account look-up", team=world.desk_team.pk, definition=alone, **world.by(world.ada))
day = {{"steps": [{{"targets": [{{"kind": "rota", "rota": front.pk, "level": 1}}], "wait": 3600}}], "starts": [1, 2]}}
row = policies.create_policy(name="Account look-up", team="service-desk", definition=day, **world.by(world.lena))
policies.use_for_service(world.lookup.slug, policy=row.pk, **world.by(world.lena))
steps = [{{"targets": [{{"kind": "person", "person": one.pk}}], "wait": 3600}} for one in (world.amir, world.priya)]
night = policies.create_policy(name="At night", team="databases", definition={{"steps": steps, "starts": [1]}}, **world.by(world.lena))
policies.use_for_team("databases", policy=night.pk, **world.by(world.lena))

# an incident for which Amir was called, and has it
paged = world.report(world.jonas, title="The ledger refuses connections", impact=1, urgency=1, team=world.dba_team.pk)
paging.acknowledge(paged.pk, minutes=24 * 60, **world.by(world.amir))

# Amir hands over to Priya in a quarter of an hour
from allswell.desk import handovers
from allswell.oncall.models import Handover
layer = {{"name": "Week", "people": [world.lena.pk], "first_on": monday, "unit": "week"}}
said = {{"zone": "Europe/Zurich", "layers": [layer], "handover": {{"wanted": True, "within": 30, "holds": True}}}}
dbas = rotas.create_rota(name="Databases", team=world.dba_team.pk, definition=said, **world.by(world.lena))
change = world.now + timedelta(minutes=15)
for who, begins, ends in ((world.amir, world.now, change), (world.priya, change, change + timedelta(hours=8))):
    shifts.add_override(dbas.pk, level=1, starts_at=begins, ends_at=ends, person=who.pk, **world.by(world.lena))
from allswell.kernel.actor import engine
for turnover in handovers.wanted(world.now, limit=5):
    handovers.draft(turnover, actor=engine(), now=world.now)
handover = Handover.objects.get(outgoing=world.amir, incoming=world.priya)

# a printer tells that its paper is low, which is an alert and no incident
import json
from allswell.desk.alerts import heartbeats, rules, silences, sources, taking, windows
from allswell.engine.alerts import Alerts
from allswell.intake.models import Alert
from allswell.intake.rules.kept import Raw
watch, _key = sources.create(name="Prometheus", kind="alertmanager", service=world.printing.pk, **world.by(world.ada))
paper = {{"label": "alertname", "operator": "=~", "value": "Paper.*"}}
rule = rules.create(name="Paper", definition={{"matchers": [paper], "act": "record"}}, **world.by(world.ada))
jobs, _key = sources.create(name="Jobs", kind="heartbeat", **world.by(world.ada))
heartbeats.create(jobs.pk, name="nightly", every=86_400, **world.by(world.ada))
tomorrow = {{"starts_at": world.now + timedelta(days=1), "ends_at": world.now + timedelta(days=2)}}
work = windows.announce(title="New toner", services=[world.printing.pk], **tomorrow, **world.by(world.jonas))
windows.announce(title="Move", services=[world.lookup.pk], **{{**tomorrow, "starts_at": None}}, **world.by(world.jonas))
about = {{"service": world.printing.pk, "matchers": [paper]}}
known = silences.create(reason="Known", ends_at=tomorrow["ends_at"], **about, **world.by(world.jonas))
told_us = {{"status": "firing", "labels": {{"alertname": "PaperLow", "severity": "info", "floor": "3"}}, "fingerprint": "f3",
    "annotations": {{"summary": "Paper is low on floor 3"}}, "startsAt": world.now.isoformat(), "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.org/graph"}}
told_us = {{"version": "4", "groupKey": "g", "truncatedAlerts": 0, "status": "firing", "receiver": "desk", "groupLabels": {{}},
    "commonLabels": {{}}, "commonAnnotations": {{}}, "externalURL": "http://am.example.org", "alerts": [told_us]}}
head = {{"method": "POST", "content_type": "application/json"}}
taking.keep([Raw(watch.pk, world.now, head, json.dumps(told_us).encode(), "n")], actor=engine(), now=world.now)
Alerts(now=lambda: world.now).tick(world.now)

# a mail of somebody nobody knows is held
from allswell.desk.mail import keeping
from allswell.intake.models import InboundMessage
said = b"From: Eve <eve@example.net>\\r\\nSubject: The printer\\r\\n\\r\\nIt is on fire.\\r\\n"
letter = keeping.keep(said, mailbox=None, actor=engine(), now=world.now)
sent = {{"sender": "eve@example.net", "subject": "The printer", "detail": "Nobody knows this sender."}}
InboundMessage.objects.filter(pk=letter).update(state="held", **sent)

from allswell.desk.mail import mailboxes
server = {{"host": "imap.example.org", "user": "support"}}
box, _key = mailboxes.create(
    name="Support", address="support@example.org", kind="imap", connection=server, secret={{"password": "x"}}, **world.by(world.ada)
)

from allswell.desk.mail import rules as mail_rules
sorted_out = mail_rules.create(name="Paper", mailbox=box.pk, definition={{"words": ["paper"], "urgency": 3}}, **world.by(world.ada))

from allswell.desk.mail import templates
worded = templates.create(kind="closed", locale="en", subject="It is over", text="Dear {{{{recipient.name}}}}", **world.by(world.ada))

# Audrey is asked for a code after her password
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allswell.desk import sign_in
sign_in.turn_on_second_factor(
    secret={seed!r}, code=format_hotp_value(hotp_value({seed!r}, int(world.now.timestamp()) // 30)), **world.by(world.audrey)
)
numbers = {{"moved": moved.pk, "solved": solved.pk, "told": told.pk, "maria": world.maria.pk, "asked": asked.pk, "paged": paged.pk}}
numbers |= {{"silence": known.pk, "work": work.pk}}
numbers |= {{"handover": handover.pk, "alert": Alert.objects.get().pk, "watch": watch.pk, "rule": rule.pk}}
numbers["jobs"] = jobs.pk
numbers |= {{"letter": letter, "box": box.pk, "sorted_out": sorted_out.pk, "worded": worded.pk}}
print(json.dumps(numbers))
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a Chromium, skip loudly; in CI, fail. The browser comes last: its event loop goes on until the end of the run.

    How pages look does not hang on the database: that is tried on SQLite alone.
    """
    items.sort(key=lambda item: "tests/browser" in str(item.path))
    if early.SERVER:
        looks = [item for item in items if item.path.match("tests/browser/test_pages.py")]
        items[:] = [item for item in items if item not in looks]
        config.hook.pytest_deselected(items=looks)
    mine = [item for item in items if "tests/browser" in str(item.path)]
    if CHROMIUM is None and mine:
        if os.environ.get("CI"):
            raise pytest.UsageError("No Chromium found: in CI the browser tests must run.")
        for item in mine:
            item.add_marker(pytest.mark.skip(reason="NO CHROMIUM FOUND: install chromium to run the browser tests"))


@dataclass
class Desk:
    """A running desk."""

    url: str
    process: subprocess.Popen[bytes]
    numbers: dict[str, int]


@pytest.fixture(scope="session")
def phones() -> Iterator[Receiver]:
    """What rings: pages to Amir come in at /amir, those to Priya at /priya, and text messages at their carrier."""
    with Receiver() as server:
        server.answers[TEXTS] = (201, {"content-type": "application/json"}, b'{"sid": "SM1", "status": "queued"}')
        yield server


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, phones: Receiver) -> Iterator[Desk]:
    """The desk with the cast of the stories, everybody with the same password."""
    home: Path = tmp_path_factory.mktemp("desk")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")}
    environment |= {
        "ALLSWELL_DATA_DIR": str(home),
        "ALLSWELL_PORT": str(port),
        "ALLSWELL_URL": f"http://127.0.0.1:{port}",
        "ALLSWELL_LOG_LEVEL": "WARNING",
        "ALLSWELL_OUTGOING_ALLOW": "127.0.0.1",
        "ALLSWELL_SMS_URL": f"twilio+http://AC1:told@127.0.0.1:{phones.port}/?from=%2B15550100",
        "DJANGO_SETTINGS_MODULE": "allswell.boot.settings",
    }
    if early.SERVER:
        early.SERVER.run("createdb", "-h", str(early.SERVER.folder), "browser")
        environment["ALLSWELL_DATABASE_URL"] = early.SERVER.url("browser")
    cast = subprocess.run(
        [sys.executable, "-c", _CAST.format(password=PASSWORD, seed=SEED, phone=phones.url("/"), number=NUMBER)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    numbers = json.loads(cast.stdout.splitlines()[-1])
    process = subprocess.Popen([sys.executable, "-m", "allswell", "serve"], env=environment, start_new_session=True)
    url = environment["ALLSWELL_URL"]
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    else:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail("the desk did not start")
    yield Desk(url, process, numbers)
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests. What is expected may take long where the machine has much to do."""
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        arguments = [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def enter(chromium: Browser, desk: Desk) -> Iterator[Enter]:
    """enter("jonas") is Jonas in front of a screen; at the end nobody's console may have complained."""
    inside: list[Visitor] = []

    def opened(name: str = "", **how: Any) -> Visitor:
        visitor = Visitor(chromium, desk, name=name, **how)
        inside.append(visitor)
        return visitor

    yield opened
    for visitor in inside:
        visitor.leave()


class Visitor:
    """Somebody in front of a screen. Console errors and policy violations are collected and fail the test at the end."""

    def __init__(
        self, chromium: Browser, desk: Desk, *, size: str = "desktop", theme: str = "light", name: str = "", script: bool = True
    ) -> None:
        self.context = chromium.new_context(
            viewport=SIZES[size],  # type: ignore[arg-type]
            color_scheme=theme,  # type: ignore[arg-type]
            base_url=desk.url,
            is_mobile=size == "phone",
            has_touch=size == "phone",
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self._devtools: CDPSession | None = None
        self.troubles: list[str] = []
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(f"page error: {error}"))
        if name:
            self.sign_in(name)

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" or "Content Security Policy" in text:
            self.troubles.append(f"{self.page.url}: {text}")

    def sign_in(self, name: str) -> None:
        """Sign in as a member of the cast."""
        self.page.goto("/sign-in")
        self.page.get_by_label("E-mail").fill(f"{name}@example.org")
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def accessible(self) -> None:
        """Axe finds nothing on this page, and it does not scroll sideways."""
        found = self._found()
        assert not found, "\n".join([self.page.url, *found])

    def accessible_everywhere(self, *, is_thorough: bool = False) -> None:
        """The same in the light on a desk and in the dark on a telephone, of one page that becomes narrow and is touched.

        The theme changes nothing but colors: the other two pairs are looked at only when it is to be thorough.
        """
        found = self._found()
        self._theme("dark")
        if is_thorough:
            found += [f"dark: {one}" for one in self._axe(_COLORS)]
        self._holding_a_phone(True)
        found += [f"phone, dark: {one}" for one in self._found()]
        self._theme("light")
        if is_thorough:
            found += [f"phone: {one}" for one in self._axe(_COLORS)]
        self._holding_a_phone(False)
        assert not found, "\n".join([self.page.url, *found])

    def _theme(self, name: str) -> None:
        self.page.emulate_media(color_scheme=name)  # type: ignore[arg-type]

    def _holding_a_phone(self, is_phone: bool) -> None:
        """The same page on a telephone, or on the desk again."""
        if self._devtools is None:
            self._devtools = self.context.new_cdp_session(self.page)
        narrow = {**SIZES["phone"], "deviceScaleFactor": 1, "mobile": True}
        self._devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": is_phone})
        if is_phone:
            self._devtools.send("Emulation.setDeviceMetricsOverride", narrow)
        else:
            self._devtools.send("Emulation.clearDeviceMetricsOverride")
        self.page.wait_for_function("width => innerWidth === width", arg=SIZES["phone" if is_phone else "desktop"]["width"])

    def _found(self) -> list[str]:
        """What is wrong with the page as it is shown now."""
        found = self._axe({"type": "tag", "values": _RULES})
        if self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found += [f"sticks out sideways: {one}" for one in self.page.evaluate(_STICKING_OUT)]
        return found

    def _axe(self, rules: Mapping[str, object]) -> list[str]:
        """What axe finds: rule, element, reason."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations'], preload: false})", rules)
        return [
            f"{violation['id']}: {node['target']} {node['html'][:160]} {node.get('failureSummary', '')}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def leave(self) -> None:
        """Go; nothing may have gone wrong."""
        self.context.close()
        assert self.troubles == []
