"""The slips of real files: words for nothing, numbers that a tool rewrote, dates and units in other words, marks and
counts around the records. Each leaves what is meant as it is, and is listed in ``truth/slips.csv`` with what has to
come of it: `recovered` (the value of the clean file), `asked` (a question to the steward; the rest of the row counts
as in the clean file) or `rejected` (a row of its own beside the clean one).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synthetic_city.writing import Extract

RECOVERED, ASKED, REJECTED = "recovered", "asked", "rejected"

WORDS = (
    "NULL", "null", "\\N", "NaN", "None", "N/A", "-", "－", "―", "ー", "*", "…", "なし", "無し", "無", "該当なし",
    "非該当", "対象外", "不明", "未定", "未記入", "特になし",
)  # fmt: skip
NUMBERS_OF_NOBODY = ("0", "000000000000000", "999999999999999")
BODIES = ("社会福祉法人みらい会", "児童養護施設", "東京都", "別紙のとおり")
"""What people write where a parent's number is asked and a body acts as one."""
IMPLAUSIBLE = ("99999", "-1")
NO_DATES = ("0001-01-01", "1899-12-30", "1899/12/31", "1900-01-00", "1900/1/1", "9999-12-31", "2999-12-31", "00000000")
NO_ENDS = (*NO_DATES, "1970-01-01")
WRITTEN_AS_EMPTY = ("", "00000000", "99999999", "9999-12-31")
"""What systems write into a date that there is not, in the clean files too."""
STROKES = ("−", "‐", "–", "ー", "・", "－")
SPELLINGS = {
    "性別": {"1": ("01", "１", "男"), "2": ("02", "２", "女")},
    "住民状態": {"1": ("01", "１"), "2": ("02", "２"), "3": ("03", "３")},
    "住民種別": {"1": ("01", "日本人"), "2": ("02", "外国人")},
    "続柄コード1": {"02": ("2", "０２", "世帯主"), "20": ("020", "２０", "子"), "12": ("012", "妻"), "99": ("099",)},
    "異動事由": {"10": ("010", "転入"), "11": ("011", "出生"), "16": ("016", "転居"), "20": ("020", "転出")},
    "虐待種別": {
        "身体的虐待": ("身体的", "身体的虐待　"),
        "心理的虐待": ("心理的", "面前DV"),
        "ネグレクト": ("養育の放棄・怠慢", "ﾈｸﾞﾚｸﾄ", "保護の怠慢・拒否"),
        "性的虐待": ("性的",),
    },
    "現況届提出": {"有": ("あり", "1", "はい", "TRUE", "○"), "無": ("なし", "0", "いいえ", "FALSE", "×")},
    "訪問拒否": {"有": ("あり", "1", "○"), "無": ("なし", "0", "×")},
    "育てにくさ": {"はい": ("有", "1", "○"), "いいえ": ("無", "0", "×")},
    "喫煙": {"○": ("有", "1", "はい", "TRUE")},
    "助成種別": {"子ども医療費助成": ("1", "01", "１"), "ひとり親家庭等医療費助成": ("2", "02")},
    "判定": {"異常なし": ("1", "０１"), "要観察": ("2",)},
}  # fmt: skip
"""Heading → value of the clean file → other spellings of it."""
UNKNOWN_KINDS = {"相談経路": "民生の方から", "相談方法": "のろし", "保育必要量": "そのとき次第"}
"""Heading → a word that is in no list and makes no observation."""
KINDS = ("虐待種別", "措置", "虐待者続柄", "退所理由", "退会理由", "廃止理由", "資格喪失事由", "未受診理由", "利用理由")
COUNTS = (
    "欠席日数",
    "在籍日数",
    "無断欠席日数",
    "授業日数",
    "う歯数",
    "未処置歯数",
    "遅刻",
    "早退",
    "保健室利用",
    "在胎週数",
)
UNITS = {"欠席日数": "日", "在籍日数": "日", "授業日数": "日", "う歯数": "本", "未処置歯数": "本", "在胎週数": "週"}
BEGINNINGS = {
    "資格喪失年月日": ("資格取得年月日", "認定年月日"),
    "終了年月日": ("開始年月日",),
    "退所年月日": ("入所年月日",),
    "終結年月日": ("登録年月日",),
    "廃止年月日": ("開始年月日",),
    "返還年月日": ("交付年月日",),
    "在籍終了": ("在籍開始",),
    "一時保護終了": ("一時保護開始",),
    "認定有効終了": ("認定有効開始",),
    "支援終了年月日": ("支援開始年月日",),
    "利用終了年月日": ("利用開始年月日",),
    "通室終了年月日": ("通室開始年月日",),
    "支援措置終了日": ("支援措置開始日",),
}
"""Each end with the beginnings that it may have."""
OTHER_DATES = ("在籍開始", "一時保護開始", "認定有効開始", "支援措置開始日")
SHARED_NUMBERS = ("学籍番号",)
"""Numbers of a holder by which other extracts of it name people."""
ORPHANS = ("vaccinations", "infant_checkups", "medical_aid", "childcare_support_uses")
SWAPPED_NAMES = ("social_council_services",)
FUTURE_FILES = ("livelihood_consultations",)
NAMES_OF_FILES = ("{source}_{day:%Y%m%d}.csv", "{source}_{day:%Y%m%d}_0930.csv", "{source}_{day:%Y%m%d}093000.csv")
ERAS = {
    "R": 2018,
    "令": 2018,
    "H": 1988,
    "平": 1988,
    "S": 1925,
    "昭": 1925,
    "T": 1911,
    "大": 1911,
    "M": 1867,
    "明": 1867,
}
ERA_DIGITS = {"5": "R", "4": "H", "3": "S", "2": "T", "1": "M"}
JAPAN = dt.timezone(dt.timedelta(hours=9))


