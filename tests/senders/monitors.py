"""The monitoring tools of Debian, each with a configuration as its users write one; only their timers are quicker."""

from __future__ import annotations

import getpass
import http.server
import json
import os
import re
import shutil
import sys
import textwrap
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run
from typing import Any

import yaml

from tests.support.desk import free_port

from .clients import Tale
from .install import ROOT, TEMPLATES
from .stage import Process, Source

LIBRARIES = {"LD_LIBRARY_PATH": str(ROOT / "usr/lib/x86_64-linux-gnu")}
INTEGRATIONS = Path(__file__).parents[2] / "integrations"
NOTIFY = INTEGRATIONS / "nagios" / "notify_allswell.py"


# Alertmanager, with a receiver of each kind that speaks to us


def one_alertmanager(source: Source, folder: Path) -> tuple[Process, int]:
    """One that has only a webhook."""
    return _started({"webhook_configs": [{"url": source.address, "send_resolved": True, "max_alerts": 1000}]}, folder)


def _alertmanager(sources: list[Source], folder: Path) -> tuple[Process, int]:
    webhook, pagerduty, opsgenie, victorops = sources
    host = f"http://127.0.0.1:{webhook.stage.desk.port}"
    receiver: dict[str, Any] = {
        "webhook_configs": [{"url": webhook.address, "send_resolved": True, "max_alerts": 1000}],
        "pagerduty_configs": [{"url": f"{host}/v2/enqueue", "routing_key": pagerduty.key}],
        "opsgenie_configs": [{"api_url": f"{host}/", "api_key": opsgenie.key}],
        "victorops_configs": [{"api_url": f"{host}/in/victorops/", "api_key": victorops.key, "routing_key": "team-x"}],
    }
    return _started(receiver, folder)


