"""The blocks of docs/extend/alert-sources.md that are there to be pasted: each is answered as it says, and comes to what it says."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from allswell.intake.models import Alert, SystemChange
from allswell.intake.parsers.alerts.registry import FORMATS
from tests.support.monitoring import Monitoring
from tests.support.world import World

PAGE = (Path(__file__).parents[2] / "docs/extend/alert-sources.md").read_text()
HOST = "https://desk.example"
#: sections of more than one kind, in the order of their blocks
KINDS = {"Alerta, GoAlert and Apprise": ["alerta", "goalert", "apprise"]}
_CALL = re.compile(r"^# (\d{3}), (fires|is over|a change|nothing)\n(curl (?:.|\n)*?)(?=\n# \d{3}, |\Z)", re.MULTILINE)


@dataclass
class Call:
    """One curl, as it stands in a block."""

    status: int
    what: str
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, status: str, what: str, line: str) -> Call:
        """By the words of the shell."""
        made = cls(int(status), what)
        words = iter(shlex.split(line)[1:])
        for word in words:
            if word == "-H":
                name, _colon, value = next(words).partition(": ")
                made.headers[name] = value
            elif word == "-d":
                made.data.append(next(words))
            elif word == "--data-urlencode":
                name, _equals, value = next(words).partition("=")
                made.data.append(f"{name}={quote_plus(value)}")
            else:
                assert word.startswith(HOST), word
                made.url = word.removeprefix(HOST)
        return made

    def play(self, tool: Monitoring) -> int:
        """Send it as curl does; the number that is answered."""
        headers = {name: value.replace("KEY", tool.key) for name, value in self.headers.items()}
        kind = headers.pop("Content-Type", "application/x-www-form-urlencoded")
        body = "&".join(self.data).replace("KEY", tool.key).encode()
        path = self.url.replace("KEY", tool.key)
        send = tool.client.post if self.data else tool.client.get
        more = {"content_type": kind, "data": body} if self.data else {}
        return int(send(path, headers=headers, **more).status_code)


def _blocks() -> list[tuple[str, str, list[Call]]]:
    """(title, kind, calls) of every block that says what comes of it."""
    found = []
    for section in re.split(r"(?m)^##+ ", PAGE)[1:]:
        title = section.split("\n", 1)[0].strip()
        kinds = iter(KINDS.get(title, []))
        for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
            calls = [Call.read(*one) for one in _CALL.findall(block.strip())]
            if calls:
                kind = next(kinds, "") or re.findall(r"`kind` ([a-z-]+)", section)[0]
                found.append((title, kind, calls))
    return found


BLOCKS = _blocks()


def test_every_tool_has_its_block() -> None:
    told = {kind for _title, kind, _calls in BLOCKS}
    named = set(re.findall(r"`kind` ([a-z-]+)", PAGE)) | set(KINDS["Alerta, GoAlert and Apprise"])
    assert named - told == set()
    assert told <= set(FORMATS)
    calls = PAGE.count("\ncurl https://") + PAGE.count("\ncurl 'https://")
    assert calls == sum(len(calls) for _title, _kind, calls in BLOCKS), "a call does not say what comes of it"


@pytest.mark.parametrize(("title", "kind", "calls"), BLOCKS, ids=[f"{n}-{kind}" for n, (_, kind, _c) in enumerate(BLOCKS)])
def test_a_block_does_what_it_says(world: World, title: str, kind: str, calls: list[Call]) -> None:
    tool = Monitoring(world, kind, service=world.lookup.pk)
    for call in calls:
        before = {row.pk: row.state for row in Alert.objects.all()}
        changes = SystemChange.objects.count()
        assert call.play(tool) == call.status, call
        tool.read()
        world.forward(minutes=5)
        after = {row.pk: row.state for row in Alert.objects.all()}
        turned = {state for number, state in after.items() if before.get(number) != state}
        wanted = {"fires": {"firing"}, "is over": {"resolved"}}.get(call.what, set())
        assert turned == wanted, call
        assert SystemChange.objects.count() - changes == (call.what == "a change"), call
        if call.what == "fires":
            assert Alert.objects.filter(state="firing", ticket__isnull=False, service=world.lookup).exists()
            assert not Alert.objects.filter(title="").exists()
    assert not Alert.objects.filter(state="firing").exists()