@dataclass(frozen=True)
class Slip:
    """One slip, for truth/slips.csv; one of a whole file has line 0 and no heading."""

    source: str
    file: str
    line: int
    heading: str
    kind: str
    meant: str
    written: str
    expected: str


@dataclass(frozen=True)
class Cell:
    """A slip in a value, before its line is known."""

    heading: str
    kind: str
    meant: str
    written: str
    expected: str


@dataclass(frozen=True)
class Ending:
    """What stands around the records of one file."""

    kind: str = ""
    trailer: str = ""
    """A line below the records; {rows} and {day} are filled in."""
    day: str = ""
    tail: bytes = b""
    breaks_heading: bool = False
    has_escapes: bool = False
    """Written by MySQL: \\N for an empty field, a backslash before what is no field's end."""

    def lines(self, rows: int) -> tuple[str, ...]:
        """The lines below so many records."""
        return (self.trailer.format(rows=rows, day=self.day),) if self.trailer else ()


def read_day(text: str) -> dt.date | None:
    """The day that a date of the clean files names, None for what is no date."""
    plain = unicodedata.normalize("NFKC", text).replace("元", "1").replace(" ", "")
    if re.fullmatch(r"\d{8}", plain):
        parts = (int(plain[:4]), int(plain[4:6]), int(plain[6:]))
    elif re.fullmatch(r"[1-5]\d{6}", plain):
        parts = (ERAS[ERA_DIGITS[plain[0]]] + int(plain[1:3]), int(plain[3:5]), int(plain[5:]))
    elif match := re.fullmatch(r"([RHSTM令平昭大明])[和成治正]?(\d{1,2})\D?(\d{1,2})\D?(\d{1,2})日?", plain):
        parts = (ERAS[match[1]] + int(match[2]), int(match[3]), int(match[4]))
    elif match := re.fullmatch(r"(\d{4})\D(\d{1,2})\D(\d{1,2})日?", plain):
        parts = (int(match[1]), int(match[2]), int(match[3]))
    else:
        return None
    try:
        return dt.date(*parts)
    except ValueError:
        return None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text))


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def _utc(text: str) -> str | None:
    day = read_day(text)
    if day is None or day.year < 1900:
        return None
    return f"{dt.datetime(day.year, day.month, day.day, tzinfo=JAPAN).astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _offset(text: str) -> str | None:
    day = read_day(text)
    return f"{day.isoformat()}T00:00:00+09:00" if day and day.year >= 1900 else None


def _weekday(text: str) -> str | None:
    day = read_day(text)
    return f"{text}（{'月火水木金土日'[day.weekday()]}）" if day else None


def _ended_era(text: str) -> str | None:
    """A date of Reiwa in the years of Heisei, as a system that was never changed writes it."""
    day = read_day(text)
    if day is None or not dt.date(2019, 5, 1) <= day < dt.date(2080, 1, 1):
        return None
    return f"平成{day.year - 1988}年{day.month}月{day.day}日"


def _kilograms(text: str) -> str | None:
    grams = _digits(text)
    return f"{int(grams) / 1000:g}kg" if grams and re.fullmatch(r'"?[\d,]+g"?', text) else None


