"""Restore a backup, or only verify it.

--verify restores into a scratch place, compares every count and every attachment with what the backup says, and touches nothing
else. Without it the backup takes the place of this installation's data, which must be empty unless --replace is given; what was
there is kept aside (SQLite, attachments) or dropped (PostgreSQL).
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, connections

from allswell.jobs import queries as jobs
from allswell.jobs import schema
from allswell.jobs.rules import is_alive
from allswell.kernel import clock
from allswell.kernel.errors import CannotStart
from allswell.people import queries as people

from . import archive, dumps
from .progress import Bar


def options(parser: argparse.ArgumentParser) -> None:
    """Which file, and how far to go."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a file written by allswell backup")
    parser.add_argument("--verify", action="store_true", help="only prove that it can be restored; changes nothing")
    parser.add_argument("--replace", action="store_true", help="put it in the place of the data that is there")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(options: argparse.Namespace) -> int:
    """Verify or restore."""
    manifest = archive.read_manifest(options.file)
    _refuse_unknown(manifest)
    if not options.verify:
        _refuse_in_use(is_replacing=options.replace)
    settings.DATA_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)
    needed, free = sum(item.size for item in manifest.items), shutil.disk_usage(settings.DATA_DIR).free
    if needed * 2 > free:
        raise CannotStart(f"The backup needs {needed * 2 / 1e9:.1f} GB in {settings.DATA_DIR}, {free / 1e9:.1f} are free.")
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.DATA_DIR) as scratch:
        folder = Path(scratch)
        with Bar("Unpacking") as bar:
            archive.extract(options.file, manifest, folder, bar)
        _verify(manifest, folder)
        kept = "" if options.verify else _put_in_place(manifest, folder)
    return _said(options, manifest, kept)


def _said(options: argparse.Namespace, manifest: archive.Manifest, kept: str) -> int:
    files = sum(item.name.startswith(archive.ATTACHMENTS) for item in manifest.items)
    tickets = manifest.counts.get("tickets_ticket", 0)
    if options.json:
        print(
            json.dumps(
                {"is_restored": not options.verify, "made_at": manifest.made_at, "counts": manifest.counts, "files": files}
            )
        )
        return 0
    what = f"{tickets} tickets and {files} files of {manifest.made_at[:16].replace('T', ' ')} UTC"
    if options.verify:
        print(f"{options.file} is whole and can be restored: {what}.")
    else:
        print(f"Restored {what}.{kept}")
        if schema.look().pending:
            print("It is of an older version. Next: allswell migrate")
    return 0


def _refuse_unknown(manifest: archive.Manifest) -> None:
    ours = {app for app, _ in schema.known()}
    known = {f"{app}.{name}" for app, name in schema.known()}
    newer = [name for name in manifest.migrations if name.partition(".")[0] in ours and name not in known]
    if newer:
        raise CannotStart(f"The backup is of a newer version (it has {newer[0]}). Upgrade Allswell first.")
    if manifest.database != ("sqlite" if connection.vendor == "sqlite" else "postgresql"):
        raise CannotStart(f"The backup is of {manifest.database}, ALLSWELL_DATABASE_URL is of {connection.vendor}.", code=2)


def _refuse_in_use(*, is_replacing: bool) -> None:
    """Raise CannotStart when something runs on the data, or when it is not empty and may not be replaced."""
    try:
        running = [pulse for pulse in jobs.pulses() if is_alive(pulse.beat_at, now=clock.now())]
        is_empty = not people.people().exists()
    except DatabaseError:  # no tables yet
        return
    if running:
        raise CannotStart(
            f"Allswell runs on this data ({running[0].node}). Stop it first; a killed one is forgotten after a minute."
        )
    if not is_empty and not is_replacing:
        raise CannotStart("There is data here already. --replace puts the backup in its place.", code=2)


def _verify(manifest: archive.Manifest, folder: Path) -> None:
    """Raise CannotStart unless the unpacked files hold what the manifest says."""
    dump = folder / manifest.dump
    if manifest.database == "sqlite":
        _compare(manifest, dumps.look_into_sqlite(dump))
    else:
        with dumps.scratch_postgresql(dump) as copy:
            _compare(manifest, copy)


def _compare(manifest: archive.Manifest, copy: dumps.Copy) -> None:
    if copy.counts != manifest.counts:
        apart = sorted(set(copy.counts.items()) ^ set(manifest.counts.items()))
        raise archive.Damaged(f"The backup does not hold what it says: {apart[0][0]}.")
    if copy.migrations != manifest.migrations:
        raise archive.Damaged("The backup does not hold the migrations it says.")
    held = {item.name: item for item in manifest.items}
    for stored_as, size, sha256 in copy.attachments:
        item = held.get(archive.ATTACHMENTS + stored_as)
        if item is None:
            raise archive.Damaged(f"The attachment {stored_as} is missing from the backup.")
        if (item.size, item.sha256) != (size, sha256):
            raise archive.Damaged(f"The attachment {stored_as} in the backup is damaged.")


def _put_in_place(manifest: archive.Manifest, folder: Path) -> str:
    """Move everything where it belongs; returns where the old data went, as a sentence."""
    aside = f"before-restore-{clock.now():%Y%m%d-%H%M%S}"
    kept = False
    if manifest.database == "sqlite":
        name = Path(str(settings.DATABASES["default"]["NAME"]))
        connections.close_all()
        for end in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                Path(f"{name}{end}").rename(f"{name}.{aside}{end}")
                kept = True
        (folder / manifest.dump).replace(name)
    else:
        dumps.load_postgresql(folder / manifest.dump)
        connections.close_all()
    media = Path(settings.MEDIA_ROOT)
    if media.exists():
        media.rename(media.with_name(f"{media.name}.{aside}"))
        kept = True
    unpacked = folder / archive.ATTACHMENTS.rstrip("/")
    if unpacked.exists():
        unpacked.replace(media)
    if (folder / archive.KEY).exists():
        (folder / archive.KEY).replace(settings.DATA_DIR / archive.KEY)
    return f" What was here before is kept beside it as …{aside}; remove it when you are content." if kept else ""