def _started(receiver: dict[str, Any], folder: Path) -> tuple[Process, int]:
    receiver = {"name": "allswell", **receiver}
    route = {
        "receiver": "allswell",
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "2s",
    }
    folder.mkdir(parents=True)
    (folder / "alertmanager.yml").write_text(yaml.safe_dump({"route": route, "receivers": [receiver]}))
    for template in TEMPLATES.glob("*.tmpl"):
        shutil.copy(template, folder)
    port = free_port()
    process = Process(
        folder,
        ROOT / "usr/bin/prometheus-alertmanager",
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/store",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    process.listens(port)
    return process, port


def tell(port: int, began: datetime, ends_in: float, *hosts: str, **labels: str) -> None:
    """What a Prometheus says to an Alertmanager."""
    alerts = [
        {
            "labels": {"alertname": "DiskFull", "instance": host, "severity": "critical", **labels},
            "annotations": {"summary": f"Disk of {host} is full", "runbook_url": "https://runbooks.example/disk"},
            "startsAt": began.isoformat(),
            "endsAt": (datetime.now(UTC) + timedelta(seconds=ends_in)).isoformat(),
        }
        for host in hosts
    ]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def alertmanager(*sources: Source) -> None:
    """Two hosts fire; one is over before the other; it flaps; the end comes while the desk is down."""
    process, port = _alertmanager(list(sources), sources[0].stage.folder / "alertmanager")
    with process:
        began = datetime.now(UTC)
        tell(port, began, 600, "db1", "db2")
        for one in sources:
            one.until_it_fires()
        sources[0].until_it_repeats(3)
        tell(port, began, 0, "db1")
        sources[0].until("the end of db1", lambda alerts: {one["state"] for one in alerts} == {"firing", "resolved"})
        for episode in (2, 3):
            tell(port, began, 0, "db1", "db2")
            for one in sources:
                one.until_it_is_over()
            began = datetime.now(UTC)
            tell(port, began, 600, "db2")
            for one in sources:
                one.until_it_fires(episode)
        with _together(sources):
            tell(port, began, 0, "db2")
        for one in sources:
            one.until_it_is_over()


@contextmanager
def _together(sources: tuple[Source, ...]) -> Iterator[None]:
    with sources[0].outage():
        yield


# Prometheus without an Alertmanager: a rule over something it scrapes


class Gauge:
    """Something to scrape, with a number that can be changed."""

    def __init__(self) -> None:
        self.value = 0
        gauge = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                words = f"disk_used_percent {gauge.value}\n".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words)

            def log_message(self, *_: Any) -> None:
                """Nobody wants to know."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> Gauge:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _prometheus(source: Source, folder: Path, target: int) -> tuple[Process, int]:
    rule = {
        "alert": "DiskFull",
        "expr": "disk_used_percent > 90",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "Disk of {{ $labels.instance }} is full: {{ $value }} %"},
    }
    alertmanagers = [
        {"path_prefix": f"/in/prometheus/{source.key}", "static_configs": [{"targets": [f"127.0.0.1:{source.stage.desk.port}"]}]}
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": alertmanagers},
        "scrape_configs": [{"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
    }
    folder.mkdir(parents=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "disks", "rules": [rule]}]}))
    port = free_port()
    process = Process(
        folder,
        ROOT / "usr/bin/prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/store",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",
        f"--web.console.templates={folder}",
        f"--web.console.libraries={folder}",
    )
    process.listens(port)
    return process, port


def prometheus(source: Source) -> None:
    """A rule fires, is repeated as its lease wants it, flaps, and is over while the desk is down."""
    with Gauge() as gauge:
        process, _ = _prometheus(source, source.stage.folder / "prometheus", gauge.server.server_port)
        with process:
            gauge.value = 97
            source.until_it_fires()
            source.until_it_repeats(3)
            for episode in (2, 3):
                gauge.value = 50
                source.until_it_is_over()
                gauge.value = 98
                source.until_it_fires(episode)
            with source.outage():
                gauge.value = 40
            source.until_it_is_over()


# Nagios and Icinga 2, with the notify script that comes with Allswell


def _plugins(folder: Path, source: Source) -> tuple[Path, Path]:
    """The address of the source in a file, and a spool."""
    address, spool = folder / "nagios.url", folder / "spool"
    address.write_text(f"# the desk\n{source.address}\n")
    spool.mkdir()
    return address, spool


def _flush_until_empty(address: Path, spool: Path) -> None:
    """What cron does every minute."""
    end = time.monotonic() + 60
    while run([sys.executable, NOTIFY, "--url-file", address, "--spool", spool, "--flush"], check=False).returncode:
        assert time.monotonic() < end, list(spool.iterdir())
        time.sleep(1)
    assert not list(spool.glob("*.form"))
    assert not (spool / "refused").exists()


def _checked(source: Source, tell: Callable[[str], None], acknowledge: Callable[[], None], spool: tuple[Path, Path]) -> None:
    """The tale of both: CRITICAL, again, OK, flapping, acknowledged, and OK while the desk is down."""
    tell("CRITICAL")
    source.until_it_fires()
    end = time.monotonic() + 60
    while not any(one["count"] > 1 for one in source.alerts()):  # Nagios tells once more when the next result comes in
        assert time.monotonic() < end, "it is not repeated"
        tell("CRITICAL")
        time.sleep(1)
    tell("OK")
    source.until_it_is_over()
    tell("CRITICAL")
    source.until_it_fires(2)
    for _ in range(12):  # they judge by the last twenty results, and tell of no turn more once it flaps
        tell("OK")
        time.sleep(0.3)
        tell("CRITICAL")
        time.sleep(0.3)
    source.until("it flaps", lambda alerts: any(one["is_flapping"] for one in alerts))
    end = time.monotonic() + 90
    while any(one["is_flapping"] for one in source.alerts()):  # until it has been the same for long enough
        assert time.monotonic() < end, "it flaps on"
        tell("CRITICAL")
        time.sleep(0.4)
    source.until("fires, and flaps no more", lambda alerts: alerts and alerts[0]["state"] == "firing")
    acknowledge()
    source.until_it_repeats(1)
    time.sleep(2)
    with source.outage():
        tell("OK")
        end = time.monotonic() + 30
        while not list(spool[1].glob("*.form")):
            assert time.monotonic() < end, "nothing was put by"
            time.sleep(0.2)
    _flush_until_empty(*spool)
    source.until_it_is_over()


def nagios(source: Source) -> None:
    """Nagios 4 with a service whose results come from outside."""
    folder = source.stage.folder / "nagios"
    (folder / "results").mkdir(parents=True)
    address, spool = _plugins(folder, source)
    text = (INTEGRATIONS / "nagios" / "allswell.cfg").read_text()
    notify = f"{sys.executable} {NOTIFY} --spool {spool} --timeout 5"
    text = text.replace("/usr/local/lib/allswell/notify_allswell.py", notify).replace("/etc/allswell/nagios.url", str(address))
    (folder / "allswell.cfg").write_text(text)
    (folder / "objects.cfg").write_text(NAGIOS_OBJECTS)
    (folder / "nagios.cfg").write_text(NAGIOS.format(folder=folder, user=getpass.getuser()))
    pipe = folder / "nagios.cmd"

    def command(words: str) -> None:
        with pipe.open("w") as out:
            out.write(f"[{int(time.time())}] {words}\n")

    def tell(state: str) -> None:
        number = {"OK": 0, "WARNING": 1, "CRITICAL": 2}[state]
        command(f"PROCESS_SERVICE_CHECK_RESULT;db1;disk;{number};DISK {state} - 98 % of <b>/var</b> & more")

    with Process(folder, ROOT / "usr/sbin/nagios4", folder / "nagios.cfg", **LIBRARIES) as process:
        end = time.monotonic() + 20
        while not pipe.exists():
            assert process.process.poll() is None, process.words()
            assert time.monotonic() < end, process.words()
            time.sleep(0.1)
        _checked(source, tell, lambda: command("ACKNOWLEDGE_SVC_PROBLEM;db1;disk;1;1;0;lena;on it"), (address, spool))


NAGIOS = """\
log_file={folder}/nagios.log
cfg_file={folder}/allswell.cfg
cfg_file={folder}/objects.cfg
object_cache_file={folder}/objects.cache
status_file={folder}/status.dat
state_retention_file={folder}/retention.dat
command_file={folder}/nagios.cmd
lock_file={folder}/nagios.pid
temp_file={folder}/nagios.tmp
temp_path={folder}
check_result_path={folder}/results
query_socket={folder}/nagios.qh
nagios_user={user}
nagios_group={user}
check_external_commands=1
accept_passive_service_checks=1
enable_notifications=1
enable_flap_detection=1
low_service_flap_threshold=10.0
high_service_flap_threshold=30.0
interval_length=1
check_result_reaper_frequency=1
use_syslog=0
illegal_macro_output_chars=`~$&|'"<>
use_large_installation_tweaks=1
enable_environment_macros=0
check_for_updates=0
"""
NAGIOS_OBJECTS = """\
define timeperiod {
  timeperiod_name  24x7
  alias            always
  sunday           00:00-24:00
  monday           00:00-24:00
  tuesday          00:00-24:00
  wednesday        00:00-24:00
  thursday         00:00-24:00
  friday           00:00-24:00
  saturday         00:00-24:00
}
define command {
  command_name  always-well
  command_line  /bin/true
}
define host {
  host_name               db1
  address                 192.0.2.1
  max_check_attempts      1
  check_command           always-well
  check_period            24x7
  contacts                allswell
  notification_interval   0
  notification_period     24x7
}
define service {
  host_name               db1
  service_description     disk
  check_command           always-well
  active_checks_enabled   0
  passive_checks_enabled  1
  max_check_attempts      1
  check_interval          60
  retry_interval          60
  check_period            24x7
  contacts                allswell
  notification_interval   2
  notification_period     24x7
  flap_detection_enabled  1
}
"""


def icinga(source: Source) -> None:
    """Icinga 2 with a passive service, and the configuration that comes with Allswell."""
    folder = source.stage.folder / "icinga"
    for name in ("data", "cache", "logs", "run", "spool2", "conf"):
        (folder / name).mkdir(parents=True)
    address, spool = _plugins(folder, source)
    script = folder / "notify"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {NOTIFY} --timeout 5 "$@"\n')
    script.chmod(0o755)
    text = (INTEGRATIONS / "icinga2" / "allswell.conf").read_text()
    text = text.replace("/usr/local/lib/allswell/notify_allswell.py", str(script)).replace(
        "/etc/allswell/nagios.url", str(address)
    )
    text = text.replace("/var/spool/allswell", str(spool)).replace("interval = 30m", "interval = 2s")
    pipe = folder / "icinga2.cmd"
    (folder / "icinga2.conf").write_text(ICINGA.format(pipe=pipe, folder=folder) + text)
    user = getpass.getuser()
    constants = {
        "DataDir": folder / "data",
        "CacheDir": folder / "cache",
        "LogDir": folder / "logs",
        "InitRunDir": folder / "run",
        "SpoolDir": folder / "spool2",
        "ConfigDir": folder / "conf",
        "RunAsUser": user,
        "RunAsGroup": user,
    }
    defined = [f"-D{name}={value}" for name, value in constants.items()]
    binary = ROOT / "usr/lib/x86_64-linux-gnu/icinga2/sbin/icinga2"
    includes = ROOT / "usr/share/icinga2/include"

    def command(words: str) -> None:
        with pipe.open("w") as out:
            out.write(f"[{int(time.time())}] {words}\n")

    def tell(state: str) -> None:
        number = {"OK": 0, "WARNING": 1, "CRITICAL": 2}[state]
        command(f"PROCESS_SERVICE_CHECK_RESULT;db1;disk;{number};DISK {state} - 98 % of /var")

    with Process(folder, binary, "daemon", *defined, "-I", includes, "-c", folder / "icinga2.conf", **LIBRARIES) as process:
        end = time.monotonic() + 40
        while not pipe.exists():
            assert process.process.poll() is None, process.words()
            assert time.monotonic() < end, process.words()
            time.sleep(0.1)
        _checked(source, tell, lambda: command("ACKNOWLEDGE_SVC_PROBLEM;db1;disk;1;1;0;lena;on it"), (address, spool))


ICINGA = """\
include <itl>
const NodeName = "node"
const ZoneName = "node"
object Endpoint NodeName {{ host = NodeName }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
object ExternalCommandListener "command" {{ command_path = "{pipe}" }}
object IcingaApplication "app" {{ }}
object Host "db1" {{
  check_command = "passive"
  enable_active_checks = false
  address = "192.0.2.1"
  vars.allswell = false
}}
object Service "disk" {{
  host_name = "db1"
  check_command = "passive"
  enable_active_checks = false
  max_check_attempts = 1
  enable_flapping = true
  flapping_threshold_low = 10
  flapping_threshold_high = 30
}}
"""


# Zabbix' own engine for media types, with ours in it


def zabbix(source: Source) -> None:
    """The script of the media type, run as the server runs it; the server's attempts are ours."""
    made = yaml.safe_load((INTEGRATIONS / "zabbix" / "media_allswell.yaml").read_text())["zabbix_export"]["media_types"][0]
    script = source.stage.folder / "allswell.js"
    script.write_text(made["script"])
    known = {
        "{EVENT.NAME}": "Disk of db1 is full",
        "{EVENT.NSEVERITY}": "5",
        "{EVENT.TAGSJSON}": '[{"tag": "component", "value": "disk"}]',
        "{HOST.NAME}": "db1",
        "{HOST.IP}": "192.0.2.1",
        "{TRIGGER.ID}": "17",
        "{ALERT.SUBJECT}": "Disk of db1 is full",
        "{ALERT.MESSAGE}": "98 %",
        "{$ZABBIX.URL}": "https://zabbix.example/",
    }

    last = 0

    def tell(event: str, value: str, **more: str) -> bool:
        nonlocal last
        while int(time.time()) <= last:  # Zabbix tells whole seconds, and nothing breaks, heals and breaks within one
            time.sleep(0.05)
        last = int(time.time())
        macros = {**known, "{EVENT.ID}": event, "{EVENT.VALUE}": value, "{EVENT.UPDATE.STATUS}": "0", **more}
        macros["{EVENT.TIMESTAMP}"] = macros["{EVENT.RECOVERY.TIMESTAMP}"] = str(last)
        given = {one["name"]: macros.get(one.get("value", ""), one.get("value", "")) for one in made["parameters"]}
        given["url"] = source.address
        done = run(
            [ROOT / "usr/bin/zabbix_js", "-s", script, "-p", json.dumps(given), "-t", "20"],
            env={**os.environ, **LIBRARIES},
            capture_output=True,
            text=True,
            check=False,
        )
        is_told = done.returncode == 0 and re.search(r"^OK$", done.stdout.strip(), re.M) is not None
        assert is_told or "Allswell" in done.stdout + done.stderr, textwrap.shorten(done.stdout + done.stderr, 500)
        return is_told

    def has_to(event: str, value: str, **more: str) -> None:
        assert tell(event, value, **more), f"event {event} {value}"

    has_to("4711", "1")
    source.until_it_fires()
    has_to("4711", "1")
    source.until_it_repeats(2)
    has_to("4711", "0")
    source.until_it_is_over()
    has_to("4711", "1")  # a trigger's problem goes on after it was closed by hand and it is told of again
    source.until_it_fires(2)
    acknowledged = {"{EVENT.UPDATE.STATUS}": "1", "{EVENT.UPDATE.ACTION}": "acknowledged", "{USER.FULLNAME}": "Lena Frei"}
    has_to("4711", "1", **acknowledged)
    with source.outage():
        assert not tell("4711", "0"), "it took a desk that is down for one that answered"
    has_to("4711", "0")
    source.until_it_is_over()


CAST: dict[str, Tale] = {
    "Alertmanager": (
        alertmanager,
        [
            ("Alertmanager webhook", "alertmanager"),
            ("Alertmanager pagerduty", "pagerduty"),
            ("Alertmanager opsgenie", "opsgenie"),
            ("Alertmanager victorops", "victorops"),
        ],
    ),
    "Prometheus": (prometheus, [("Prometheus", "prometheus")]),
    "Nagios 4": (nagios, [("Nagios 4", "nagios")]),
    "Icinga 2": (icinga, [("Icinga 2", "nagios")]),
    "Zabbix": (zabbix, [("Zabbix", "zabbix")]),
}
ACKNOWLEDGE = {"Nagios 4", "Icinga 2", "Zabbix"}
