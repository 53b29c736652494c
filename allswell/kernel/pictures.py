"""Pictures told by their bytes, never by what is claimed of them: which kind they are, and how large."""

from __future__ import annotations

import struct

#: so much of a file says what it is, and mostly how large
HEAD = 65_536


def kind_of(head: bytes) -> str:
    """The content type of a picture that browsers draw and that runs nothing; "" for everything else (SVG can run scripts)."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else ""


def measured(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, None where the beginning does not say."""
    kind = kind_of(head)
    try:
        if kind == "image/png":
            width, height = struct.unpack(">II", head[16:24])
        elif kind == "image/gif":
            width, height = struct.unpack("<HH", head[6:10])
        elif kind == "image/jpeg":
            return _of_jpeg(head)
        else:
            return None
    except struct.error:
        return None
    return width, height


def _of_jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        if marker == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack(">H", head[at + 2 : at + 4])
        at += 2 + max(length, 2)
    return None