def _grams(text: str) -> str | None:
    return f"{round(float(text) * 1000)}g" if re.fullmatch(r"\d+\.\d{1,2}", text) else None


def _metres(text: str) -> str | None:
    match = re.fullmatch(r"(\d+\.\d)(?:cm)?", text)
    return f"{float(match[1]) / 100:.3f}m" if match else None


def _municipality(turn: int, text: str) -> str | None:
    name = re.sub("[市町村]$", "", text)
    return (f"旧{text}", f"佐渡市（旧{text}）", f"{name}支所", f"01 {name}")[turn % 4] if text else None


def _swapped(text: str) -> str | None:
    parts = text.split("　") if "　" in text else text.split(" ")
    return f"{parts[1]}　{parts[0]}" if len(parts) == 2 else None


Change = Callable[[str], str | None]

NUMBER_CHANGES: dict[str, Change] = {
    "number_with_decimal": lambda text: f"{int(_digits(text))}.0",
    "number_with_commas": lambda text: f"{int(_digits(text)):,}",
    "number_with_apostrophe": lambda text: f"'{_digits(text)}",
    "number_with_prefix": lambda text: f"No.{int(_digits(text))}",
    "number_as_formula": lambda text: f'="{_digits(text)}"',
    "number_with_zero_width": lambda text: f"\u200b{_digits(text)}",
    "number_with_mark": lambda text: f"\ufeff{_digits(text)}",
    "number_unpadded": lambda text: str(int(_digits(text))),
    "number_full_width": lambda text: _wide(_digits(text)),
}
SHARED_NUMBER_CHANGES: dict[str, Change] = {
    "shared_number_full_width": _wide,
    "shared_number_with_zeros": lambda text: f"00{text}",
}
DATE_CHANGES: dict[str, Change] = {"date_utc": _utc, "date_with_offset": _offset, "date_with_weekday": _weekday}


