"""The watcher, as a process of its own, beside a server that lies, hangs up, is slow, or is Allswell."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allswell.cli import watch_probe, watch_settings, watch_ways
from allswell.kernel import clock
from allswell.kernel.errors import CannotStart
from tests.support.receiver import Receiver

WELL = (200, {"content-type": "application/json"}, b'{"state": "watching"}')
BAD = (503, {"content-type": "application/json"}, b'{"state": "not watching", "reason": "No engine has watched for a minute."}')
SENT = (200, {"content-type": "application/json"}, b'{"id": "abc", "sid": "SM1", "status": "queued"}')


@pytest.fixture
def desk() -> Iterator[Receiver]:
    """What is watched."""
    with Receiver() as receiver:
        receiver.answers["/watchz"] = WELL
        yield receiver


@pytest.fixture
def phone() -> Iterator[Receiver]:
    """Where the watcher's pages arrive."""
    with Receiver() as receiver:
        receiver.answers["/"] = SENT
        yield receiver


def settings(phone: Receiver, **more: str) -> dict[str, str]:
    given = {"NTFY": phone.url("/night"), "WEBHOOK": phone.url("/hook"), "NAME": "hobbit", **more}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALLSWELL_")}
    return kept | {f"ALLSWELL_WATCH_{name}": value for name, value in given.items()}


def watch(environment: dict[str, str], *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "allswell", "watch", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False, **more)


def look(receiver: Receiver, path: str = "", timeout: float = 5) -> str:
    return watch_probe.look(watch_probe.Target.parse(receiver.url(path)), timeout=timeout)


# a look


def test_it_believes_only_what_allswell_says(desk: Receiver) -> None:
    assert look(desk) == ""
    desk.answers["/watchz"] = BAD
    assert look(desk) == "No engine has watched for a minute."
    desk.answers["/watchz"] = (200, {}, b"<html>welcome to nginx</html>")
    assert "not as Allswell does" in look(desk)
    desk.answers["/watchz"] = (200, {}, b'["watching"]')
    assert "not as Allswell does" in look(desk)
    desk.answers["/watchz"] = (500, {}, b"oops")
    assert look(desk) == "It answers 500."
    desk.answers["/watchz"] = (302, {"location": "https://elsewhere.example.org/"}, b"")
    assert look(desk) == "It redirects to https://elsewhere.example.org/: is the address right?"
    desk.answers["/watchz"] = (503, {}, b"[" * 60_000)
    assert look(desk) == "It answers 503."


def test_a_server_that_hangs_up_talks_nonsense_or_says_nothing_costs_a_miss(desk: Receiver) -> None:
    for raw in (
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00\xff" * 5000,
        b"HTTP/1.1 200 OK\r\nx" + b"y" * 70_000,
        b"",
    ):
        desk.raw["/watchz"] = raw
        assert look(desk), raw[:20]
    desk.raw.clear()
    desk.dropped.add("/watchz")
    assert look(desk)
    desk.dropped.clear()
    desk.silent.add("/watchz")
    assert look(desk, timeout=0.3) == "No answer within 0.3 s."


