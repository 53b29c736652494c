"""python -m tests.senders.install: the monitoring tools into a folder of their own, and nothing else on the machine is changed.

Debian's packages are unpacked, not installed; Python's clients go into a virtual environment of their own, those of npm beside it. What
is there already, in these versions, is left alone. Fails, loudly, where something cannot be had.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / ".installed"
ROOT, VENV, NODE = FOLDER / "root", FOLDER / "venv", FOLDER / "node"
DEBIAN = ("prometheus-alertmanager", "prometheus", "nagios4-core", "icinga2-bin", "zabbix-server-pgsql")
#: of Alertmanager; it finds them in the folder it runs in
TEMPLATES = ROOT / "usr/share/prometheus/alertmanager"
_LISTS = ("requirements.lock", "package-lock.json")


def _stamp() -> str:
    digest = hashlib.sha256(" ".join((*DEBIAN, sys.version, str(FOLDER))).encode())
    for name in _LISTS:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def _run(*command: str | Path, **environment: str) -> None:
    done = subprocess.run(list(map(str, command)), env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def _needed(program: str, why: str) -> str:
    found = shutil.which(program)
    if found is None:
        sys.exit(f"{program} is needed {why}.")
    return found


def debian() -> None:
    """Debian's packages with what they need and this machine has not, unpacked below ROOT."""
    apt = _needed("apt-get", "for the monitoring tools of Debian")
    _needed("dpkg", "for the monitoring tools of Debian")
    archives = FOLDER / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    options = ("-qq", "-y", "-o", "Debug::NoLocking=1", "-o", f"Dir::Cache::archives={archives}", "-o", "APT::Sandbox::User=root")
    fetch = (apt, *options, "install", "--download-only", "--no-install-recommends", *DEBIAN)
    if subprocess.run(fetch, capture_output=True, check=False).returncode:  # no lists yet, or old ones
        _run(apt, *options, "update")
        _run(*fetch)
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir()
    for package in sorted(archives.glob("*.deb")):
        _run("dpkg", "-x", package, ROOT)
        package.unlink()
    _move_template()


def _move_template() -> None:
    """Debian's Alertmanager looks for its own template at a place of the system: the unpacked one shall look where it runs."""
    program = ROOT / "usr/bin/prometheus-alertmanager"
    place = (
        b"/" + TEMPLATES.relative_to(ROOT).as_posix().encode()
    )  # one Go text lies next to the other: what begins alike is left alone
    words = program.read_bytes()
    moved = re.sub(re.escape(place) + rb"(?!/)", b"." + b"/" * (len(place) - 1), words)
    if moved == words:
        sys.exit("This Alertmanager looks for its template elsewhere.")
    program.write_bytes(moved)


def python() -> None:
    """The clients that PyPI has."""
    lock = HERE / "requirements.lock"
    shutil.rmtree(VENV, ignore_errors=True)
    if uv := shutil.which("uv"):
        _run(uv, "venv", "-q", "--python", sys.executable, VENV)
        _run(uv, "pip", "install", "-q", "--require-hashes", "-r", lock, VIRTUAL_ENV=str(VENV))
    else:
        _run(sys.executable, "-m", "venv", VENV)
        _run(VENV / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", lock)


def node() -> None:
    """The clients that npm has."""
    _needed("node", "for the clients of npm (Debian: apt-get install nodejs npm)")
    npm = _needed("npm", "for the clients of npm (Debian: apt-get install nodejs npm)")
    shutil.rmtree(NODE, ignore_errors=True)
    NODE.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, NODE / name)
    _run(npm, "--prefix", NODE, "ci", "--no-audit", "--no-fund", "--ignore-scripts")


def main() -> None:
    """Fetch what is not there."""
    FOLDER.mkdir(exist_ok=True)
    stamp = FOLDER / "stamp"
    if stamp.exists() and stamp.read_text() == _stamp():
        return
    stamp.unlink(missing_ok=True)
    for what in (debian, python, node):
        print(f"senders: fetching those of {what.__name__}", flush=True)
        what()
    stamp.write_text(_stamp())


if __name__ == "__main__":
    main()
