"""`make test`: the whole suite on SQLite, then on PostgreSQL all of it that has to do with a database."""

from __future__ import annotations

import os
import subprocess
import sys

#: these touch no database, so that once is enough (rules and kernel may not even import Django)
PURE = ("tests/house", "tests/rules")


def main() -> int:
    """Run both; fail when either fails."""
    code = 0
    for database in ("sqlite", "postgresql"):
        print(f"== the suite on {database}", flush=True)
        once = [f"--ignore={path}" for path in PURE] if database == "postgresql" else []
        command = [sys.executable, "-m", "pytest", *once, *sys.argv[1:]]
        done = subprocess.run(command, env={**os.environ, "TEST_DATABASE": database}, check=False)
        code = code or done.returncode
    return code


if __name__ == "__main__":
    sys.exit(main())
