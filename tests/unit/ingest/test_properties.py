"""Whatever a file holds: records read are loaded or rejected, no message holds a value, and no file stops another.

Files are made by kind: of values, of headings, of what stands around the records, of bytes. A value is marked, so that
a message that quotes one shows it.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kodomo.contract import Contract, load_contracts, load_heading_rules
from kodomo.home import Home
from kodomo.ingest.deliveries import Delivery, ingest_landing
from kodomo.ingest.files import ParsedFile, RefusedError, parse
from kodomo.warehouse import connect

MARK = "秘密"
SOURCES = ("national_health_insurance", "vaccinations", "council_cases", "child_consultations", "nursery_attendance")
CONTRACTS = load_contracts()
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
thorough = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))

# Of values
words = st.text(st.sampled_from("甲乙髙①ｶﾞパーﾊﾟ－ 　年月-/.0123ABC"), max_size=8).map(lambda text: MARK + text)
slips = st.sampled_from(
    ["", "NULL", "\\N", "1.23E+10", "'001", '="001"', "R5.2.29", "9999-12-31", "不詳", "なし", "*", "１２"]
)
plain_values = st.one_of(words, slips, st.integers(0, 10**15).map(str), st.dates().map(str))
hard_values = st.one_of(
    plain_values, words.map(lambda text: f'{text},"\r\n{text}'), st.sampled_from(["\x00", "\ue000", "\t"])
)
# Of what stands around the records
titles = st.lists(st.sampled_from(["", "資格一覧", "作成日,令和8年4月1日", "抽出条件：全件"]), max_size=3)
ends = st.sampled_from(["", "\x1a", "\r\n\x1a", "\x00\x00", "\r\n\r\n"])
encodings = st.sampled_from(["cp932", "utf-8", "utf-8-sig", "utf-16"])


@dataclass(frozen=True)
class Made:
    """A file, of which source, and how many records it was made of."""

    source_id: str
    data: bytes
    count: int


def line(values: list[str], *, quoted: bool = False) -> str:
    """A record as a program writes it."""
    return ",".join(
        '"' + value.replace('"', '""') + '"' if quoted or any(mark in value for mark in ',"\r\n') else value
        for value in values
    )


def encode(text: str, encoding: str) -> bytes:
    """The text in an encoding; what it does not have is not written."""
    return text.encode(encoding, errors="ignore")


@st.composite
def whole_files(draw: st.DrawFn, values: st.SearchStrategy[str] = plain_values) -> Made:
    """A file that is whole, however it is written: each of its records is one of those that it was made of."""
    contract = CONTRACTS[draw(st.sampled_from(SOURCES))]
    headings = [column.heading for column in contract.columns]
    if draw(st.booleans()):
        place = draw(st.integers(0, len(headings) - 1))
        headings[place] = headings[place][:2] + "\n" + headings[place][2:]
    quoted = draw(st.booleans())
    # A record is none where nothing stands in it, and none by itself where it begins as a heading or a trailer does.
    records = draw(st.lists(st.lists(values, min_size=len(headings), max_size=len(headings)), min_size=1, max_size=6))
    lines = [line([f"1{number:04}", *record[1:-2], MARK, "9"], quoted=quoted) for number, record in enumerate(records)]
    end = draw(st.sampled_from(["\r\n", "\n"]))
    trailer = draw(st.sampled_from(["", f"合計 {len(records)}名", f"件数：{len(records)}", "以上", "[EOF]"]))
    body = [*draw(titles), line(headings), *lines, *([trailer] if trailer else [])]
    text = end.join([*body, ""]) if draw(st.booleans()) else end.join(body)
    return Made(contract.source_id, encode(text + draw(ends), draw(encodings)), len(records))


@st.composite
def damaged_files(draw: st.DrawFn) -> Made:
    """Such a file, cut, with bytes exchanged, or with lines in another order."""
    made = draw(whole_files(hard_values))
    data = bytearray(made.data)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["cut", "byte", "insert", "repeat"]))
        if kind == "cut":
            del data[place:]
        elif kind == "byte" and data:
            data[place] = draw(st.integers(0, 255))
        elif kind == "insert":
            data[place:place] = draw(st.sampled_from([b'"', b",", b"\\", b"\n", b"\x00", b"\x1a", b"\x81", b"\xff"]))
        else:
            data[place:place] = data[place : place + draw(st.integers(1, 60))]
    return Made(made.source_id, bytes(data), made.count)


@st.composite
def noise_files(draw: st.DrawFn) -> Made:
    """Bytes that are no extract."""
    data = draw(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([b"PK\x03\x04" + b"\x00" * 60, b"%PDF-1.7\n%\xe2\xe3", b"<html>", codecs.BOM_UTF8]),
        )
    )
    return Made(draw(st.sampled_from(SOURCES)), data, 0)


def accounted(parsed: ParsedFile, contract: Contract) -> None:
    """Every record is in the columns or a reject, in the order of their lines, once."""
    assert parsed.rows_read == len(parsed.line_numbers) + len(parsed.rejects)
    assert all(len(values) == len(parsed.line_numbers) for values in parsed.columns.values())
    read = [*parsed.line_numbers.tolist(), *(reject.line_number for reject in parsed.rejects)]
    assert len(read) == len(set(read))
    assert parsed.line_numbers.tolist() == sorted(parsed.line_numbers.tolist())
    assert {*parsed.columns} <= {column.name for column in contract.columns}
    for message in map(str, parsed.doubts):
        assert MARK not in message


@thorough
@given(whole_files())
def test_every_record_of_a_whole_file_is_read(made: Made) -> None:
    contract = CONTRACTS[made.source_id]
    parsed = parse(made.data, contract, load_heading_rules())
    accounted(parsed, contract)
    assert (parsed.rows_read, parsed.rejects, parsed.doubts) == (made.count, [], [])


@thorough
@given(st.one_of(damaged_files(), noise_files()))
def test_a_damaged_file_is_read_or_refused(made: Made) -> None:
    contract = CONTRACTS[made.source_id]
    refusal = ""
    try:
        accounted(parse(made.data, contract, load_heading_rules()), contract)
    except RefusedError as refused:
        refusal = str(refused)
    assert MARK not in refusal


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder each time."""
    root = tmp_path_factory.mktemp("batches")
    return (root / str(number) for number in itertools.count())


