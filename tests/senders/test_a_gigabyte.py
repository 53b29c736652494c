"""A gigabyte comes in, as it is, in chunks and packed, at a desk that runs: it is refused, and the desk stays as small as it was."""

from __future__ import annotations

import contextlib
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk

from .stage import Stage

GIGABYTE = 1_000_000_000
BLOCK = b"[" * 65536


def _sent(port: int, head: str, blocks: Iterator[bytes]) -> bytes:
    """What the desk answers, while we go on sending as long as it lets us."""
    with socket.create_connection(("127.0.0.1", port), 60) as line:
        line.sendall(head.encode())
        with contextlib.suppress(OSError):  # it hangs up
            for block in blocks:
                line.sendall(block)
        with contextlib.suppress(OSError):
            return line.recv(65536)
    return b""


def _plain(chunked: bool) -> Iterator[bytes]:
    for _ in range(GIGABYTE // len(BLOCK)):
        yield b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK


@pytest.mark.timeout(240)
def test_a_gigabyte_is_refused_and_costs_no_memory(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.set_up()
    stage = Stage(desk, tmp_path, 0)
    source = stage.source("Alertmanager", "alertmanager")
    stage.make_sources()
    desk.start()
    try:
        path = f"/in/alertmanager/{source.key}"
        line = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        press = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        bomb = b"".join(press.compress(b" " * 1_000_000) for _ in range(1000)) + press.flush()
        desk.get("/sign-in")
        before, most = desk.memory_mb(), 0.0
        answers = []
        for _ in range(3):
            answers.append(_sent(desk.port, f"{line}Content-Length: {GIGABYTE}\r\n\r\n", _plain(chunked=False)))
            answers.append(_sent(desk.port, f"{line}Transfer-Encoding: chunked\r\n\r\n", _plain(chunked=True)))
            answers.append(_sent(desk.port, f"{line}Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n", iter([bomb])))
            most = max(most, desk.memory_mb())
        assert {answer.partition(b"\r\n")[0].split(b" ")[1] for answer in answers if answer} == {b"413"}
        assert sum(1 for answer in answers if answer) >= 3
        assert most < before + 60, f"{before:.0f} MB before, {most:.0f} MB then"
        assert desk.get("/readyz").status == 200
    finally:
        desk.stop()
