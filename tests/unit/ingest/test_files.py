"""A file as a whole: encodings, headings, titles, trailers, quotes, and what a reject keeps."""

from __future__ import annotations

import codecs

import pytest

from kodomo.contract import load_contracts, load_heading_rules
from kodomo.ingest.files import ForbiddenError, ParsedFile, RefusedError, parse

CONTRACT = load_contracts()["national_health_insurance"]
RULES = load_heading_rules()
HEADINGS = "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分"


def read(text: str | bytes, encoding: str = "cp932") -> ParsedFile:
    """A file of national_health_insurance."""
    data = text if isinstance(text, bytes) else text.encode(encoding)
    return parse(data, CONTRACT, load_heading_rules())


def row(number: int, reason: str = "転入") -> str:
    """A good record."""
    return f"{number},R5.4.1,{reason},,,一般"


def numbers(parsed: ParsedFile) -> list[str]:
    """The 宛名番号 of what was read."""
    return parsed.columns["atena_no"].to_pylist()


def rejected(parsed: ParsedFile) -> list[tuple[int, str]]:
    """Line and reason of what was not."""
    return [(reject.line_number, reject.reason_code) for reject in parsed.rejects]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    text = end.join([HEADINGS, row(1, "髙①"), row(2), ""])
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    parsed = read(mark + text.encode(encoding))
    assert numbers(parsed) == ["1", "2"]
    assert parsed.columns["qualified_reason"].to_pylist() == ["髙①", "転入"]
    assert parsed.encoding == {"utf-8-sig": "utf-8", "utf-16-be": "utf-16"}.get(encoding, encoding)


def test_line_ends_may_be_mixed_and_numbers_are_physical_lines() -> None:
    parsed = read(f"{HEADINGS}\r\n{row(1)}\n\r\n{row(2)}\r{row(3)}\r\n,,,,,\n\n{row(4)}")
    assert numbers(parsed) == ["1", "2", "3", "4"]
    assert parsed.line_numbers.tolist() == [2, 4, 5, 8]


@pytest.mark.parametrize(
    ("lines", "read_numbers", "rejects"),
    [
        # one stray quote
        ([row(1), '2,"R5.4.1,転入,,,一般', row(3)], ["1", "3"], [(3, "unbalanced_quote")]),
        # two in the same column: joined they would have the right number of fields
        ([row(1), '2,"R5.4.1,転入,,,一般', row(3), '4,"R5.4.1,転入,,,一般'], ["1", "3"],
         [(3, "unbalanced_quote"), (5, "unbalanced_quote")]),
        (['1,R5.4.1,"転入,,,一般', '2,R5.4.1,転入",,,一般'], ["2"], [(2, "unbalanced_quote")]),
        # at the end of a file, and where every field is quoted
        ([row(1), '2,R5.4.1,転入,,,"一般'], ["1"], [(3, "unbalanced_quote")]),
        (['"1","R5.4.1","転入","","","一般', '"2","R5.4.1","転入","","","一般"'], ["2"], [(2, "unbalanced_quote")]),
        # a quote within a field is a character
        ([row(1, '5"6'), row(2, '"x"y')], ["1", "2"], []),
        # quoted newlines, delimiters and quotes
        (['1,R5.4.1,"転入\r\n二行,目",,,一般', '2,R5.4.1,"あ""い""\n",,,一般', row(3)], ["1", "2", "3"], []),
        (['"1\n",R5.4.1,転入,,,一般', row(2)], ["1\n", "2"], []),
        # too few and too many fields
        (["1,R5.4.1,転入,,", row(2), row(3) + ",,", row(4) + ",x"], ["2"],
         [(2, "wrong_field_count"), (4, "wrong_field_count"), (5, "wrong_field_count")]),
        # also where the record has several lines
        (['1,R5.4.1,"転入\r\n二行",,,一般,,', '2,R5.4.1,"転入\n",,,一般,x', '3,"R5.4.1\n",転入', row(4)],
         ["4"], [(2, "wrong_field_count"), (4, "wrong_field_count"), (6, "wrong_field_count")]),
        # what spreadsheets write
        (['="001",R5.4.1,転入,,,一般', '"=""002""",R5.4.1,転入,,,一般'], ["001", "002"], []),
        # a heading row again, also with a delimiter behind it
        ([row(1), HEADINGS, row(2), HEADINGS + ",", row(3)], ["1", "2", "3"], []),
        (["1\x00,R5.4.1,転入,,,一般", row(2)], ["2"], [(2, "undecodable")]),
    ],
)  # fmt: skip
def test_records(lines: list[str], read_numbers: list[str], rejects: list[tuple[int, str]]) -> None:
    parsed = read("\r\n".join([HEADINGS, *lines, ""]))
    assert (numbers(parsed), rejected(parsed)) == (read_numbers, rejects)


