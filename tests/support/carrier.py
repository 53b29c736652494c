"""A carrier of pages as bad as they come: it answers slowly, refuses, hangs up, or takes a page and says nothing."""

from __future__ import annotations

import http.server
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Arrival:
    """A page that came in: by its key, about which ticket, when (monotonic seconds), and whether the carrier said that it took it."""

    key: str
    number: int
    at: float
    is_confirmed: bool


class Carrier:
    """Use as a context manager. `badness` in [0, 1] is how many calls go wrong, each in another way; the same `seed`, the same ways."""

    def __init__(self, *, badness: float = 0.0, seed: int = 1) -> None:
        self.arrivals: list[Arrival] = []
        self.badness = badness
        self._chance = random.Random(seed)
        carrier = self

        class Answering(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                key = str(self.headers.get("webhook-id"))
                number = int(json.loads(body)["data"]["number"])
                carrier._answer(self, key, number)

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """Who calls may be killed in the middle."""

        self._server = Server(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/page"

    def _answer(self, call: http.server.BaseHTTPRequestHandler, key: str, number: int) -> None:
        way = self._chance.choice(["500", "429", "hangs up", "lies", "slow"]) if self._chance.random() < self.badness else ""
        if way == "hangs up":
            call.close_connection = True
            return
        if way == "lies":  # it has the page, and who called does not know
            self.arrivals.append(Arrival(key, number, time.monotonic(), is_confirmed=False))
            call.close_connection = True
            return
        if way == "slow":
            time.sleep(0.3)
        status = int(way) if way.isdigit() else 202
        if status == 202:
            self.arrivals.append(Arrival(key, number, time.monotonic(), is_confirmed=True))
        call.send_response(status)
        call.send_header("content-length", "0")
        call.end_headers()

    @property
    def keys(self) -> Counter[str]:
        """How often each page came in."""
        return Counter(one.key for one in list(self.arrivals))

    @property
    def twice(self) -> int:
        """How many pages came in again after the carrier had said that it took them."""
        confirmed: set[str] = set()
        again = 0
        for one in list(self.arrivals):
            again += one.key in confirmed
            if one.is_confirmed:
                confirmed.add(one.key)
        return again

    def __enter__(self) -> Carrier:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
