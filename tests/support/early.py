"""Before Django is loaded: an environment of the tests' own, and the database they run on.

The suite runs on SQLite; `TEST_DATABASE=postgresql` runs it on a throw-away PostgreSQL that it starts itself.
Where PostgreSQL is not installed, that run says so loudly; in CI it fails.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import postgresql

FOLDER = Path(tempfile.mkdtemp(prefix="allswell-test-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("ALLSWELL_")]:
    del os.environ[_name]
os.environ["ALLSWELL_DATA_DIR"] = str(FOLDER / "data")
os.environ["ALLSWELL_SECRET_KEY"] = "for-tests-only-" + "x" * 40
os.environ["DJANGO_SETTINGS_MODULE"] = "allswell.boot.settings"

SERVER: postgresql.Server | None = None
if os.environ.get("TEST_DATABASE", "sqlite") == "postgresql":
    SERVER = postgresql.start(FOLDER / "postgresql")
    if SERVER is None:
        sys.stderr.write("\n*** PostgreSQL is not installed: its tests are NOT RUN ***\n")
        raise SystemExit(1 if os.environ.get("CI") else 0)
    atexit.register(SERVER.stop)
    os.environ["ALLSWELL_DATABASE_URL"] = SERVER.url("allswell")
