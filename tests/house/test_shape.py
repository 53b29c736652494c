"""The shape of the code: what can be read in one sitting, pages that need no inline anything, nothing of one machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 420
LONGEST_FUNCTION = 50
LONG_FUNCTIONS = {"_branch_down", "_down_now"}


def _tracked(*patterns: str) -> list[Path]:
    done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).exists()]


CODE = [path for path in _tracked("allswell/*.py") if "migrations" not in path.parts]
TEMPLATES = _tracked("allswell/*.html")


def test_there_is_a_licence() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()


def test_a_file_can_be_read_in_one_sitting() -> None:
    long = {}
    for path in CODE:
        name, lines = str(path.relative_to(ROOT)), len(path.read_text().splitlines())
        if lines > LONGEST_FILE:
            long[name] = lines
    assert long == {}


def test_a_function_can_be_seen_at_once() -> None:
    long = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION + 1 and node.name not in LONG_FUNCTIONS:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert long == []


def test_no_file_hides_behind_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "managers", "handler", "handlers", "misc", "common"}
    assert [str(path) for path in CODE if path.stem in empty] == []


INLINE = [
    (r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", "an inline script"),
    (r"<style[\s>]", "an inline style sheet"),
    (r"\sstyle\s*=\s*[\"']", "a style attribute"),
    (r"\son[a-z]+\s*=\s*[\"']", "an event attribute"),
    (r"\shx-on", "hx-on, which needs eval"),
    (r"javascript:", "a javascript: address"),
]


@pytest.mark.parametrize(("pattern", "what"), INLINE)
def test_templates_keep_to_the_strict_policy(pattern: str, what: str) -> None:
    found = [str(path.relative_to(ROOT)) for path in TEMPLATES if re.search(pattern, path.read_text(), re.I)]
    assert found == [], f"{what} in a template: the Content-Security-Policy would block it"


def test_nothing_points_to_a_place_on_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp)/[\w.-]+")
    found = []
    for path in _tracked("*.py", "*.md", "*.html", "*.toml", "*.js", "*.css", "Makefile", ".ci/*"):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if pattern.search(line) and "vendor" not in path.parts and path != Path(__file__):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []
