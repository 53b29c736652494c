"""What an operator can set, type or ask for is documented; what is documented is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from django.urls import URLResolver, get_resolver

from allswell.boot.environment import SETTINGS
from allswell.boot.probes import Probes
from allswell.cli import watch_settings
from allswell.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
OPERATE = ROOT / "docs" / "operate"


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    text = (OPERATE / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `(ALLSWELL_\w+)` \| (?:`(.*?)`|empty) \|", text, re.M))
    assert rows == {setting.name: setting.default for setting in SETTINGS}
    files = set(re.findall(r"`(ALLSWELL_\w+)`", text.split("| name |")[0])) - {"ALLSWELL_"}
    assert {setting.name for setting in SETTINGS if setting.secret} <= files


def test_every_setting_of_the_watcher_is_documented_with_its_default_and_no_other() -> None:
    text = (OPERATE / "paging.md").read_text()
    rows = dict(re.findall(r"^\| `(ALLSWELL_WATCH_\w+)` \| (?:`(.*?)`|empty) \|", text, re.M))
    assert rows == {setting.name: setting.default for setting in watch_settings.SETTINGS}


def test_every_setting_named_anywhere_in_the_documents_exists() -> None:
    both = (*SETTINGS, *watch_settings.SETTINGS)
    known = {setting.name for setting in both} | {f"{setting.name}_FILE" for setting in both if setting.secret}
    for path in [ROOT / "README.md", ROOT / "Makefile", *ROOT.glob("docs/**/*.md")]:
        named = set(re.findall(r"\bALLSWELL_[A-Z][A-Z_]*[A-Z]\b", path.read_text()))
        assert named <= known, path


def test_every_command_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `allswell (\w+)`", (OPERATE / "commands.md").read_text(), re.M)
    assert sorted(rows) == sorted(command.name for command in COMMANDS)


def test_every_probe_is_documented() -> None:
    text = (OPERATE / "run-24x7.md").read_text()
    for address in Probes(lambda request: None)._answers:  # type: ignore[arg-type, return-value]
        assert f"`{address}`" in text


def _addresses(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        address = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _addresses(entry, address)
        else:
            yield str(entry.name), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)


def test_every_address_of_the_pages_is_documented_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\S+)` \| \S", (ROOT / "docs" / "extend" / "addresses.md").read_text(), re.M))
    made = dict(_addresses(get_resolver()))
    assert rows.keys() == made.keys()
    assert {name: rows[name] for name in rows if name != "reference"} == {
        name: made[name] for name in made if name != "reference"
    }


_DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")]


def test_links_and_pictures_of_every_document_lead_somewhere() -> None:
    dead = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in _DOCUMENTS
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert dead == []


def test_every_link_to_a_heading_has_its_heading() -> None:
    dead = []
    for path in _DOCUMENTS:
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", path.read_text()):
            page = path.parent / target if target else path
            heads = re.findall(r"^#+ (.+)$", page.read_text(), re.M) if page.suffix == ".md" else []
            slugs = {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}
            if anchor not in slugs:
                dead.append(f"{path.relative_to(ROOT)}: {target}#{anchor}")
    assert dead == []


def test_every_abuse_test_is_named_in_the_threat_model_and_is_there() -> None:
    """A test that carries a number in its name stands in the row of that number; a row names tests that exist."""
    table = (ROOT / "THREAT_MODEL.md").read_text(encoding="utf-8").partition("## Abuse tests")[2]
    rows = {
        (number, named)
        for numbers, names in re.findall(r"^\| (A\d[A0-9, ]*) \|[^|]*\|(.*)\|$", table, re.M)
        for number in numbers.split(", ")
        for named in re.findall(r"`(.*?)`", names)
    }
    needed = {f"A{number}" for number in (*range(15, 26), *range(28, 32), *range(35, 41))}
    assert needed <= {number for number, _named in rows}
    there = {
        f"{path.relative_to(ROOT)}::{test}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for test in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M)
    }
    assert {named for _number, named in rows} - there == set()
    carried = {(number, named) for named in there for number in re.findall(r"A\d+(?=_)", named.partition("::")[2])}
    assert carried - rows == set()
