"""Back up the database and the attachments into one file, while everything runs.

The file is a tar (gzipped when its name ends in .gz or .tgz). The secret key is left out unless --with-key says so: without it a
restored installation has everything but open sessions, second factors and webhook secrets. Keep it somewhere else.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection

import allswell
from allswell.jobs import schema
from allswell.kernel import clock
from allswell.kernel.errors import CannotStart

from . import archive, dumps
from .progress import Bar


def options(parser: argparse.ArgumentParser) -> None:
    """Where to, and what with."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to write, such as allswell-2026-11-23.tar.gz")
    parser.add_argument("--with-key", action="store_true", help="put the secret key into the file, too")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE when it exists")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(options: argparse.Namespace) -> int:
    """Write the backup."""
    schema.look().refuse_newer()
    target: Path = options.file
    if target.exists() and not options.overwrite:
        raise CannotStart(f"{target} exists. --overwrite replaces it.", code=2)
    if not target.parent.is_dir():
        raise CannotStart(f"There is no folder {target.parent}.", code=2)
    part = target.with_name(target.name + ".part")
    try:
        part.touch(mode=0o600)
        manifest = _write(part, with_key=options.with_key)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        raise CannotStart(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    size, files = target.stat().st_size, len(manifest.items) - 1
    if options.json:
        print(json.dumps({"file": str(target), "bytes": size, "files": files, "counts": manifest.counts}))
    else:
        print(f"{target}: {size / 1e6:.1f} MB, the database and {files} files. Check it with: allswell restore {target} --verify")
    return 0


def _write(part: Path, *, with_key: bool) -> archive.Manifest:
    with tempfile.TemporaryDirectory(prefix="allswell-backup-", dir=part.parent) as scratch:
        kind = "sqlite" if connection.vendor == "sqlite" else "postgresql"
        dump = Path(scratch) / archive.DUMPS[kind]
        if kind == "sqlite":
            dumps.dump_sqlite(dump)
            copy = dumps.look_into_sqlite(dump)
        else:
            copy = dumps.dump_postgresql(dump)
        sources = {dump.name: dump}
        for stored_as, _, _ in copy.attachments:
            path = settings.MEDIA_ROOT / stored_as
            if path.is_file():
                sources[archive.ATTACHMENTS + stored_as] = path
        if with_key:
            sources[archive.KEY] = _key()
        with Bar("Reading") as bar:
            items = []
            for number, (name, path) in enumerate(sources.items(), 1):
                items.append(archive.item_of(path, name))
                bar(number, len(sources))
        made_at = clock.now().isoformat()
        manifest = archive.Manifest(archive.FORMAT, allswell.__version__, made_at, kind, copy.migrations, copy.counts, items)
        with Bar("Writing") as bar:
            archive.write(part, manifest, sources, bar)
        return manifest


def _key() -> Path:
    path: Path = settings.DATA_DIR / archive.KEY
    if not path.is_file():
        raise CannotStart("The secret key is not kept in the data folder; keep ALLSWELL_SECRET_KEY safe yourself.")
    return path
