"""The clients of PyPI and npm, used as their vendors say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from .install import NODE, VENV
from .stage import Client, Secure, Source

PROGRAMS = Path(__file__).parent / "programs"
#: https for those that insist on it; the stage puts it here
SECURE: list[Secure] = []
KEY = "db1-disk"


def _client(program: str, source: Source, *, is_https: bool) -> Client:
    secure = SECURE[0]
    address = f"https://127.0.0.1:{secure.port}" if is_https else f"http://127.0.0.1:{source.stage.desk.port}"
    trust = {"SSL_CERT_FILE": str(secure.certificate), "NODE_EXTRA_CA_CERTS": str(secure.certificate)}
    if program.startswith("js:"):
        command: list[str | Path] = ["node", PROGRAMS / "clients.js", program.removeprefix("js:")]
    else:
        command = [VENV / "bin" / "python", "-W", "ignore", PROGRAMS / "clients.py", program]
    return Client([*command, address, source.key], NODE_PATH=str(NODE / "node_modules"), **trust)


def play(program: str, source: Source, *, is_https: bool = False) -> None:
    """Fire, repeat, flap, acknowledge; resolve while the desk is down, and again, as its user would, once it is back."""
    with _client(program, source, is_https=is_https) as client:
        client.does("fire", KEY)
        source.until_it_fires()
        client.does("fire", KEY)
        client.does("fire", KEY)
        source.until_it_repeats(3)
        for episode in (2, 3):
            client.does("resolve", KEY)
            source.until_it_is_over()
            client.does("fire", KEY)
            source.until_it_fires(episode)
        if "acknowledge" in client.can:
            client.does("acknowledge", KEY)
        with source.outage():
            missed = client.tries("resolve", KEY)  # some try again by themselves until it is back
            assert "failed" in missed or source.stage.is_up(), (
                f"{program} took a desk that is down for one that answered: {missed}"
            )
        client.does("resolve", KEY)
        source.until_it_is_over()


Tale = tuple[Callable[..., None], list[tuple[str, str]]]


def _tale(name: str, kind: str, program: str, *, is_https: bool = False) -> tuple[str, Tale]:
    return name, (partial(play, program, is_https=is_https), [(name, kind)])


CAST: dict[str, Tale] = dict(
    [
        _tale("pagerduty (PyPI)", "pagerduty", "pagerduty", is_https=True),
        _tale("pdpyras (PyPI)", "pagerduty", "pdpyras"),
        _tale("opsgenie-sdk (PyPI)", "opsgenie", "opsgenie"),
        _tale("alerta (PyPI)", "alerta", "alerta"),
        _tale("apprise json (PyPI)", "apprise", "apprise:json"),
        _tale("apprise form (PyPI)", "apprise", "apprise:form"),
        _tale("apprise xml (PyPI)", "apprise", "apprise:xml"),
        _tale("cloudevents structured (PyPI)", "cloudevents", "cloudevents:structured"),
        _tale("cloudevents binary (PyPI)", "cloudevents", "cloudevents:binary"),
        _tale("@pagerduty pdjs (npm)", "pagerduty", "js:pdjs", is_https=True),
        _tale("opsgenie-sdk (npm)", "opsgenie", "js:opsgenie"),
    ]
)
ACKNOWLEDGE = {name for name, (_, ((_, kind),)) in CAST.items() if kind not in ("alerta", "apprise")}