def test_a_quoted_newline_is_kept_as_it_was_delivered() -> None:
    parsed = read(f'{HEADINGS}\n1,R5.4.1,"転入\r\n二行目",,,一般\n')
    assert parsed.columns["qualified_reason"].to_pylist() == ["転入\r\n二行目"]
    assert parsed.raw_records(0) == '1,R5.4.1,"転入\r\n二行目",,,一般'.encode("cp932")


@pytest.mark.parametrize("size", [2**16 + 9, 2**20 - 40, 2**20 + 1, 3 * 2**19])
@pytest.mark.parametrize("quoted", [False, True])
def test_long_records(size: int, quoted: bool) -> None:
    """Up to 1 MiB a record is read, also where it is longer as UTF-8; a longer one is one reject."""
    text = "一" * (size // 4) + ("\n" if quoted else "") + "二" * (size // 4)
    long = f'1,R5.4.1,"{text}",,,一般' if quoted else f"1,R5.4.1,{text},,,一般"
    parsed = read(f"{HEADINGS}\n{long}\n{row(2)}\n")
    assert parsed.rows_read == 2
    if len(long.encode("cp932")) <= 2**20:
        assert numbers(parsed) == ["1", "2"]
    else:
        assert (numbers(parsed), rejected(parsed)) == (["2"], [(2, "too_long")])


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_byte_that_is_no_utf_8_is_the_fault_of_its_record(mark: bytes) -> None:
    text = "\n".join([HEADINGS, row(1), "2,R5.4.1,\udce8転,,,一般", row(3)])
    parsed = read(mark + text.encode("utf-8", errors="surrogateescape"))
    assert numbers(parsed) == ["1", "3"]
    assert rejected(parsed) == [(3, "undecodable")]
    assert parsed.rejects[0].record_bytes == b"2,R5.4.1,\xe8" + "転,,,一般".encode()


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig"])
@pytest.mark.parametrize("bad", ['2,R5.4.1,"転\udc81\n入,目",,,一般', '2,R5.4.1,"転\n入\udc81",,,一般'])
def test_undecodable_bytes_do_not_part_the_lines_of_their_record(encoding: str, bad: str) -> None:
    codec = encoding.removesuffix("-sig")
    mark = codecs.BOM_UTF8 if codec != encoding else b""
    data = "\n".join([HEADINGS, row(1), bad, row(3)]).encode(codec, errors="surrogateescape")
    parsed = read(mark + data)
    assert (numbers(parsed), rejected(parsed)) == (["1", "3"], [(3, "undecodable")])
    assert parsed.rejects[0].record_bytes == bad.encode(codec, errors="surrogateescape")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("tail", [b"", b"\x41"])
def test_half_a_character_in_utf_16(codec: str, tail: bytes) -> None:
    mark = codecs.BOM_UTF16_LE if codec == "utf-16-le" else codecs.BOM_UTF16_BE
    bad = "2,R5.4.1,\ud83d転,,,一般".encode(codec, errors="surrogatepass")
    end = "\r\n".encode(codec)
    data = mark + end.join([HEADINGS.encode(codec), row(1, "𠮷").encode(codec), bad, row(3).encode(codec), tail])
    parsed = read(data)
    assert numbers(parsed) == ["1", "3"]
    assert parsed.columns["qualified_reason"].to_pylist()[0] == "𠮷"
    assert [reject.record_bytes for reject in parsed.rejects] == [bad, *([tail] if tail else [])]


@pytest.mark.parametrize(
    "headings",
    [
        HEADINGS.replace("宛名番号", "宛名№"),
        HEADINGS.replace("宛名番号", " 住民コード　"),
        HEADINGS.replace("資格取得事由", "資格取得事由 "),
        HEADINGS.replace(",", "\t"),
        "国民健康保険 資格一覧\r\n令和8年4月1日,作成\r\n\r\n" + HEADINGS,
        f'"{HEADINGS}"'.replace(",", '","'),
        HEADINGS + ",備考,,",
    ],
)
def test_headings_in_other_spellings(headings: str) -> None:
    delimiter = "\t" if "\t" in headings else ","
    last = headings.splitlines()[-1]
    extra = delimiter * (last.count(delimiter) - HEADINGS.count(","))
    lines = [row(1).replace(",", delimiter) + extra, last, row(2).replace(",", delimiter) + extra]
    parsed = read("\r\n".join([headings, *lines]))
    assert numbers(parsed) == ["1", "2"]
    assert parsed.unknown_headings == (["備考"] if "備考" in headings else [])


FORBIDDEN = (
    "市県民税", "県民税額", "国保税", "国民健康保険税", "税区分", "税 区 分", "滞納", "滞納有無", "個人№",
    "個人Ｎｏ．", "個人no", "個人ＮＯ", "個人・番号", "個人 番号", "個人－番号", "（個人番号）", "マイ・ナンバー",
    "マイナンバ－", "まいなんばー", "個人ﾅﾝﾊﾞｰ",
)  # fmt: skip


@pytest.mark.parametrize(
    "heading", ["個人履歴番号", "住所_番地号表記", "個人識別の備考", "証区分", "保険の種類", "世帯番号"]
)
def test_headings_that_only_resemble_forbidden_ones_are_no_reason_to_refuse(heading: str) -> None:
    assert RULES.forbidden_in(heading) is None


def test_no_contract_has_a_forbidden_heading() -> None:
    headings = [heading for contract in load_contracts().values() for heading in contract.headings]
    assert [heading for heading in headings if RULES.forbidden_in(heading)] == []


@pytest.mark.parametrize(
    ("text", "message", "is_forbidden"),
    [
        (HEADINGS.replace(",証区分", "") + "\n", "証区分", False),
        (HEADINGS + ",宛名コード\n", "宛名番号", False),
        (HEADINGS + ",備考,備考\n", "備考", False),
        (HEADINGS + ",課税区分\n", "課税区分", True),
        (HEADINGS + ",総 所 得\n", "総所得", True),
        (HEADINGS + ",ﾏｲﾅﾝﾊﾞｰ\n", "マイナンバー", True),
        *((f"{HEADINGS},{heading}\n", "forbidden", True) for heading in FORBIDDEN),
        ("個人番号\n123456789012\n", "個人番号", True),
        ("氏名;個人番号\nx;1\n", "個人番号", True),
        ("a,b\n1,2\n", "宛名番号", False),
    ],
)
def test_headings_that_refuse_a_file(text: str, message: str, is_forbidden: bool) -> None:
    with pytest.raises(RefusedError, match=message) as refused:
        read(text)
    assert isinstance(refused.value, ForbiddenError) == is_forbidden


@pytest.mark.parametrize(
    ("trailer", "agrees"),
    [
        ("合計 2件", True), ("合計,2", True), ("合計：２件,,,,,", True), ("合計  1,234件", False),
        ("件数,3,,,,", False),
        ("総件数 2", True),
    ],
)  # fmt: skip
def test_trailers_are_checked_against_the_count(trailer: str, agrees: bool) -> None:
    if "1,234" in trailer:
        trailer = f'"{trailer}"'
    parsed = read("\n".join([HEADINGS, row(1), "2,R5.4.1", trailer, ""]))
    assert (numbers(parsed), rejected(parsed)) == (["1"], [(3, "wrong_field_count")])
    assert (not parsed.doubts) == agrees
    assert parsed.rows_read == 2


TRAILERS = [
    "合計 2名", "計2件（うち転出1件）", "抽出件数=2", "件数：2", "総合計：２件", "合計,,,,,2", "全2件", "レコード数:2",
    "以上 2件", "以上", "[EOF]", "EOF", "*** END ***", "－以上－",
]  # fmt: skip


@pytest.mark.parametrize("trailer", TRAILERS)
def test_a_trailer_is_no_record(trailer: str) -> None:
    parsed = read("\r\n".join([HEADINGS, row(1), row(2), trailer, ""]))
    assert (numbers(parsed), rejected(parsed), parsed.doubts) == (["1", "2"], [], [])


@pytest.mark.parametrize("trailer", [trailer.translate(str.maketrans("2２", "3３")) for trailer in TRAILERS[:9]])
def test_a_count_that_disagrees_is_a_doubt(trailer: str) -> None:
    parsed = read("\r\n".join([HEADINGS, row(1), row(2), trailer, ""]))
    assert numbers(parsed) == ["1", "2"]
    assert len(parsed.doubts) == 1
    assert "counts 3 records, the file has 2" in str(parsed.doubts[0])


@pytest.mark.parametrize("line", ["計算 2件", "以上児 2名", "合計", "2", "合計,2,転入"])
def test_words_that_are_no_trailer_are_a_record(line: str) -> None:
    assert rejected(read("\r\n".join([HEADINGS, row(1), row(2), line, ""]))) == [(4, "wrong_field_count")]


@pytest.mark.parametrize(
    "end", ["\x1a", "\r\n\x1a", "\r\n\x1a\r\n", "\r\n\x1a\x1a\x1a", "\x00\x00", "\r\n\x1a\x00\x00 \r\n"]
)
@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig", "utf-16"])
def test_a_mark_of_the_end_of_a_file_is_no_value(end: str, encoding: str) -> None:
    parsed = read("\r\n".join([HEADINGS, row(1), row(2)]) + end, encoding)
    assert (numbers(parsed), rejected(parsed), parsed.doubts) == (["1", "2"], [], [])
    assert parsed.columns["certificate_type"].to_pylist() == ["一般", "一般"]


def test_a_single_byte_mark_behind_utf_16() -> None:
    parsed = read("\r\n".join([HEADINGS, row(1), ""]).encode("utf-16") + b"\x1a")
    assert (numbers(parsed), rejected(parsed)) == (["1"], [])


def test_a_field_of_zero_bytes_is_empty_and_one_within_a_text_is_none() -> None:
    parsed = read("\r\n".join([HEADINGS, "1,R5.4.1,転入,\x00,\x00,一般", "2,R5.4.1,転\x00入,,,一般", ""]))
    assert (numbers(parsed), rejected(parsed)) == (["1"], [(3, "undecodable")])
    assert parsed.raw_records(0) == "1,R5.4.1,転入,\x00,\x00,一般".encode("cp932")


@pytest.mark.parametrize("before", ["", "国民健康保険 資格一覧\r\n\r\n"])
def test_a_line_break_in_a_heading(before: str) -> None:
    headings = HEADINGS.replace("資格取得年月日", '"資格取得\r\n年月日"').replace("証区分", '"証\n区分"')
    parsed = read(before + "\r\n".join([headings, row(1), headings, row(2), ""]))
    first = 3 + before.count("\n")
    assert (numbers(parsed), rejected(parsed)) == (["1", "2"], [])
    assert parsed.line_numbers.tolist() == [first + 1, first + 5]
    assert parsed.heading_record == headings.encode("cp932")


@pytest.mark.parametrize(
    ("headings", "records", "read_numbers"),
    [
        # the same empty tail on each, with and without it in the heading row
        (HEADINGS, [row(1) + ",", row(2) + ",", row(3) + ","], ["1", "2", "3"]),
        (HEADINGS + ",,", [row(1) + ",,"], ["1"]),
        # a comma in a text whose record ends empty: one field more, and nothing in it
        (HEADINGS, ["1,R5.4.1,転入,前住所,,,"], []),
        (HEADINGS, ["1,R5.4.1,転入,前住所,,,", "2,R5.4.1,出生,双子,,,"], []),
        (HEADINGS, [row(1), row(2) + ",", row(3) + ","], ["1"]),
        # beside a tail that is the file's
        (HEADINGS, [row(1) + ",", row(2) + ",", row(3) + ",", "4,R5.4.1,転入,前住所,,,,"], ["1", "2", "3"]),
        (HEADINGS, [row(1) + ",", row(2) + ",,", row(3) + ",,,"], []),
    ],
)  # fmt: skip
def test_more_fields_than_headings(headings: str, records: list[str], read_numbers: list[str]) -> None:
    parsed = read("\r\n".join([headings, *records, ""]))
    assert numbers(parsed) == read_numbers
    assert {reason for _, reason in rejected(parsed)} <= {"wrong_field_count"}
    assert parsed.rows_read == len(records)


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-16"])
def test_backslashes_of_a_file_that_escapes_with_them(encoding: str) -> None:
    lines = [
        r"1,R5.4.1,転入\,前住所,\N,\N,一般",
        r'2,R5.4.1,"彼は\"甲\"と言う",\N,,表十',
        r"3,R5.4.1,C:\\甲\n二行,,,一般",
        "4,R5.4.1,一行\\\n二行,,,一般",
        "5,R5.4.1,転入,,,一般",
        "6,R5.4.1",
    ]
    parsed = read("\n".join([HEADINGS, *lines, ""]), encoding)
    assert numbers(parsed) == ["1", "2", "3", "4", "5"]
    assert parsed.columns["qualified_reason"].to_pylist() == [
        "転入,前住所", '彼は"甲"と言う', "C:\\甲\n二行", "一行\n二行", "転入",
    ]  # fmt: skip
    assert parsed.columns["disqualified_on"].to_pylist() == [""] * 5
    assert parsed.columns["certificate_type"].to_pylist() == ["一般", "表十", "一般", "一般", "一般"]
    assert parsed.line_numbers.tolist() == [2, 3, 4, 5, 7]
    assert rejected(parsed) == [(8, "wrong_field_count")]
    codec = "utf-16-le" if encoding == "utf-16" else encoding
    assert [parsed.raw_records(i).decode(codec) for i in range(5)] == lines[:5]
    assert parsed.rejects[0].record_bytes.decode(codec) == lines[5]


def test_backslash_escapes_between_tabs() -> None:
    lines = [HEADINGS.replace(",", "\t"), "1\tR5.4.1\t転入\\\t前住所\t\\N\t\\N\t一般", ""]
    parsed = read("\n".join(lines), "utf-8")
    assert parsed.columns["qualified_reason"].to_pylist() == ["転入\t前住所"]


@pytest.mark.parametrize(
    "reason", ["C:\\new\\table", "\\1000", "表十申\\", '"C:\\甲\\"', "\\\\server\\share", "100\\", "転入\\出"]
)
def test_a_backslash_elsewhere_is_a_character(reason: str) -> None:
    parsed = read("\n".join([HEADINGS, row(1, reason), row(2), ""]))
    assert (numbers(parsed), rejected(parsed)) == (["1", "2"], [])
    assert parsed.columns["qualified_reason"].to_pylist() == [reason.strip('"'), "転入"]


@pytest.mark.parametrize("end", ["2,R5.4", '2,R5.4.1,"転入', "2", "2,R5.4.1,転入,,"])
@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-16"])
def test_a_file_that_ends_within_a_record_is_in_doubt(end: str, encoding: str) -> None:
    text = "\r\n".join([HEADINGS, row(1), end])
    parsed = read(text, encoding)
    assert parsed.rows_read == 2
    assert len(parsed.doubts) == 1
    assert str(parsed.doubts[0]).startswith("Line 3: the file ends within a record")
    # With the end of its line, or an end-of-file mark, the record was written so.
    assert read(text + "\r\n", encoding).doubts == []
    assert read(text + "\r\n\x1a", encoding).doubts == []


@pytest.mark.parametrize(("encoding", "size"), [("cp932", 1), ("utf-8", 1), ("utf-8", 2), ("utf-16", 1)])
def test_a_file_that_ends_within_a_character_is_in_doubt(encoding: str, size: int) -> None:
    parsed = read("\r\n".join([HEADINGS, row(1), row(2)]).encode(encoding)[:-size])
    assert len(parsed.doubts) == 1
    assert numbers(parsed) == ["1"]


@pytest.mark.parametrize(
    "records", [[row(1)], [row(1), row(2)], [row(1), row(2) + ",x", row(3)], ['1,R5.4.1,"転\n入",,,一般']]
)
def test_a_whole_last_record_without_the_end_of_its_line_is_no_doubt(records: list[str]) -> None:
    assert read("\r\n".join([HEADINGS, *records])).doubts == []
