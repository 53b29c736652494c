"""The file a backup is: a tar with a manifest first, one database dump and the attachments.

Reading trusts nothing: what is in the tar must be exactly what the manifest lists, by plain names below the places they belong,
as regular files of the size and SHA-256 given. That is checked before a byte is written elsewhere (zip slip, symlinks, bombs).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from allswell.kernel.errors import CannotStart

FORMAT = 1
MANIFEST = "manifest.json"
DUMPS = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
KEY = "secret.key"
ATTACHMENTS = "attachments/"
_MANIFEST_LIMIT = 512_000_000
_PIECE = 1 << 20
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Item:
    """A file of the archive: its name there, its size in bytes, its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What an archive says about itself. `counts`: rows by table; `migrations`: "app.name" of everything applied."""

    format: int
    version: str
    made_at: str
    database: str
    migrations: list[str]
    counts: dict[str, int]
    items: list[Item]

    @property
    def dump(self) -> str:
        """The name of the database dump."""
        return DUMPS[self.database]


def digest_of(stream: IO[bytes], into: IO[bytes] | None = None) -> tuple[int, str]:
    """Size and SHA-256 of what is left of a stream; copied to `into` on the way."""
    sha, size = hashlib.sha256(), 0
    while piece := stream.read(_PIECE):
        sha.update(piece)
        size += len(piece)
        if into:
            into.write(piece)
    return size, sha.hexdigest()


def item_of(path: Path, name: str) -> Item:
    """A file on disk as it will stand in the archive."""
    with path.open("rb") as stream:
        size, sha = digest_of(stream)
    return Item(name, size, sha)


def write(target: Path, manifest: Manifest, sources: dict[str, Path], progress: Progress) -> None:
    """Write an archive; gzipped when its name ends in .gz or .tgz. A file that changes meanwhile raises CannotStart."""
    is_packed = target.name.removesuffix(".part").endswith((".gz", ".tgz"))
    total, done = sum(item.size for item in manifest.items), 0
    opened = tarfile.open(target, "w:gz", compresslevel=6) if is_packed else tarfile.open(target, "w")  # noqa: SIM115
    with opened as tar:
        words = json.dumps(asdict(manifest), indent=1).encode()
        tar.addfile(_entry(MANIFEST, len(words)), io.BytesIO(words))
        for item in manifest.items:
            with sources[item.name].open("rb") as stream:
                if sources[item.name].stat().st_size != item.size:
                    raise CannotStart(f"{item.name} changed while it was copied. Try again.")
                tar.addfile(_entry(item.name, item.size), stream)
            done += item.size
            progress(done, total)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


class Damaged(CannotStart):
    """The file is no backup of ours, or not whole."""


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:*") as tar:
            yield tar
    except FileNotFoundError as error:
        raise CannotStart(f"There is no file {path}.", code=2) from error
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Damaged(f"{path} cannot be read as a backup: {error}") from error


def read_manifest(path: Path) -> Manifest:
    """The manifest, once every name and size in the archive agrees with it. Reads all headers, writes nothing. Raises Damaged."""
    with _opened(path) as tar:
        first = tar.next()
        if first is None or first.name != MANIFEST or not first.isreg() or first.size > _MANIFEST_LIMIT:
            raise Damaged(f"{path} is no backup of Allswell: it does not begin with a manifest.")
        stream = tar.extractfile(first)
        assert stream is not None
        manifest = _manifest(stream.read())
        expected = {item.name: item.size for item in manifest.items}
        while (entry := tar.next()) is not None:
            if not entry.isreg():
                raise Damaged(f"{entry.name!r} in the backup is no plain file.")
            if expected.pop(entry.name, None) != entry.size:
                raise Damaged(f"{entry.name!r} is not what the manifest of the backup says.")
        if expected:
            raise Damaged(f"{next(iter(expected))!r} is missing from the backup.")
    return manifest


def _manifest(words: bytes) -> Manifest:
    try:
        given = json.loads(words)
        if given["format"] != FORMAT:
            raise Damaged(
                f"This backup has format {given['format']!r}; this version reads format {FORMAT}. Use a newer Allswell."
            )
        items = [Item(str(item["name"]), int(item["size"]), str(item["sha256"])) for item in given["items"]]
        manifest = Manifest(
            FORMAT,
            str(given["version"]),
            str(given["made_at"]),
            str(given["database"]),
            [str(name) for name in given["migrations"]],
            {str(table): int(count) for table, count in given["counts"].items()},
            items,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged("The manifest of the backup cannot be read.") from error
    if manifest.database not in DUMPS:
        raise Damaged(f"The backup is of an unknown database, {manifest.database!r}.")
    names = [item.name for item in items]
    if len(set(names)) != len(names) or manifest.dump not in names:
        raise Damaged("The manifest of the backup contradicts itself.")
    for item in items:
        _check_name(item, manifest)
    return manifest


def _check_name(item: Item, manifest: Manifest) -> None:
    if item.size < 0 or not (item.name in (manifest.dump, KEY) or _is_attachment(item.name)):
        raise Damaged(f"{item.name!r} does not belong into a backup.")


def _is_attachment(name: str) -> bool:
    parts = name.split("/")
    return len(parts) > 1 and parts[0] == ATTACHMENTS[:-1] and all(_PLAIN.fullmatch(part) for part in parts[1:])


def extract(path: Path, manifest: Manifest, folder: Path, progress: Progress) -> None:
    """Write the files below a new, empty folder, each checked by its SHA-256. Raises Damaged."""
    wanted = {item.name: item for item in manifest.items}
    total, done = sum(item.size for item in manifest.items), 0
    with _opened(path) as tar:
        tar.next()
        while (entry := tar.next()) is not None:
            item = wanted.get(entry.name)
            stream = tar.extractfile(entry) if item and entry.isreg() and entry.size == item.size else None
            if item is None or stream is None:
                raise Damaged(f"{entry.name!r} is not what the manifest of the backup says.")
            target = folder.joinpath(*item.name.split("/"))
            target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            with target.open("xb") as into:
                target.chmod(0o600)
                if digest_of(stream, into) != (item.size, item.sha256):
                    raise Damaged(f"{item.name!r} in the backup is damaged.")
            done += item.size
            progress(done, total)
