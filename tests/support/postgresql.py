"""A throw-away PostgreSQL for the tests: its own cluster in a temporary folder, on a Unix socket, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl, newest first."""
    for pattern in _PLACES:
        for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (folder / "initdb").exists():
                return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@dataclass
class Server:
    """A running throw-away server."""

    programs: Path
    folder: Path
    user: str | None

    def url(self, name: str) -> str:
        """The database URL of a database on it."""
        return f"postgresql://{self.user or pwd.getpwuid(os.getuid()).pw_name}@/{name}?host={self.folder}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, as a user that is not root."""
        command = [str(self.programs / program), *arguments]
        if self.user:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups", *command]
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
        )

    def stop(self) -> None:
        """Stop it; the folder goes with the rest."""
        subprocess.run(
            ([] if not self.user else ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"])
            + [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop"],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )


_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def start(folder: Path, *, options: str = _FAST) -> Server | None:
    """Start a server in `folder`, on what an earlier one left there, if any; None where PostgreSQL is not installed.

    By default it forgets all in a power cut.
    """
    programs = _programs()
    if programs is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    user = None
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        user = "postgres"
        folder.parent.chmod(0o755)
        shutil.chown(folder, user, user)
    server = Server(programs, folder, user)
    is_new = not (folder / "data" / "PG_VERSION").exists()
    if is_new:
        server.run("initdb", "-D", str(folder / "data"), "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c jit=off {options}"
    server.run("pg_ctl", "-D", str(folder / "data"), "-w", "-l", str(folder / "log"), "-o", options, "start")
    if is_new:
        server.run("createdb", "-h", str(folder), "allswell")
    return server
