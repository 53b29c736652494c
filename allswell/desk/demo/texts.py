"""The texts of the demo, read from the files beside this one."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass, fields, replace
from random import Random

import yaml

from allswell.tickets.rules import Kind


@dataclass(frozen=True, slots=True)
class Story:
    """What somebody reports and how it is talked about; see the head of incidents.yaml."""

    kind: Kind
    title: str
    service: str
    tells: str
    says: str
    fix: str
    can_work: str = ""
    affected: int | None = None
    ask: str = ""
    answer: str = ""
    note: str = ""
    team: str = ""
    why: str = ""
    tried: str = ""
    found: str = ""
    wait: str = ""
    wait_reason: str = ""
    code: str = "fixed"
    channel: str = ""
    tags: tuple[str, ...] = ()


def stories() -> list[Story]:
    """All of them, incidents and requests mixed evenly."""
    folder = importlib.resources.files("allswell.desk.demo")
    found: list[Story] = []
    for name, kind in (("incidents.yaml", Kind.INCIDENT), ("requests.yaml", Kind.REQUEST)):
        for raw in yaml.safe_load((folder / name).read_text(encoding="utf-8")):
            team = raw.pop("team", "").replace("-", " ").capitalize()
            found.append(Story(kind=kind, team=team, tags=tuple(raw.pop("tags", ())), **raw))
    return found


class Words:
    """Fills the places of a text, `{{name}}`, from lists."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def fill(self, story: Story, *, first: str, branch: str) -> Story:
        """The story with its places filled, the same in all its parts."""
        places = {
            "first": first,
            "branch": branch,
            "floor": str(self.rng.randint(1, 6)),
            "n": str(self.rng.randint(11, 48)),
            "client": str(self.rng.randint(200_100, 989_900)),
        }
        texts = {}
        for field in fields(story):
            value = getattr(story, field.name)
            if isinstance(value, str) and "{{" in value:
                for name, word in places.items():
                    value = value.replace("{{" + name + "}}", word)
                texts[field.name] = value
        return replace(story, **texts)  # type: ignore[arg-type]