def test_one_that_dribbles_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        is_over = threading.Event()

        def dribble() -> None:
            sock, _address = listening.accept()
            with sock:
                while not is_over.wait(0.02):
                    try:
                        sock.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=dribble, daemon=True)
        thread.start()
        target = watch_probe.Target.parse(f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert watch_probe.look(target, timeout=0.5).startswith("No answer within")
        is_over.set()
        thread.join(10)


def test_a_closed_port_an_unknown_name_and_tls_that_is_none_are_misses(desk: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        closed = listening.getsockname()[1]
    assert watch_probe.look(watch_probe.Target.parse(f"http://127.0.0.1:{closed}"), timeout=5).startswith("It cannot be reached")
    assert watch_probe.look(watch_probe.Target.parse(f"https://127.0.0.1:{desk.port}"), timeout=5).startswith("No TLS")
    assert watch_probe.look(watch_probe.Target.parse("http://desk.invalid"), timeout=5)


def test_it_says_who_it_is_and_keeps_to_the_address_it_was_given(desk: Receiver) -> None:
    desk.answers["/desk/watchz"] = WELL
    target = watch_probe.Target.parse(desk.url("/desk/"), name="hobbit\r\nEvil: ü", token="a token")
    assert watch_probe.look(target, timeout=5) == ""
    (call,) = desk.calls
    assert (call.path, call.headers["authorization"]) == ("/desk/watchz", "Bearer a token")
    assert call.headers["allswell-watcher"].strip() == "hobbitEvil:"
    assert "evil" not in call.headers
    for url in (
        "desk.example.org",
        "ftp://desk.example.org",
        "https://",
        "https://a:b@desk.example.org",
        "http://[::1",
        "http://x:y",
    ):
        with pytest.raises(CannotStart):
            watch_probe.Target.parse(url)


# its settings


def test_its_settings_come_from_the_environment_or_a_file_and_wrong_ones_are_named(tmp_path: Path) -> None:
    secret = tmp_path / "sms"
    secret.write_text("twilio+https://AC:token@sms.example.org/?from=%2B15550100\n")
    file = tmp_path / "watch.env"
    file.write_text(
        f'# ours\nALLSWELL_WATCH_NAME="hobbit"\nALLSWELL_WATCH_SMS_URL_FILE={secret}\nALLSWELL_WATCH_MAIL_TO=a@b.example\n'
    )
    told = watch_settings.read({"ALLSWELL_WATCH_MAIL_TO": "c@d.example", "ALLSWELL_DATABASE_URL": "x"}, str(file))
    assert (told["NAME"], told["MAIL_TO"], told["LANGUAGE"]) == ("hobbit", "c@d.example", "en")
    assert told["SMS_URL"].startswith("twilio+https://AC")
    for wrong in ({"ALLSWELL_WATCH_NFTY": "x"}, {"ALLSWELL_WATCH_SMS_URL": "x", "ALLSWELL_WATCH_SMS_URL_FILE": "y"}):
        with pytest.raises(CannotStart) as error:
            watch_settings.read(wrong)
        assert error.value.code == 2
    file.write_text("MAIL_TO=x\n")
    with pytest.raises(CannotStart, match="line 1"):
        watch_settings.read({}, str(file))
    with pytest.raises(CannotStart, match="cannot read"):
        watch_settings.read({}, str(tmp_path / "none"))


def test_settings_that_cannot_work_are_named_before_the_night(phone: Receiver) -> None:
    cases = [
        ({"NTFY": "", "WEBHOOK": ""}, "Nothing says how to page"),
        ({"NTFY": "night"}, "ALLSWELL_WATCH_NTFY"),
        ({"MAIL_TO": "ada@example.org"}, "ALLSWELL_WATCH_MAIL_TO"),
        ({"SMS_TO": "+41790000000"}, "ALLSWELL_WATCH_SMS_TO"),
        ({"LANGUAGE": "xx"}, "ALLSWELL_WATCH_LANGUAGE"),
    ]
    for given, said in cases:
        (found,) = watch_ways.wrong(watch_settings.read(settings(phone, **given)))
        assert said in found
    assert list(watch_ways.wrong(watch_settings.read(settings(phone)))) == []
    done = watch(settings(phone, NTFY="", WEBHOOK=""), "http://127.0.0.1:1", "--test")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    done = watch(settings(phone), "http://127.0.0.1:1", "--every", "0")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


# telling


def test_a_test_page_goes_every_way_and_says_so(phone: Receiver) -> None:
    sms = {"SMS_URL": f"twilio+http://AC1:token@127.0.0.1:{phone.port}/?from=%2B15550100", "SMS_TO": "+41790000000"}
    phone.answers["/2010-04-01/Accounts/AC1/Messages.json"] = SENT
    done = watch(settings(phone, LANGUAGE="de", **sms), "http://desk.example.org", "--test")
    assert (done.returncode, done.stdout.splitlines()) == (0, ["ntfy: sent", "webhook: sent", "text message: sent"]), done.stderr
    ntfy, hook, text = sorted(phone.calls, key=lambda call: ["/", "/hook"].index(call.path) if call.path in ("/", "/hook") else 2)
    assert json.loads(ntfy.body)["topic"] == "night"
    assert json.loads(ntfy.body)["title"].startswith("Test:")
    assert "hobbit" in json.loads(hook.body)["data"]["text"]
    assert b"Body=Test" in text.body


def test_a_way_that_fails_keeps_no_other_from_being_tried(phone: Receiver) -> None:
    phone.answers["/"] = (404, {}, b"")
    phone.answers["/hook"] = SENT
    told = watch_settings.read(
        settings(phone, MAIL_TO="ada@example.org", MAIL_FROM="w@example.org", SMTP_URL="smtp+plain://127.0.0.1:1")
    )
    word = {"kind": "silent", "since": 1_795_000_000.0, "until": 1_795_000_960.0, "why": "No answer.", "key": "watch.1"}
    message = watch_ways.message(word, told, url="https://desk.example.org")
    assert "16 minutes" in message.text
    assert len(message.short) <= 160
    sent = dict(watch_ways.deliver(message, told, now=clock.now))
    assert (sent["ntfy"], sent["webhook"]) == ("It answered 404.", "")
    assert sent["email"]


def test_one_look_for_who_has_a_scheduler_of_their_own(desk: Receiver, phone: Receiver) -> None:
    assert watch(settings(phone), desk.url(""), "--once").returncode == 0
    desk.answers["/watchz"] = BAD
    done = watch(settings(phone), desk.url(""), "--once")
    assert (done.returncode, done.stdout) == (1, "No engine has watched for a minute.\n")


def test_it_pages_survives_its_own_restart_and_says_when_all_is_well(desk: Receiver, phone: Receiver, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "allswell", "watch", desk.url(""), "--every", "0.05", "--misses", "2"]
    command += ["--state", str(tmp_path / "watch.json")]

    def until(text: str) -> None:
        process = subprocess.Popen(command, env=settings(phone), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if text in line:
                break
        process.send_signal(signal.SIGTERM)
        rest, _nothing = process.communicate(timeout=30)
        assert process.returncode == 0, [*seen, rest]
        assert text in "".join(seen), [*seen, rest]

    desk.answers["/watchz"] = BAD
    until("Told: silent")
    told = [json.loads(call.body)["data"] for call in phone.calls if call.path == "/hook"]
    assert len(told) == 1
    assert "No engine has watched for a minute." in told[0]["text"]
    assert told[0]["headline"] == f"Allswell is silent: {desk.url('')}"
    desk.answers["/watchz"] = WELL
    until("Told: well")
    told = [json.loads(call.body)["data"] for call in phone.calls if call.path == "/hook"]
    assert [one["urgency"] for one in told] == ["urgent", "normal"]
    assert told[1]["headline"].startswith("Allswell is well again")


def test_idle_it_is_small_and_loads_no_django(desk: Receiver, phone: Receiver) -> None:
    code = (
        "import sys; from allswell.__main__ import main; sys.argv[1:] = ['watch', {!r}, '--once']; main();"
        " print([name for name in ('django', 'httpx', 'babel') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code.format(desk.url(""))], env=settings(phone), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["It watches.", "[]"]
