"""Watch an installation from another machine, and page by a way of its own when nothing watches there any more.

It needs no database and none of the desk's settings; its own are in docs/operate/paging.md. It looks every few seconds at URL/watchz.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from allswell.kernel import clock
from allswell.kernel.errors import CannotStart

from . import watch_probe, watch_rules, watch_settings
from .watch_rules import State, Word

#: seconds one round of telling may take, however many ways there are
TELLING = 90
_WAYS = {"email": "mail", "sms": "text message"}


def options(parser: argparse.ArgumentParser) -> None:
    """Where, how often, and what to try."""
    parser.add_argument("url", metavar="URL", help="the address of the desk, such as https://desk.example.org")
    parser.add_argument("--every", type=_seconds, default=15, metavar="SECONDS", help="seconds between two looks (15)")
    parser.add_argument("--timeout", type=_seconds, default=10, metavar="SECONDS", help="seconds an answer may take (10)")
    parser.add_argument("--misses", type=_count, default=4, metavar="N", help="page after so many looks in vain (4)")
    parser.add_argument("--repeat", type=_count, default=15, metavar="MINUTES", help="say it again after so many minutes (15)")
    parser.add_argument("--state", default="", metavar="FILE", help="where it remembers what it said (watch.json)")
    parser.add_argument("--settings", default="", metavar="FILE", help="a file with its settings, NAME=value")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--test", action="store_true", help="send a test page every way, and say what came of each")
    mode.add_argument("--once", action="store_true", help="look once; ends with 1 when nothing watches")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0.05 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} must be seconds from 0.05 to 3600")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to 10000")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Watch until SIGTERM or Ctrl-C."""
    told = watch_settings.read(os.environ, options.settings)
    told["NAME"] = told["NAME"] or socket.gethostname()
    target = watch_probe.Target.parse(options.url, name=told["NAME"], token=told["TOKEN"])
    if options.once:
        why = watch_probe.look(target, timeout=options.timeout)
        print(why or "It watches.")
        return 1 if why else 0
    if options.test:
        return _test(told, options.url)
    return Watch(options, target, told).run(list(_checked(_tell({"word": None, "settings": told}))["ways"]))


def _checked(answer: dict[str, Any] | None) -> dict[str, Any]:
    """Raises CannotStart when a way it is told cannot work."""
    if answer is None:
        raise CannotStart("The part that pages cannot be started; is the installation whole?")
    if answer["wrong"]:
        raise CannotStart(" ".join(answer["wrong"]), code=2)
    return answer


def _test(told: dict[str, str], url: str) -> int:
    now = clock.now().timestamp()
    sent = _checked(_tell({"word": _said(Word("test", now, now)), "settings": told, "url": url}))["sent"]
    for kind, why in sent:
        print(f"{_WAYS.get(kind, kind)}: {why or 'sent'}")
    if not sent or any(why for _kind, why in sent):
        print("allswell: Not every test page could be sent.", file=sys.stderr)
        return 1
    return 0


def _said(word: Word) -> dict[str, Any]:
    return {"kind": word.kind, "since": word.since, "until": word.until, "why": word.why, "key": word.key}


def _tell(asked: dict[str, Any]) -> dict[str, Any] | None:
    """Let a short-lived process do it, so that nothing it meets stops the watch; None when nothing came of it."""
    command = [sys.executable, "-m", "allswell.cli.watch_sending"]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, input=json.dumps(asked), capture_output=True, text=True, timeout=TELLING, check=False
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        _log(f"The part that pages failed: {type(error).__name__}.")
        return None
    return answer


def _log(line: str) -> None:
    print(" ".join(line.split()), flush=True)


class Memory:
    """The file in which the watcher remembers; without it, it only remembers while it lives."""

    def __init__(self, path: str, *, url: str) -> None:
        folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
        self._path = Path(path) if path else Path(folder) / "watch.json" if folder else Path("watch.json")
        self._url = url
        self._is_broken = False

    def load(self) -> State:
        """What was remembered of this address."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return State.from_json(kept["state"]) if kept["url"] == self._url else State()
        except FileNotFoundError:
            return State()
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            _log(f"{self._path} cannot be read; the watch begins anew.")
            return State()

    def keep(self, state: State) -> None:
        """Write it, whole or not at all."""
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            draft.write_text(json.dumps({"url": self._url, "state": state.as_json()}), encoding="utf-8")
            draft.replace(self._path)
            self._is_broken = False
        except OSError as error:
            if not self._is_broken:
                _log(f"Cannot write {self._path}: {error.strerror}. A restart will not know what was said.")
            self._is_broken = True


class Pause:
    """Waits, and wakes at once when the process is asked to end."""

    def __init__(self) -> None:
        self._wakes, wakens = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(wakens, False)
        self._is_over = False
        signal.set_wakeup_fd(wakens, warn_on_full_buffer=False)
        for asked in (signal.SIGTERM, signal.SIGINT):
            signal.signal(asked, self._end)

    def _end(self, _number: int, _frame: object) -> None:
        self._is_over = True

    def over(self, seconds: float) -> bool:
        """Whether it is to end, at the latest after so many seconds."""
        if not self._is_over:
            select.select([self._wakes], [], [], max(0.0, seconds))
        return self._is_over


class Watch:
    """The loop: look, remember, tell."""

    def __init__(self, options: argparse.Namespace, target: watch_probe.Target, told: dict[str, str]) -> None:
        self._options, self._target, self._told = options, target, told
        self._memory = Memory(options.state, url=options.url)
        self._state = self._memory.load()

    def run(self, ways: list[str]) -> int:
        """Until it is asked to end."""
        pause = Pause()
        kinds = ", ".join(dict.fromkeys(_WAYS.get(kind, kind) for kind in ways))
        _log(f"{self._told['NAME']} watches {self._options.url} every {self._options.every:g} s; it pages by {kinds}.")
        while True:
            began = clock.monotonic()
            self._round()
            if pause.over(self._options.every - (clock.monotonic() - began)):
                return 0

    def _round(self) -> None:
        before, now = self._state, clock.now().timestamp()
        why = watch_probe.look(self._target, timeout=self._options.timeout)
        now = max(now, clock.now().timestamp())
        self._state = watch_rules.missed(before, why, now=now) if why else watch_rules.saw(before, now=now)
        if why and (not before.misses or before.why != why):
            _log(f"It does not watch: {why}")
        elif not why and before.misses and not before.good_looks:
            _log("It watches again.")
        word = watch_rules.due(
            self._state, misses=self._options.misses, repeat=self._options.repeat * 60, now=clock.now().timestamp()
        )
        if word is not None:
            self._say(word)
        if (self._state.misses, self._state.pages, self._state.over_until) != (before.misses, before.pages, before.over_until):
            self._memory.keep(self._state)

    def _say(self, word: Word) -> None:
        answer = _tell({"word": _said(word), "settings": self._told, "url": self._options.url})
        sent = answer["sent"] if answer else []
        for kind, why in sent:
            if why:
                _log(f"By {_WAYS.get(kind, kind)} it could not be told: {why}")
        if any(not why for _kind, why in sent):
            _log(f"Told: {word.kind} ({sum(not why for _kind, why in sent)} of {len(sent)}).")
            self._state = watch_rules.told(self._state, word, now=clock.now().timestamp())
