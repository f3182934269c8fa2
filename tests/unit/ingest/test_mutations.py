"""A campaign of damaged files: no crash, no row lost, no neighbour row taken along."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kodomo.contract import load_contracts, load_heading_rules
from kodomo.home import Home
from kodomo.ingest.deliveries import ingest_landing
from kodomo.ingest.files import RefusedError, parse
from kodomo.warehouse import connect

SOURCE = "social_council_services"
CONTRACT = load_contracts()[SOURCE]
HEADINGS = [column.heading for column in CONTRACT.columns]
ENCODINGS = {
    "cp932": ("cp932", b""),
    "utf-8": ("utf-8", b""),
    "utf-8-sig": ("utf-8", codecs.BOM_UTF8),
    "utf-16-le": ("utf-16-le", codecs.BOM_UTF16_LE),
    "utf-16-be": ("utf-16-be", codecs.BOM_UTF16_BE),
}
TEXTS = [
    "甲野　太郎",
    "髙﨑 ①",
    "ﾊﾟﾝﾀﾞ",
    "\ue000田",
    "両津,夷１",
    "一行目\r\n二行,目",
    'いわゆる"あだな"',
    "",
    " ",
    "表―予ソ",
]


@dataclass
class Row:
    """A line as it is delivered, and the values that it must be read as."""

    line: str
    values: list[str]


def some_row(chance: random.Random, number: int) -> Row:
    """A good row, in one of the manners of writing that a city's systems have."""
    name, address, service = (chance.choice(TEXTS) for _ in range(3))
    values = [f"{number:05}", name, "コウノ", "H27.4.1", "1", address, service, "2026/3/1"]
    quotes_all = chance.random() < 0.2
    fields = []
    for position, value in enumerate(values):
        needs_quotes = any(mark in value for mark in ',"\r\n')
        if needs_quotes or quotes_all:
            escaped = value.replace('"', '""')
            fields.append(f'"{escaped}"')
        else:
            fields.append(f'="{value}"' if position == 0 and chance.random() < 0.1 else value)
    return Row(",".join(fields), values)


