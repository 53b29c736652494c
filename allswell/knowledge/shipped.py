"""The articles that come with the product: Markdown files with a head in YAML, one home each, in their learning order.

A file is `articles/SECTION/NN-SLUG.md`. `[words](article:SLUG)` leads to another article, wherever the hub stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from allswell.kernel.documents import NotReadable, read_yaml

#: sections of the hub in the order of learning
SECTIONS = ("start", "practice", "people", "technique", "improve")
LEVELS = ("beginner", "practitioner", "specialist")
_HEAD = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_PLACE = re.compile(r"(\d\d)-([a-z0-9]+(?:-[a-z0-9]+)*)\.md")
_LINK = re.compile(r"\]\(article:([a-z0-9-]+)\)")


@dataclass(frozen=True, slots=True)
class Shipped:
    """An article as its file says it. `minutes` is the time to read it; `related` are slugs, `terms` words of the glossary."""

    number: int
    section: str
    slug: str
    title: str
    summary: str
    level: str
    minutes: int
    terms: tuple[str, ...]
    related: tuple[str, ...]
    body: str

    @property
    def links(self) -> frozenset[str]:
        """Slugs of the articles it leads to."""
        return frozenset(_LINK.findall(self.body)) | frozenset(self.related)


def read(name: str, words: str) -> Shipped:
    """The article of a file, `SECTION/NN-SLUG.md` its name. Raises NotReadable with what is wrong."""
    section, _, file = name.partition("/")
    place, head = _PLACE.fullmatch(file), _HEAD.match(words)
    if place is None or section not in SECTIONS:
        raise NotReadable(f"{name}: a file is SECTION/NN-SLUG.md")
    if head is None:
        raise NotReadable(f"{name}: it has no head between two lines of ---")
    said = read_yaml(head.group(1).encode())
    if not isinstance(said, dict) or said.get("section") != section or said.get("slug") != place.group(2):
        raise NotReadable(f"{name}: its head names another place")
    return Shipped(
        number=int(place.group(1)),
        section=section,
        slug=place.group(2),
        title=_line(name, said, "title"),
        summary=_line(name, said, "summary"),
        level=_line(name, said, "level"),
        minutes=_whole(name, said, "minutes"),
        terms=_lines(name, said, "terms"),
        related=_lines(name, said, "related"),
        body=words[head.end() :].strip() + "\n",
    )


def _line(name: str, said: dict[str, Any], field: str) -> str:
    value = said.get(field)
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise NotReadable(f"{name}: {field} is a line of words")
    return value.strip()


def _whole(name: str, said: dict[str, Any], field: str) -> int:
    value = said.get(field)
    if type(value) is not int or value < 1:
        raise NotReadable(f"{name}: {field} is a whole number from 1")
    return value


def _lines(name: str, said: dict[str, Any], field: str) -> tuple[str, ...]:
    value = said.get(field) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise NotReadable(f"{name}: {field} is a list of words")
    return tuple(value)


@cache
def articles() -> tuple[Shipped, ...]:
    """All of them, in their learning order."""
    folder = resources.files("allswell.knowledge") / "articles"
    found = [
        read(f"{section}/{file.name}", file.read_text(encoding="utf-8"))
        for section in SECTIONS
        if (folder / section).is_dir()
        for file in (folder / section).iterdir()
        if file.name.endswith(".md")
    ]
    return tuple(sorted(found, key=lambda one: one.number))
