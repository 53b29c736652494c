"""The built wheel runs outside the clone: `setup`, `serve`, a page with its static files."""

from __future__ import annotations

import re
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.desk import Desk

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what is tracked."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_program_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
    outside = {name for name in names if not name.startswith(("allswell/", "allswell-"))}
    assert outside == set()
    tracked = subprocess.run(["git", "ls-files", "allswell"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(tracked.stdout.split()) - names == set()
    assert any(name.endswith("LICENSE") for name in names)


@pytest.mark.slow
def test_the_wheel_sets_up_and_serves_outside_the_clone(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    packages = next((place / "lib").glob("python*")) / "site-packages"
    with zipfile.ZipFile(wheel) as content:
        content.extractall(packages)
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")  # offline: what runs the tests
    home = tmp_path / "home"
    home.mkdir()
    run = "import sys; from allswell.__main__ import main; sys.exit(main())"
    desk = Desk(home, program=[str(place / "bin" / "python"), "-c", run])
    where = subprocess.run(
        [str(place / "bin" / "python"), "-c", "import allswell; print(allswell.__file__)"],
        capture_output=True, text=True, check=True, cwd=home, env=desk.environment,
    )  # fmt: skip
    assert where.stdout.startswith(str(place))
    desk.set_up()
    desk.start()
    try:
        page = desk.get("/sign-in")
        assert page.status == 200
        links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.body.decode())
        assert any(link.endswith(".css") for link in links)
        assert any(link.endswith(".js") for link in links)
        for link in links:
            assert desk.get(link).status == 200, link
    finally:
        desk.stop()
