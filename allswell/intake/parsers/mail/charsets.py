"""Bytes to text, for senders who say the wrong character set or none."""

from __future__ import annotations

import re

_NOT_NAME = re.compile(r"[^a-z0-9]")
_WINDOWS = {str(number): f"cp{number}" for number in (874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)}
#: every name that is looked up, by its letters and digits. Others are never asked of Python: it would remember each one for ever,
#: and some of its codecs (punycode, unicode-escape) are no character sets and slow.
_CODECS = {
    **dict.fromkeys(("utf8", "utf", "unicode11utf8", "utf8mb4", "xutf8"), "utf-8"),
    **dict.fromkeys(("usascii", "ascii", "ansix341968", "iso646us", "us", "7bit", "646"), "ascii"),
    **dict.fromkeys(("iso88591", "latin1", "l1", "iso8859", "cp819", "ibm819", "ansi", "windows1252", "cp1252"), "cp1252"),
    **{f"windows{number}": codec for number, codec in _WINDOWS.items()},
    **{f"cp{number}": codec for number, codec in _WINDOWS.items()},
    **{f"xcp{number}": codec for number, codec in _WINDOWS.items()},
    **{f"iso8859{number}": f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"iso8859{number}{way}": f"iso8859-{number}" for number in (6, 8) for way in "ie"},
    **dict.fromkeys(("iso88599", "latin5"), "cp1254"),
    **dict.fromkeys(("iso885911", "tis620", "windows874"), "cp874"),
    **dict.fromkeys(("latin2", "l2"), "iso8859-2"),
    **dict.fromkeys(("latin9", "latin0"), "iso8859-15"),
    **{f"cp{number}": f"cp{number}" for number in (437, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 865, 866, 869)},
    **{f"ibm{number}": f"cp{number}" for number in (437, 850, 852, 855, 857, 858, 866)},
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936", "xgbk", "euccn", "gb231280", "windows936"), "gb18030"),
    **dict.fromkeys(("big5", "big5hkscs", "cp950", "windows950"), "big5hkscs"),
    **dict.fromkeys(("ksc56011987", "euckr", "ksc5601", "cp949", "uhc", "windows949", "ksc56011989"), "cp949"),
    **dict.fromkeys(("shiftjis", "sjis", "xsjis", "cp932", "windows31j", "mskanji", "windows932"), "cp932"),
    **dict.fromkeys(("eucjp", "xeucjp", "ujis"), "euc_jp"),
    **dict.fromkeys(
        ("iso2022jp", "iso2022jp1", "iso2022jp2", "iso2022jpms", "iso2022jp3", "cp50220", "cp50221"), "iso2022_jp_ext"
    ),
    "iso2022kr": "iso2022_kr",
    "hzgb2312": "hz",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "koi8ru": "koi8-u",
    "koi8": "koi8-r",
    "macintosh": "mac-roman",
    "macroman": "mac-roman",
    "xmacroman": "mac-roman",
    "utf7": "utf-7",
    "unicode11utf7": "utf-7",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
}
_GUESSED = {"ascii", "cp1252", "iso8859-15", "iso8859-2", "cp1250", "cp1251", "koi8-r"}
_HIGH = re.compile(rb"[\xb8\xc0-\xff]+")
_ESCAPES = re.compile(rb"\x1b(?:\$[@B(]|\([BJI])")


def codec_of(name: str) -> str:
    """The codec behind the name a mail gives a character set; "" for one that nobody knows."""
    return _CODECS.get(_NOT_NAME.sub("", name[:60].lower()), "")


def decode(octets: bytes, declared: str = "") -> tuple[str, bool]:
    """The text of `octets`, and whether it was in the character set it claimed.

    UTF-8 is tried before single-byte sets even where one of those is claimed: text in these is next to never valid UTF-8.
    """
    codec = codec_of(declared)
    if octets.isascii() and (not codec or codec in _GUESSED or codec == "utf-8"):
        if b"\x1b" in octets and _ESCAPES.search(octets):
            return octets.decode("iso2022_jp_ext", "replace"), False
        return octets.decode("ascii"), bool(codec) or not declared
    if not codec or codec in _GUESSED:
        try:
            return octets.decode("utf-8"), False
        except UnicodeDecodeError:
            is_claimed = codec not in ("", "ascii")
            return octets.decode(codec if is_claimed else _guess(octets), "replace"), is_claimed
    try:
        return octets.decode(codec), True
    except UnicodeError:
        pass
    for other in ("utf-8", "cp1252" if codec == "utf-8" else codec):
        try:
            return octets.decode(other), False
        except UnicodeError:
            continue
    return octets.decode(codec, "replace"), False


def _guess(octets: bytes) -> str:
    """A single-byte set for letters nobody named: whole words of high letters are Cyrillic, single ones among others western."""
    runs = _HIGH.findall(octets[:5_000])
    high = sum(len(run) for run in runs)
    return "cp1251" if high >= 3 * len(runs) else "cp1252"
