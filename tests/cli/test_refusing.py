"""What the running desk refuses: the sender gets an answer, and the log one line."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.support.desk import Desk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.set_up()
    desk.start()
    yield desk
    desk.stop()


def answer_to(desk: Desk, head: str, *pieces: bytes) -> bytes:
    """Everything that comes back to a sender who reads only after sending all."""
    with socket.create_connection(("127.0.0.1", desk.port), timeout=20) as line:
        line.sendall(f"{head}\r\n".replace("\n", "\r\n").replace("\r\r", "\r").encode())
        for piece in pieces:
            line.sendall(piece)
        return line.recv(65_536)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_who_sends_all_of_too_large_a_file_before_reading_gets_the_answer(desk: Desk, is_chunked: bool) -> None:
    piece, many = b"x" * 1_000_000, 40
    framed = [b"%x\r\n%s\r\n" % (len(piece), piece)] * many + [b"0\r\n\r\n"] if is_chunked else [piece] * many
    how = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(piece) * many}"
    answer = answer_to(desk, f"POST /upload HTTP/1.1\nHost: 127.0.0.1:{desk.port}\n{how}\n", *framed)
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert b"at most" in answer


def test_a_refused_request_is_one_line_of_warning(desk: Desk) -> None:
    before = len(desk.log())
    answer = answer_to(desk, "GET /sign-in HTTP/1.1\nHost: evil.example\nConnection: close\n")
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]
    fields = "&".join(f"f{number}=1" for number in range(5000)).encode()
    form = f"Content-Type: application/x-www-form-urlencoded\nContent-Length: {len(fields)}"
    answer_to(desk, f"POST /sign-in HTTP/1.1\nHost: 127.0.0.1:{desk.port}\n{form}\n", fields)
    said = desk.log()[before:]
    assert "evil.example" in said
    assert "Traceback" not in said
    assert " ERROR " not in said
    lines = [line for line in said.splitlines() if "django.security" in line]
    assert len(lines) == 2, said
    assert all(" WARNING " in line for line in lines)