class Slips:
    """Draws the slips of a city's files, each file after the other; the same seed gives the same ones."""

    def __init__(self, seed: int, rate: float, as_of: dt.date) -> None:
        self.rng = np.random.default_rng([seed, 12])
        self.rate, self.as_of = rate, as_of
        self.turns: dict[str, Iterator[int]] = {}
        self.made: list[Slip] = []

    def turn(self, kind: str) -> int:
        """How often a kind has been asked for before: spellings come in their order, so that all of them come."""
        return next(self.turns.setdefault(kind, count()))

    # --- values --------------------

    def alter(
        self, extract: Extract, columns: dict[str, np.ndarray], codec: str, kept: set[int]
    ) -> dict[int, list[Cell]]:
        """Write slips into columns as they are written; returns them by row. Rows in ``kept`` stay as they are."""
        cells: dict[int, list[Cell]] = {}
        if not self.rate or not len(extract):
            return cells
        for heading in list(columns):
            before = columns[heading]
            after: np.ndarray | None = None
            taken = set(kept)
            for kind, rows, origin, change, expected in self._changes(extract, columns, heading):
                for row in self._draw(rows, len(before)):
                    if row in taken:
                        continue
                    meant, written = before[row], change(origin[row])
                    if written is None or written == meant or not _fits(written, codec):
                        continue
                    taken.add(row)
                    if after is None:
                        after = before.copy()
                    after[row] = written
                    cells.setdefault(row, []).append(Cell(heading, kind, meant, written, expected))
            if after is not None:
                columns[heading] = after
        if extract.source in SWAPPED_NAMES:
            # The kana goes with the name.
            kana = columns["氏名_フリガナ"].copy()
            for row, row_cells in cells.items():
                if any(cell.kind == "name_swapped" for cell in row_cells):
                    kana[row] = _swapped(kana[row]) or kana[row]
            columns["氏名_フリガナ"] = kana
        return cells

    def _changes(
        self, extract: Extract, columns: dict[str, np.ndarray], heading: str
    ) -> Iterator[tuple[str, np.ndarray, np.ndarray, Change, str]]:
        """Kind, rows that it may befall, the values it is made from, how, and what has to come of it."""
        values = columns[heading]
        is_empty = np.isin(values, WRITTEN_AS_EMPTY)
        full, empty = np.flatnonzero(~is_empty), np.flatnonzero(is_empty)
        free = heading not in extract.required
        if heading.endswith("宛名番号") or heading == "世帯番号":
            for kind, change in NUMBER_CHANGES.items():
                yield kind, full, values, change, RECOVERED
            if free:
                yield "number_of_nobody", empty, values, self._next("number_of_nobody", NUMBERS_OF_NOBODY), RECOVERED
                yield "word_in_number", empty, values, self._next("word_in_number", WORDS), RECOVERED
                yield "body_in_number", empty, values, self._next("body_in_number", BODIES), ASKED
        elif heading in SHARED_NUMBERS and extract.source != "school_enrolment":
            for kind, change in SHARED_NUMBER_CHANGES.items():
                yield kind, full, values, change, RECOVERED
        elif heading.endswith("年月日") or heading in BEGINNINGS or heading in OTHER_DATES:
            for kind, change in DATE_CHANGES.items():
                yield kind, full, values, change, RECOVERED
            yield "date_with_strokes", full, values, self._strokes, RECOVERED
            if heading == "生年月日":
                yield (
                    "date_of_birth_in_words",
                    full,
                    values,
                    lambda text: f"{text}生" if read_day(text) else None,
                    RECOVERED,
                )
            if heading in BEGINNINGS:
                yield "no_end", empty, values, self._next("no_end", NO_ENDS), RECOVERED
                yield "ended_era", full, values, _ended_era, ASKED
                begin = next((name for name in BEGINNINGS[heading] if name in columns), None)
                if begin and extract.source != "household_history":
                    yield "end_before_beginning", empty, columns[begin], _day_before, ASKED
            if free:
                yield "word_in_date", empty, values, self._next("word_in_date", WORDS), RECOVERED
        elif heading == "旧市町村":
            yield (
                "former_municipality",
                full,
                values,
                lambda text: _municipality(self.turn("municipality"), text),
                RECOVERED,
            )
        elif heading in SPELLINGS or heading in KINDS or heading in UNKNOWN_KINDS:
            if heading in SPELLINGS:
                yield f"spelling_of_{heading}", full, values, self._spell(SPELLINGS[heading]), RECOVERED
            if heading in KINDS:
                yield "word_in_kind", empty, values, self._next("word_in_kind", WORDS), RECOVERED
            if heading in UNKNOWN_KINDS:
                yield "unknown_kind", full[:1], values, lambda _: UNKNOWN_KINDS[heading], ASKED
        elif heading in ("出生体重", "身長", "体重"):
            change = {"出生体重": _kilograms, "身長": _metres, "体重": _grams}[heading]
            yield "other_unit", full, values, change, RECOVERED
            yield "word_in_quantity", empty, values, self._next("word_in_quantity", WORDS), RECOVERED
            yield "implausible_number", empty, values, self._next("implausible_number", IMPLAUSIBLE), ASKED
        elif heading in COUNTS:
            yield "count_full_width", full, values, lambda text: _wide(text) if text.isdigit() else None, RECOVERED
            if heading in UNITS:
                unit = UNITS[heading]
                yield (
                    "count_with_unit",
                    full,
                    values,
                    lambda text: f"{text}{unit}" if text.isdigit() else None,
                    RECOVERED,
                )
            if free:
                yield "word_in_quantity", empty, values, self._next("word_in_quantity", WORDS), RECOVERED
                yield "implausible_number", empty, values, self._next("implausible_number", IMPLAUSIBLE), ASKED
        elif heading == "支援措置区分":
            yield "measure_without_class", np.flatnonzero(values == "1")[:1], values, lambda _: "", ASKED
        elif heading == "氏名" and extract.source in SWAPPED_NAMES:
            yield "name_swapped", full[: len(full) // 2], values, _swapped, ASKED

    def _draw(self, rows: np.ndarray, of: int) -> list[int]:
        """Some of the rows: as many as the rate says, and one at least in a file of some size."""
        if not len(rows):
            return []
        number = min(max(int(self.rng.poisson(self.rate * len(rows))), int(of >= 20)), len(rows))
        return [int(rows[place]) for place in self.rng.integers(0, len(rows), number)]

    def _next(self, kind: str, words: tuple[str, ...]) -> Change:
        return lambda _: words[self.turn(kind) % len(words)]

    def _strokes(self, text: str) -> str | None:
        if not re.fullmatch(r"[A-Z]?\d+[-/.]\d+[-/.]\d+", text):
            return None
        return re.sub("[-/.]", STROKES[self.turn("strokes") % len(STROKES)], text)

    def _spell(self, spellings: dict[str, tuple[str, ...]]) -> Change:
        def change(text: str) -> str | None:
            known = spellings.get(text)
            return known[self.turn(f"spelling {text}") % len(known)] if known else None

        return change

    # --- rows --------------------

    def rows(self, extract: Extract, columns: dict[str, np.ndarray]) -> Iterator[tuple[int, list[str], Cell]]:
        """Rows to write before one of the extract's: its position, the fields, and the slip."""
        size = len(next(iter(columns.values())))
        if not self.rate or size < 20:
            return
        names = list(columns)

        def copied(row: int, **changed: str) -> list[str]:
            return [changed.get(name, columns[name][row]) for name in names]

        def some(chosen: np.ndarray | None = None) -> list[int]:
            return self._draw(np.arange(size) if chosen is None else chosen, 50)

        for row in some():
            yield row, [*copied(row), ""], Cell("", "surplus_field", "", "", REJECTED)
        for heading in extract.id_columns:
            if heading in extract.required:
                for row in some():
                    word = WORDS[self.turn("word_in_required_number") % len(WORDS)]
                    cell = Cell(heading, "word_in_required_number", columns[heading][row], word, REJECTED)
                    yield row, copied(row, **{heading: word}), cell
                for row in some():
                    cell = Cell(heading, "text_in_required_number", columns[heading][row], "転出者", REJECTED)
                    yield row, copied(row, **{heading: "転出者"}), cell
        if extract.source in ORPHANS:
            heading = extract.id_columns[0]
            for row in some():
                number = f"{900_000_000 + self.turn('orphan'):015d}"
                own = {name: f"Z{number}" for name in names if name == "利用番号"}
                cell = Cell(heading, "number_of_no_resident", "", number, ASKED)
                yield row, copied(row, **{heading: number}, **own), cell
        if extract.source == "resident_register":
            # The record that was closed when the person left, beside the one that was opened on the return.
            changed = columns["異動年月日"]
            residents = np.flatnonzero(columns["住民状態"] == "1")
            for row in some(
                residents[np.array([text.startswith(("R", "H2")) for text in changed[residents]], dtype=bool)]
            ):
                day = read_day(changed[row])
                if day:
                    before = {"住民状態": "2", "異動事由": "20", "異動年月日": f"{day.year - 2}/{day.month}/1"}
                    cell = Cell("住民状態", "closed_record_of_a_resident", "1", "2", RECOVERED)
                    yield row, copied(row, **before), cell

    # --- files --------------------

    def file_name(self, source: str, day: dt.date) -> str:
        """The name of a file: with the date alone, or with a time behind it."""
        kind = self.turn("file_name") if self.rate else 0
        return NAMES_OF_FILES[kind % len(NAMES_OF_FILES)].format(source=source, day=day)

    def ending(self, codec: str, may_break: bool, may_escape: bool) -> Ending:
        """What stands below the records of a file, in its heading if that ``may_break``, or in its empty fields if they
        ``may_escape``.
        """
        if not self.rate:
            return Ending()
        kinds = [
            Ending("count_of_people", "合計 {rows}名"),
            Ending("count_with_date", "計{rows}件（{day}現在）", f"{self.as_of:%Y年%m月%d日}"),
            Ending("count_of_export", "抽出件数={rows}"),
            Ending("end_word", "以上"),
            Ending("end_mark", "[EOF]"),
        ]
        if codec != "utf-16-le":
            kinds += [Ending("end_byte", tail=b"\x1a"), Ending("end_byte_behind_an_empty_line", tail=b"\r\n\x1a")]
        if may_break:
            kinds.append(Ending("heading_with_a_break", breaks_heading=True))
        if may_escape:
            kinds.append(Ending("escapes_of_mysql", has_escapes=True))
        kinds.append(Ending())
        return kinds[self.turn("ending") % len(kinds)]

    def note(self, source: str, file: str, line: int, cell: Cell) -> None:
        """Remember a slip with its place."""
        self.made.append(Slip(source, file, line, cell.heading, cell.kind, cell.meant, cell.written, cell.expected))


def _day_before(text: str) -> str | None:
    """A day two years before a beginning."""
    day = read_day(text)
    return f"{day.year - 2}/{day.month}/{min(day.day, 28)}" if day and day.year > 1950 else None


def _fits(text: str, codec: str) -> bool:
    """Whether the codec gives the text back: CP932 writes some strokes as others."""
    try:
        return text.encode(codec).decode(codec) == text
    except UnicodeEncodeError:
        return False
