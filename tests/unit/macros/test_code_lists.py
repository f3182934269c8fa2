"""The code lists of kinds and classes: every spelling means its code, and nothing is read from a part of a word."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

from kodomo.contract import load_contracts
from kodomo.home import PROJECT
from kodomo.macros import load_macros

SEEDS = PROJECT / "seeds"
LIST_SEEDS = ("code_lists", "code_spellings", "words_for_nothing")
CLASSES = [
    (contract.source_id, column.name, column.code_list)
    for contract in load_contracts().values()
    for column in contract.columns
    if column.type == "code" and column.code_list
]
NEGATIONS = {
    "development_result": ["経過観察不要", "精密検査不要", "疑いなし", "要観察なし", "異常なし", "支援不要"],
    "marriage_notice": ["離婚届不受理申出", "婚姻届不受理申出", "離婚届不受理申出取下げ"],
    "parentage_notice": ["認知届不受理申出", "養子縁組届不受理申出", "養子離縁届不受理申出", "認知取消", "嫡出否認"],
}
PLANNED = ["卒園", "卒所", "修了", "小学校入学", "就学"]


def rows(seed: str) -> list[dict[str, str]]:
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rendered(path: str, call: str = "") -> str:
    """A model, or a macro that is called, as SQL over relations of the seeds' names, with the macros of ingest."""
    environment = Environment(undefined=StrictUndefined)
    text = (PROJECT / path).read_text(encoding="utf-8") + call
    return environment.from_string(text, globals={**load_macros(), "ref": str, "source": lambda _, name: name}).render()


LISTS_WITH_NONE = sorted({row["code_list"] for row in rows("code_lists") if row["is_none"] == "true"})