NEIGHBOUR = "宛名番号,ワクチン種別,回数,接種年月日\r\n1,MR,1,R5.4.1\r\n2,MR,1,R5.4.1\r\n".encode("cp932")


def check(deliveries: list[Delivery], home: Home) -> None:
    """The counts of a batch fit each other and what is in raw; no message holds a value."""
    with connect(home, read_only=True) as connection:
        for delivery in deliveries:
            assert delivery.rows_read == delivery.rows_loaded + delivery.rows_rejected
            assert delivery.status in {"loaded", "held", "refused", "duplicate"}
            assert MARK not in (delivery.reason or "")
            assert count(connection, delivery.source_id, delivery) == delivery.rows_loaded
            assert count(connection, "rejects", delivery) == delivery.rows_rejected


def count(connection: duckdb.DuckDBPyConnection, table: str, delivery: Delivery) -> int:
    """Rows of a delivery in a table of raw."""
    rows = connection.execute(f"select count(*) from raw.{table} where delivery_id = ?", [delivery.delivery_id])
    return rows.fetchall()[0][0]


@pytest.mark.slow
@settings(quick, max_examples=12)
@given(st.lists(st.one_of(whole_files(hard_values), damaged_files(), noise_files()), min_size=1, max_size=12))
def test_no_file_stops_the_batch(folders: Iterator[Path], files: list[Made]) -> None:
    folder = next(folders)
    for number, made in enumerate(files):
        path = folder / "landing" / made.source_id / f"{made.source_id}_202603{number + 1:02}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made.data)
    (folder / "landing" / "vaccinations").mkdir(exist_ok=True)
    (folder / "landing" / "vaccinations" / "neighbour_20260331.csv").write_bytes(NEIGHBOUR)
    home = Home(folder / "var")
    deliveries = ingest_landing(home, folder / "landing", "run")
    assert len(deliveries) == len(files) + 1
    (neighbour,) = (delivery for delivery in deliveries if delivery.file_name.startswith("neighbour"))
    assert (neighbour.status, neighbour.rows_loaded) == ("loaded", 2)
    # What fails unexpectedly is refused; here nothing should.
    assert not [delivery.reason for delivery in deliveries if "could not be read (" in (delivery.reason or "")]
    check(deliveries, home)
    assert ingest_landing(home, folder / "landing", "again") == []
