"""`make test`: the whole suite on SQLite, and on PostgreSQL all of it that has to do with a database.

It is played in parts, as many at once as there are processors. A part is shown when it has ended, whole; meanwhile a line every half
minute says how far the others are. With paths as arguments only these are played.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

#: these ask no database, so that once is enough: rules and house may not even import Django; the others want none of it (a test that
#: asks for no database is refused one) and start no desk
PURE = (
    "tests/house",
    "tests/rules",
    "tests/channels",  # what goes over the wire
    "tests/api/test_verbs.py",  # what the description says
    "tests/boot/test_bridge.py",  # what the web server is given
    "tests/boot/test_proxies.py",
    "tests/boot/test_stopping.py",  # signals
    "tests/cli/test_watch.py",  # the watcher has no database
    "tests/desk/test_calendar_files.py",  # what stands in a file
    "tests/desk/test_page_links.py",  # what stands in an address
    "tests/engine/test_guarded_http.py",  # whom we call
)
#: played by `make test-senders`, which fetches what it needs
ELSEWHERE = ("tests/senders",)
#: the folders of each part, those that take long first; what is in none of them is a part too
PARTS = (
    ("tests/web",),
    ("tests/browser", "tests/boot", "tests/chaos", "tests/upgrade"),
    ("tests/desk", "tests/domain", "tests/engine", "tests/races", "tests/stories"),
)
EVERY = 30.0
FOLDER = Path(__file__).resolve().parent
_NOTHING_FOUND = 5
_MARKS = re.compile(r"^[.FEsxX]+(?: +\[ *\d+%\])?$", re.MULTILINE)


@dataclass
class Part:
    """Some folders on one database, as a process of their own."""

    database: str
    paths: tuple[str, ...]
    is_chosen: bool = False
    process: subprocess.Popen[bytes] | None = None
    said: Path | None = None
    began: float = 0.0
    code: int = 0

    @property
    def name(self) -> str:
        """As it is called in what is printed."""
        return f"{self.database}: {' '.join(path.removeprefix('tests/') for path in self.paths)}"

    def start(self, options: list[str], said: Path) -> None:
        """Let it begin; what it says goes into the file."""
        once = [f"--ignore={path}" for path in PURE] if self.database == "postgresql" and not self.is_chosen else []
        command = [sys.executable, "-m", "pytest", *self.paths, *once, *options]
        self.said, self.began = said, time.monotonic()
        with said.open("wb") as out:
            self.process = subprocess.Popen(
                command, env={**os.environ, "TEST_DATABASE": self.database}, stdout=out, stderr=subprocess.STDOUT
            )

    def has_ended(self) -> bool:
        """Whether it is over; then its code is known."""
        assert self.process is not None
        code = self.process.poll()
        self.code = code or 0
        return code is not None

    def words(self) -> str:
        """All it said so far."""
        return self.said.read_text(errors="replace") if self.said else ""

    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self.began


def parts(paths: list[str]) -> list[Part]:
    """What to play, in order: these paths, or everything."""
    if paths:
        return [Part(database, tuple(paths), is_chosen=True) for database in ("sqlite", "postgresql")]
    named = {path for part in PARTS for path in part} | set(ELSEWHERE)
    folders = sorted(f"tests/{found.name}" for found in FOLDER.iterdir() if any(found.rglob("test_*.py")))
    rest = tuple(path for path in folders if path not in named)
    first = [Part("postgresql", tuple(path for path in part if path not in PURE)) for part in (*PARTS, rest)]
    then = [Part("sqlite", part) for part in (PARTS[1], PARTS[0], *PARTS[2:], rest)]  # so that two browsers seldom meet
    return [part for pair in zip(first, then, strict=True) for part in pair]


def main() -> int:
    """Play all parts; fail when one fails."""
    paths = [word for word in sys.argv[1:] if Path(word.partition("::")[0]).exists()]
    options = [word for word in sys.argv[1:] if word not in paths]
    waiting, playing, over = parts(paths), list[Part](), list[Part]()
    with tempfile.TemporaryDirectory(prefix="allswell-suite-") as folder:
        told = time.monotonic()
        while waiting or playing:
            while waiting and len(playing) < _at_once():
                part = waiting.pop(0)
                part.start(options, Path(folder) / f"{len(waiting)}")
                playing.append(part)
            for part in [part for part in playing if part.has_ended()]:
                playing.remove(part)
                over.append(part)
                print(f"\n== {part.name} ({part.seconds():.0f} s)\n{part.words().rstrip()}", flush=True)
            if time.monotonic() - told > EVERY:
                told = time.monotonic()
                print(f".. {'; '.join(map(_how_far, playing))}; {len(waiting)} parts wait", flush=True)
            time.sleep(0.2)
    return _told(over)


def _at_once() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _how_far(part: Part) -> str:
    marks = "".join(line.partition(" ")[0] for line in _MARKS.findall(part.words()))
    failed = sum(marks.count(mark) for mark in "FE")
    return f"{part.name}: {len(marks)} tests{f', {failed} FAILED' if failed else ''} in {part.seconds():.0f} s"


def _told(over: list[Part]) -> int:
    """Say in the end what failed; 0 when nothing did. That a choice of tests is empty in a part is no failure, in all of them it is."""
    ran = [part for part in over if part.code != _NOTHING_FOUND]
    failed = [part for part in ran if part.code] if ran else over
    for part in failed:
        print(f"== FAILED {part.name} (exit code {part.code}, shown above)", flush=True)
    if not failed:
        print(f"== all {len(over)} parts passed", flush=True)
    return max((abs(part.code) for part in failed), default=0)


if __name__ == "__main__":
    sys.exit(main())