@pytest.fixture(scope="module")
def lists() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the code lists, their spellings and the maps that staging reads them with."""
    with duckdb.connect() as connection:
        for seed in LIST_SEEDS:
            connection.execute(
                f"create table {seed} as select * from read_csv(?, header = true, all_varchar = true, nullstr = '')",
                [str(SEEDS / f"{seed}.csv")],
            )
        connection.execute("alter table code_lists alter is_none type boolean")
        connection.execute("create table code_decisions (code_list varchar, spelling varchar, code varchar)")
        spellings = rendered("models/staging/seeds/stg_seeds__code_spellings.sql")
        connection.execute(f"create table stg_seeds__code_spellings as {spellings}")
        connection.execute(f"create table code_maps as {rendered('macros/code_maps.sql', '{{ code_maps() }}')}")
        yield connection


def read(lists: duckdb.DuckDBPyConnection, code_list: str, texts: list[str], several: bool = True) -> list[Any]:
    """The code of each text, after what ingest does to it."""
    kinds = "code_maps.kinds" if several else None
    expression = load_macros()["normalise_code"]("given.text", "code_maps.spellings", kinds)
    return [
        code
        for (code,) in lists.execute(
            f"select {expression} from (select unnest(range(len(?))) as position, unnest(?) as text) as given "
            "cross join code_maps where code_list = ? order by position",
            [texts, texts, code_list],
        ).fetchall()
    ]


@pytest.mark.parametrize("code_list", sorted({row["code_list"] for row in rows("code_lists")}))
def test_every_code_label_and_spelling_means_its_code(lists: duckdb.DuckDBPyConnection, code_list: str) -> None:
    written = [(row["code"], row["code"]) for row in rows("code_lists") if row["code_list"] == code_list]
    written += [(row["label_ja"], row["code"]) for row in rows("code_lists") if row["code_list"] == code_list]
    written += [(row["spelling"], row["code"]) for row in rows("code_spellings") if row["code_list"] == code_list]
    for several in (True, False):
        codes = read(lists, code_list, [text for text, _ in written], several)
        assert [(text, code) for (text, _), code in zip(written, codes, strict=True)] == written


@pytest.mark.parametrize(
    "code_list", sorted({row["code_list"] for row in rows("code_lists") if row["is_none"] == "true"})
)
def test_words_for_nothing_are_none_in_every_class(lists: duckdb.DuckDBPyConnection, code_list: str) -> None:
    none = {row["code"] for row in rows("code_lists") if row["code_list"] == code_list and row["is_none"] == "true"}
    assert set(read(lists, code_list, [row["word"] for row in rows("words_for_nothing")])) <= none


def test_words_for_nothing_are_no_value_where_a_list_has_no_code_for_none(lists: duckdb.DuckDBPyConnection) -> None:
    assert set(read(lists, "relation", [row["word"] for row in rows("words_for_nothing")])) == {None}


def test_every_code_list_of_a_column_exists() -> None:
    assert {code_list for _, _, code_list in CLASSES} <= {row["code_list"] for row in rows("code_lists")}


def test_codes_of_spellings_and_meanings_are_in_their_list() -> None:
    codes = {(row["code_list"], row["code"]) for row in rows("code_lists")}
    assert {(row["code_list"], row["code"]) for row in rows("code_spellings") + rows("code_meanings")} <= codes


def test_no_word_means_two_codes(lists: duckdb.DuckDBPyConnection) -> None:
    comparable = load_macros()["comparable_code"]
    written = " union all ".join(
        f"select code_list, code, {comparable(column)} as spelling from {seed}"
        for seed, column in (("code_lists", "code"), ("code_lists", "label_ja"), ("code_spellings", "spelling"))
    )
    assert lists.execute(
        f"select code_list, spelling, list(distinct code) from ({written}) group by all having count(distinct code) > 1"
    ).fetchall() == []  # fmt: skip


@pytest.mark.parametrize(("code_list", "words"), NEGATIONS.items())
def test_negations_mean_nothing_that_counts(lists: duckdb.DuckDBPyConnection, code_list: str, words: list[str]) -> None:
    codes = read(lists, code_list, words)
    assert "unknown" not in codes
    meant = {row["code"] for row in rows("code_meanings") if row["code_list"] == code_list}
    assert not meant & set(codes)


def test_the_end_of_a_nursery_is_planned(lists: duckdb.DuckDBPyConnection) -> None:
    planned = {row["code"] for row in rows("code_meanings") if row["meaning"] == "ends_as_planned"}
    assert set(read(lists, "nursery_leaving_reason", PLANNED)) <= planned


def test_several_kinds_are_read_where_each_is_known(lists: duckdb.DuckDBPyConnection) -> None:
    given_texts = {
        "身体的虐待・心理的虐待": "physical|psychological",
        "ネグレクト、身体的": "neglect|physical",
        "心理的/身体的/心理的": "physical|psychological",
        "身体的虐待及び性的虐待": "physical|sexual",
        "身体的虐待、": "physical",
        "身体的虐待・なし": "unknown",
        "身体的虐待 なし": "unknown",
        "身体的虐待・ほか": "unknown",
        "身体的虐待・－": "physical",
        "・": "none",
        "－－": "none",
        "ーーー": "none",
        "―/―": "none",
        "0": "none",
    }
    assert dict(zip(given_texts, read(lists, "abuse_kind", [*given_texts]), strict=True)) == given_texts
    assert read(lists, "abuse_kind", ["身体的虐待・心理的虐待"], several=False) == ["unknown"]


@pytest.mark.parametrize(
    ("code_list", "text", "code"),
    [
        ("abuse_kind", "01 身体的虐待", "physical"),
        ("abuse_kind", "1:身体的虐待", "physical"),
        ("abuse_kind", "(2)性的虐待", "sexual"),
        ("abuse_kind", "1", "unknown"),
        ("abuse_kind", "虐待はあるがなし", "unknown"),
        ("care_level", "要介護1", "care_1"),
        ("care_level", "介3", "care_3"),
        ("care_level", "1", "unknown"),
        ("care_level", "21", "care_1"),
        ("disability_grade", "一級", "1"),
        ("disability_grade", "A1", "A1"),
        ("infant_checkup", "1歳6ヶ月児健診", "month_18"),
        ("infant_checkup", "1歳6箇月児健康診査", "month_18"),
        ("infant_checkup", "3~4か月児健診", "month_3_4"),
        ("relation", "1", "01"),
        ("relation", "妻(未届)", "14"),
        ("relation", "なし", None),
        ("sex", "不明", "0"),
        ("move_reason", "010", "10"),
    ],
)
def test_a_text_in_other_spellings(
    lists: duckdb.DuckDBPyConnection, code_list: str, text: str, code: str | None
) -> None:
    assert read(lists, code_list, [text]) == [code]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.text(alphabet="身体的心理性虐待なし疑い有無・、 -1ネグレクト", min_size=1, max_size=12), max_size=60
    )
)
def test_whatever_is_written_only_known_words_are_kinds(lists: duckdb.DuckDBPyConnection, words: list[str]) -> None:
    """No text becomes a kind unless it, or each of its parts, is a spelling of the list, number before it or not."""
    comparable = load_macros()["comparable_code"]("text")
    spellings = {
        spelling
        for (spelling,) in lists.execute(
            "select spelling from stg_seeds__code_spellings where code_list = 'abuse_kind' and not is_none"
        ).fetchall()
    }
    for word, code in zip(words, read(lists, "abuse_kind", words), strict=True):
        if code in (None, "none", "unknown"):
            continue
        parts = [re.sub(r"^[0-9]+[ ・、-]*", "", word), word, *re.split(r"[・、 ]", word)]
        comparable_texts = lists.execute(f"select {comparable} from (select unnest(?) as text)", [parts]).fetchall()
        assert {text for (text,) in comparable_texts} & spellings


def test_no_model_reads_a_meaning_from_a_part_of_a_word() -> None:
    """like, regular expressions and searches are not for columns of codes, in whatever layer."""
    names = {name for _, name, _ in CLASSES}
    column = rf"\b(?:{'|'.join(sorted(names))})(?:_label)?\b"
    partly = re.compile(
        rf"{column}\s+(?:not\s+)?i?like\b|{column}\s*~|\b(?:regexp_\w+|contains|starts_with|ends_with|strpos|instr|"
        rf"position|left|right|substr|substring|prefix|suffix)\(\s*(?:\w+\.)?{column}"
    )
    read_partly = [
        f"{path.relative_to(PROJECT)}: {match.group(0)}"
        for path in sorted((PROJECT / "models").rglob("*.sql"))
        for match in partly.finditer(path.read_text(encoding="utf-8"))
    ]
    assert read_partly == []
