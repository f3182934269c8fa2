r"""MySQL's backslash escapes: ``\N``, ``\"``, ``\,``, ``\\``, ``\n``, and a backslash before a line break.

A file uses them where every backslash in it begins one, at least one is of those that other programs do not write, and
no record reads worse for it. Everywhere else a backslash is a character (a path, a yen sign of CP932). An escape is
carried through the splitting of records as a noncharacter of Unicode, which no text holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_MEANT = {
    "\\": "\\",
    '"': '"',
    "'": "'",
    ",": ",",
    "\t": "\t",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "0": "",
    "b": "",
    "Z": "",
    "\n": "\n",
    "\r": "\r",
    "N": "",
}
_CARRIED = {escaped: chr(0xFDD0 + number) for number, escaped in enumerate(_MEANT)}
_FIRST, _LAST = "\ufdd0", chr(0xFDD0 + len(_MEANT) - 1)
_BYTES_OF_ALL = _FIRST.encode("utf-8")[:2]
_ESCAPE = re.compile(r"\\(\r\n|.|\Z)", re.S)
_MEANT_BY = {_CARRIED[escaped]: meant for escaped, meant in _MEANT.items()}
_ANY_CARRIED = re.compile(f"[{_FIRST}-{_LAST}]")


@dataclass(frozen=True)
class Escaped:
    """A file's content in UTF-8 with its escapes carried, and where its lines stand in the file."""

    content: bytes
    first_lines: list[int]
    """By line of ``content``, the index of the physical line on which it begins."""


def carry_escapes(content: bytes, lines: list[bytes], encoding: str, delimiter: str) -> Escaped | None:
    r"""The content with its escapes carried; None where a backslash is a character.

    ``content``: bytes in ``encoding``, and its ``lines``; what is no text in it stays no text in UTF-8.
    """
    if b"\\" not in content or not _has_evidence(content, lines, encoding, delimiter):
        return None
    text = content.decode(encoding, errors="surrogateescape")
    if _ANY_CARRIED.search(text):
        return None
    parts: list[str] = []
    swallowed: list[int] = []
    position = 0
    for match in _ESCAPE.finditer(text):
        escaped = match[1][:1] if match[1] == "\r\n" else match[1]
        if escaped not in _CARRIED or (escaped == "N" and not _is_whole_field(text, match, delimiter)):
            return None
        parts += [text[position : match.start()], _CARRIED[escaped]]
        position = match.end()
        if escaped in "\r\n":
            swallowed.append(match.start())
    parts.append(text[position:])
    carried = "".join(parts).encode("utf-8", errors="surrogatepass")
    return Escaped(carried, _first_lines(text, swallowed))


def _has_evidence(content: bytes, lines: list[bytes], encoding: str, delimiter: str) -> bool:
    r"""Whether a line holds ``\N``, ``\"`` or an escaped delimiter. In CP932 the byte ends characters too."""
    marks = (b"\\N", b'\\"', b"\\" + delimiter.encode())
    if not any(mark in content for mark in marks):
        return False
    texts = (line.decode(encoding, errors="replace") for line in lines if b"\\" in line)
    return any(mark.decode("ascii") in text for text in texts for mark in marks)


def _is_whole_field(text: str, match: re.Match[str], delimiter: str) -> bool:
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return before in {"", delimiter, "\n", "\r"} and after in {"", delimiter, "\n", "\r"}


def _first_lines(text: str, swallowed: list[int]) -> list[int]:
    """By line that is left, the index of the physical line that it begins on."""
    starts, position = [], 0
    # Of bytes, because a text has line ends that a file of records does not have.
    for line in text.encode("utf-8", errors="surrogatepass").splitlines(keepends=True):
        starts.append(position)
        position += len(line.decode("utf-8", errors="surrogatepass"))
    within = set(swallowed)
    first_lines, is_new = [], True
    for index, start in enumerate(starts):
        if is_new:
            first_lines.append(index)
        end = starts[index + 1] if index + 1 < len(starts) else len(text)
        line = text[start:end]
        is_new = start + len(line.rstrip("\r\n")) - 1 not in within
    return first_lines


def meant(values: pa.Array, *, is_escaped: bool) -> pa.Array:
    """Texts with the escapes that they carry read as they are meant, where the file uses them."""
    if not is_escaped or not pc.any(pc.match_substring_regex(values, f"[{_FIRST}-{_LAST}]")).as_py():
        return values
    return pa.array([None if value is None else as_meant(value) for value in values.to_pylist()], pa.string())


def as_meant(text: str) -> str:
    """A text with the escapes that it carries read as they are meant."""
    return _ANY_CARRIED.sub(lambda match: _MEANT_BY[match[0]], text)
