"""Reading mail in a process of its own, which is ended when a mail takes it too long or too much memory. Mail is written by strangers.

The process does nothing else: it has no database, no settings and no keys. It lives from mail to mail and ends with its parent.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import struct
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from allswell.intake.parsers.mail.limits import TooMuch
from allswell.intake.parsers.mail.references import Own
from allswell.intake.parsers.mail.understanding import Understood, understand

#: what one mail may cost: seconds of computing, seconds until an answer, bytes of memory of the whole process
CPU, PATIENCE, MEMORY = 20, 60.0, 1_500_000_000
#: a process is ended after so many mails, so that nothing piles up in it
_LIVES = 5_000
_LENGTH = struct.Struct(">Q")
_ROOT = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail that cannot be read; `reason` is a word: a limit of the parsers, "too long" or "crashed"."""

    reason: str


class Apart:
    """Reads mails one after the other in a process that can be killed."""

    def __init__(self, *, cpu: int = CPU, patience: float = PATIENCE, memory: int = MEMORY) -> None:
        self.limits = (str(cpu), str(memory))
        self.patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0

    def understand(self, raw: bytes, own: Own, *, authserv: str = "", hops: int = 2) -> Understood | Unreadable:
        """What a mail says, or why that cannot be told. Never raises because of the mail."""
        bare = replace(own, key=b"", former_keys=())
        answer = self._asked(pickle.dumps((raw, bare, authserv, hops)))
        if answer is None:
            return Unreadable("too long")
        found = pickle.loads(answer)  # noqa: S301 - our own process wrote it, out of our own classes
        return found if isinstance(found, Understood | Unreadable) else Unreadable("crashed")

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close() if pipe else None
            process.wait()

    def _asked(self, question: bytes) -> bytes | None:
        if self._process is not None and (self._read >= _LIVES or self._process.poll() is not None):
            self.close()
        if self._process is None:
            self._process, self._read = self._begun(), 0
        self._read += 1
        try:
            return self._told(self._process, question)
        except (OSError, EOFError):
            self.close()
            return None

    def _begun(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "allswell.intake.apart", *self.limits]
        known = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")}
        return subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=known | {"PYTHONPATH": _ROOT},
            cwd="/",
            bufsize=0,
        )

    def _told(self, process: subprocess.Popen[bytes], question: bytes) -> bytes:
        assert process.stdin is not None
        assert process.stdout is not None
        whole = memoryview(_LENGTH.pack(len(question)) + question)
        while whole:
            if not select.select([], [process.stdin], [], self.patience)[1]:
                raise EOFError
            whole = whole[os.write(process.stdin.fileno(), whole[:65_536]) :]
        head = self._exactly(process.stdout, _LENGTH.size)
        return self._exactly(process.stdout, _LENGTH.unpack(head)[0])

    def _exactly(self, pipe: IO[bytes], count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            if not select.select([pipe], [], [], self.patience)[0]:
                raise EOFError
            part = os.read(pipe.fileno(), min(1 << 20, count - len(parts)))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)


def read(raw: bytes, own: Own, *, authserv: str = "", hops: int = 2) -> Understood | Unreadable:
    """The same in this process, without a limit on what it may cost."""
    try:
        return understand(raw, own, authserv=authserv, hops=hops)
    except TooMuch as error:
        return Unreadable(error.reason)


def main(source: IO[bytes], target: IO[bytes], *, cpu: int, memory: int) -> None:
    """The process: read mails and answer until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while head := source.read(_LENGTH.size):
        question = source.read(_LENGTH.unpack(head)[0])
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + cpu + 1, resource.RLIM_INFINITY))
        answer = _answered(question)
        target.write(_LENGTH.pack(len(answer)) + answer)
        target.flush()


def _answered(question: bytes) -> bytes:
    raw, own, authserv, hops = pickle.loads(question)  # noqa: S301 - the engine wrote it
    try:
        return pickle.dumps(read(raw, own, authserv=authserv, hops=hops))
    except MemoryError:
        return pickle.dumps(Unreadable("too long"))
    except Exception:  # noqa: BLE001 - the parsers promise not to raise; if one does, this mail is put aside and the next is read
        return pickle.dumps(Unreadable("crashed"))


if __name__ == "__main__":
    # run as a module, the classes here are of `__main__`: the parent knows them by the name of the module
    from allswell.intake import apart

    apart.main(sys.stdin.buffer, sys.stdout.buffer, cpu=int(sys.argv[1]), memory=int(sys.argv[2]))
