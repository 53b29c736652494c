"""From a link that comes to a telephone to "You have it.", with a browser that was not running: python -m bench.thumb [--rounds 10]

For each round somebody is paged. A new Chromium process with an empty profile opens the address in the message, as a telephone of
390 x 844 that touches, on a slow network (150 ms each way and back, 1.6 Mbit/s down, 0.75 Mbit/s up, as Lighthouse has it) and with a
processor four times slower. As soon as the button is there it is tapped. What a person needs to look and to lift a thumb comes on top.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
_PAINTED = "performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)[0] ?? 0"

_CAST = """
import sys
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from allswell.desk import paging, sealing
from allswell.kernel import clock
from allswell.notifications.models import ContactMethod
from tests.support import world as support
support.START = clock.now()
world = support.World()
for n in range(int(sys.argv[2])):
    person = world._person(f"Round{n} Phone", world.bank, role="agent", teams=[world.dba_team])
    address = sealing.seal(sys.argv[1] + str(n))
    ContactMethod.objects.create(
        person=person, kind="webhook", address=address, shown="…", created_at=world.now, verified_at=world.now
    )
    title = f"Account look-up fails in branch {n}"
    ticket = world.report(world.jonas, title=title, impact=1, urgency=1, service="account-look-up", team=world.dba_team.pk)
    paging.page(ticket.pk, person=person.pk, reason="The connection pool is full", **world.by(world.jonas))
"""


@contextmanager
def serving(home: Path, phone: str, rounds: int) -> Iterator[str]:
    """A desk on SQLite where so many people are paged; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")} | {
        "ALLSWELL_DATA_DIR": str(home),
        "ALLSWELL_PORT": str(port),
        "ALLSWELL_URL": f"http://127.0.0.1:{port}",
        "ALLSWELL_LOG_LEVEL": "WARNING",
        "ALLSWELL_OUTGOING_ALLOW": "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "allswell.boot.settings",
    }
    subprocess.run([sys.executable, "-c", _CAST, phone, str(rounds)], env=environment, check=True)
    process = subprocess.Popen([sys.executable, "-m", "allswell", "serve"], env=environment, stdout=subprocess.DEVNULL)
    url = environment["ALLSWELL_URL"]
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def play(link: str, program: str, *, slow: bool, shot: str = "") -> dict[str, Any]:
    """One round in a browser process of its own."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        telephone = playwright.devices["iPhone 13"] | {"viewport": {"width": 390, "height": 844}}
        telephone.pop("default_browser_type", None)
        started = time.monotonic()
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=program, args=["--no-sandbox", "--disable-gpu"], **telephone
        )
        page = context.pages[0]
        devtools = context.new_cdp_session(page)
        came: dict[str, tuple[str, float]] = {}
        devtools.on("Network.responseReceived", lambda said: came.update({said["requestId"]: (said["response"]["url"], 0)}))
        devtools.on(
            "Network.loadingFinished",
            lambda said: came.update({said["requestId"]: (came.get(said["requestId"], ("?", 0))[0], said["encodedDataLength"])}),
        )
        devtools.send("Network.enable")
        if slow:
            devtools.send("Network.emulateNetworkConditions", _SLOW)
            devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        opened = time.monotonic()
        page.goto(link, wait_until="commit")
        button = page.get_by_role("button", name="I have it")
        button.wait_for()
        seen = time.monotonic()
        if shot:
            page.screenshot(path=shot)
        page.wait_for_load_state("load")
        painted = page.evaluate(_PAINTED)
        requests = sorted(((url.rsplit("/", 1)[-1][:24], int(size)) for url, size in came.values()), key=lambda one: -one[1])
        tapped = time.monotonic()
        button.tap()
        expect(page.get_by_text("You have it.")).to_be_visible(timeout=30_000)
        done = time.monotonic()
        context.close()
    return {
        "browser started": opened - started,
        "first paint": painted / 1000,
        "button there": seen - opened,
        "tap to answered": done - tapped,
        "all": (opened - started) + (seen - opened) + (done - tapped),
        "requests": [("the page" if len(name) > 23 or "." not in name else name, size) for name, size in requests],
    }


def main() -> int:
    """Play the rounds and print what they took; 1 when one took ten seconds or more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="neither a slow network nor a slow processor")
    parser.add_argument("--shot", default="", help="keep a picture of the first round here")
    options = parser.parse_args()
    from tests.support.receiver import Receiver

    program = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if program is None:
        print("no Chromium found", file=sys.stderr)
        return 2
    told = []
    with tempfile.TemporaryDirectory() as home, Receiver() as phones, serving(Path(home), phones.url("/"), options.rounds):
        for n in range(options.rounds):
            link = _rings(phones, f"/{n}")
            told.append(play(link, program, slow=not options.quick, shot=options.shot if n == 0 else ""))
    print(json.dumps(told[0]["requests"]))
    print(f"{len(told[0]['requests'])} requests, {sum(size for _, size in told[0]['requests']):,} bytes")
    for name in ("browser started", "first paint", "button there", "tap to answered", "all"):
        values = sorted(one[name] for one in told)
        print(f"{name}: median {statistics.median(values):.2f} s, longest {values[-1]:.2f} s")
    return int(max(one["all"] for one in told) >= 10)


def _rings(phones: Any, path: str) -> str:
    """The address in the message that came there."""
    for _ in range(600):
        for call in list(phones.calls):
            if call.path == path:
                return str(json.loads(call.body)["data"]["link"])
        time.sleep(0.1)
    raise AssertionError(f"nothing rang at {path}")


if __name__ == "__main__":
    sys.exit(main())
