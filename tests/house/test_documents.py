"""What an operator can set, type or ask for is documented; what is documented is there."""

from __future__ import annotations

import re
from pathlib import Path

from allswell.boot.environment import SETTINGS
from allswell.boot.probes import Probes
from allswell.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
OPERATE = ROOT / "docs" / "operate"


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    text = (OPERATE / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `(ALLSWELL_\w+)` \| (?:`(.*?)`|empty) \|", text, re.M))
    assert rows == {setting.name: setting.default for setting in SETTINGS}
    files = set(re.findall(r"`(ALLSWELL_\w+)`", text.split("| name |")[0])) - {"ALLSWELL_"}
    assert {setting.name for setting in SETTINGS if setting.secret} <= files


def test_every_setting_named_anywhere_in_the_documents_exists() -> None:
    known = {setting.name for setting in SETTINGS} | {f"{setting.name}_FILE" for setting in SETTINGS if setting.secret}
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


def test_links_of_the_operators_guide_lead_somewhere() -> None:
    dead = [
        f"{path.name}: {target}"
        for path in OPERATE.glob("*.md")
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert dead == []