def put(make: Callable[[random.Random], bytes]) -> Callable[[random.Random, bytes, int], bytes]:
    """A mutation that puts something between two characters (of ``unit`` bytes)."""

    def mutate(chance: random.Random, line: bytes, unit: int) -> bytes:
        at = chance.randrange(len(line) // unit + 1) * unit
        return line[:at] + make(chance) * unit + line[at:]

    return mutate


def some_byte(chance: random.Random, line: bytes, unit: int) -> bytes:
    at = chance.randrange(len(line))
    return line[:at] + bytes([chance.randrange(256)]) + line[at + 1 :]


def cut(chance: random.Random, line: bytes, unit: int) -> bytes:
    return line[: chance.randrange(len(line) // unit + 1) * unit]


def drop(chance: random.Random, line: bytes, unit: int) -> bytes:
    at = chance.randrange(len(line) // unit) * unit
    return line[:at] + line[at + unit :]


def noise(chance: random.Random, line: bytes, unit: int) -> bytes:
    return chance.randbytes(chance.randrange(1, 40) * unit)


def long(chance: random.Random, line: bytes, unit: int) -> bytes:
    return line + b"\x41" * chance.choice([2**17, 2**20, 2**20 + 2])


MUTATIONS = [
    put(lambda chance: b'"'),
    put(lambda chance: b","),
    put(lambda chance: chance.choice([b"\x00", b"\x81", b"\xff", b"\xd8", b"\n", b"\r", b"\t"])),
    some_byte,
    cut,
    drop,
    noise,
]


def end_of(chance: random.Random, codec: str) -> bytes:
    return chance.choice(["\r\n", "\n", "\r"]).encode(codec)


def some_file(chance: random.Random, encoding: str) -> tuple[bytes, list[tuple[Row, bool]]]:
    """A file of which some rows are damaged, with each row and whether it is. Line ends are mixed in a third."""
    codec, mark = ENCODINGS[encoding]
    unit = 2 if codec.startswith("utf-16") else 1
    end, is_mixed = end_of(chance, codec), chance.random() < 0.3
    data = mark + ",".join(HEADINGS).encode(codec) + end
    rows = []
    for number in range(chance.randrange(5, 25)):
        row = some_row(chance, number)
        line = row.line.encode(codec)
        is_damaged = chance.random() < 0.2
        if is_damaged:
            mutate = long if chance.random() < 0.004 else chance.choice(MUTATIONS)
            line = mutate(chance, line, unit)
        rows.append((row, is_damaged))
        data += line + (end_of(chance, codec) if is_mixed else end)
    return data, rows


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("block", range(4))
def test_damage_stays_in_its_row(encoding: str, block: int) -> None:
    """Thousands of files: every good row is read as it was written, and every byte is in a row or a reject."""
    rules = load_heading_rules()
    for seed in range(60):
        chance = random.Random(f"{encoding} {block} {seed}")
        data, rows = some_file(chance, encoding)
        try:
            parsed = parse(data, CONTRACT, rules)
        except RefusedError as error:
            pytest.fail(f"{encoding} {block} {seed}: {error}")
        columns = [parsed.columns[column.name].to_pylist() for column in CONTRACT.columns]
        read = {tuple(values) for values in zip(*columns, strict=True)}
        lost = [row.line for row, is_damaged in rows if not is_damaged and tuple(row.values) not in read]
        assert not lost, (encoding, block, seed)
        assert parsed.rows_read == len(parsed.line_numbers) + len(parsed.rejects)
        delivered = bytes_of_lines(data, encoding)
        # A mark of the end of the file behind the last record is none of its bytes.
        ends = {delivered, delivered.rstrip(b"\x1a\x00")}
        assert bytes_of_records(parsed, data) in ends, (encoding, block, seed)


def bytes_of_records(parsed, data: bytes) -> bytes:
    """All records and rejects in the order of their lines, without line ends."""
    count = range(len(parsed.line_numbers))
    records = {int(parsed.line_numbers[position]): parsed.raw_records(position) for position in count}
    rejects = {reject.line_number: reject.record_bytes for reject in parsed.rejects}
    assert not records.keys() & rejects.keys()
    together = records | rejects
    return bare(b"".join(together[number] for number in sorted(together)), parsed.delivered_encoding)


def bytes_of_lines(data: bytes, encoding: str) -> bytes:
    """The file behind its heading row, without line ends."""
    codec, mark = ENCODINGS[encoding]
    heading = mark + ",".join(HEADINGS).encode(codec)
    assert data.startswith(heading)
    return bare(data[len(heading) :], encoding)


def bare(data: bytes, encoding: str) -> bytes:
    """Without line ends, spaces and delimiters, which is all that an empty record may hold."""
    unit = 2 if encoding.startswith("utf-16") else 1
    empty = {bytes([code]) for code in b" ,\r\n\t\x0b\x0c"}
    if unit == 2:
        empty = {code + b"\x00" for code in empty} | {b"\x00" + code for code in empty} | {b"\x00\x30", b"\x30\x00"}
    return b"".join(data[at : at + unit] for at in range(0, len(data), unit) if data[at : at + unit] not in empty)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_delivered_row_is_loaded_or_rejected(encoding: str, tmp_path: Path) -> None:
    """The same through the whole of ingest: damaged files of one source, one after another."""
    chance = random.Random(f"ingest {encoding}")
    folder = tmp_path / "landing" / SOURCE
    folder.mkdir(parents=True)
    good: dict[str, int] = {}
    for number in range(8):
        data, rows = some_file(chance, encoding)
        name = f"{SOURCE}_202604{number + 1:02}.csv"
        (folder / name).write_bytes(data)
        # 氏名 and 利用種別 are required.
        good[name] = sum(
            not is_damaged and bool(row.values[1].strip()) and bool(row.values[6].strip()) for row, is_damaged in rows
        )
    home = Home(tmp_path / "var")
    deliveries = ingest_landing(home, tmp_path / "landing", "run")
    assert len(deliveries) == 8
    for delivery in deliveries:
        assert delivery.status in {"loaded", "held"}, delivery.reason
        assert delivery.rows_read == delivery.rows_loaded + delivery.rows_rejected
        assert delivery.rows_loaded >= good[delivery.file_name]
    with connect(home, read_only=True) as connection:
        counts = connection.execute(
            "select delivery_id, count(*) from raw.rejects group by all order by all"
        ).fetchall()
        assert connection.execute("select count(*) from raw.rejects where record_bytes is null").fetchone() == (0,)
    assert dict(counts) == {
        delivery.delivery_id: delivery.rows_rejected for delivery in deliveries if delivery.rows_rejected
    }
