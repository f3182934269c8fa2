"""The text of a PDF as Chromium makes it: glyphs through the fonts' own tables to characters."""

from __future__ import annotations

import re
import unicodedata
import zlib

_OBJECT = re.compile(rb"(?:^|[\r\n])(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT = re.compile(rb"/(F\d+) (\d+) 0 R")
_SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>(?=[^<>]*T[jJ])|(T\*|Td|Tm|ET)")


def text_of(pdf: bytes) -> str:
    """All text of a PDF in the order in which it is drawn; forms that look the same (⽉ for 月) are one."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    names = {name: int(number) for body in objects.values() for name, number in _FONT.findall(body)}
    tables = {}
    for name, number in names.items():
        table = re.search(rb"/ToUnicode (\d+) 0 R", objects.get(number, b""))
        if table:
            tables[name] = _characters(_inflated(objects[int(table.group(1))]))
    pages = [_inflated(body) for body in objects.values() if b"stream" in body and b"/Subtype" not in body]
    return unicodedata.normalize("NFKC", "".join(_text(page, tables) for page in pages if b" Tf" in page))


def _inflated(body: bytes) -> bytes:
    found = _STREAM.search(body)
    if found is None:
        return b""
    return zlib.decompress(found.group(1)) if b"/FlateDecode" in body else found.group(1)


def _characters(table: bytes) -> dict[int, str]:
    """Glyph → characters of a ToUnicode table."""
    found: dict[int, str] = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, text in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            found[int(glyph, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, text in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            start = int(text, 16)
            for glyph in range(int(first, 16), int(last, 16) + 1):
                found[glyph] = chr(start + glyph - int(first, 16))
    return found


def _text(page: bytes, tables: dict[bytes, dict[int, str]]) -> str:
    told, table = [], {}
    for font, shown, moved in _SHOWN.findall(page):
        if font:
            table = tables.get(font, {})
        elif shown:
            told += [table.get(int(shown[i : i + 4], 16), "") for i in range(0, len(shown), 4)]
        elif moved == b"ET":
            told.append("\n")
    return "".join(told)
