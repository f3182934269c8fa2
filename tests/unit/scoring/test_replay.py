"""Compiled SQL is pointed at another database by its tokens; nothing else of it changes."""

from __future__ import annotations

import pytest

from kodomo.scoring.replay import CompiledModels, moved_to, references

SQL = """
-- 子どもの "warehouse"."marts"."dim_child" を読む
select '"warehouse"."marts"."dim_child"' as text, children.*  -- "warehouse"."raw"."x"
from "warehouse"."marts"."dim_child" as children
inner join "warehouse"."seeds"."areas" as areas using (area_code)
where "warehouse" is null or 氏名 = '宛名№' or exists (select 1 from "warehouse"."marts"."dim_child")
"""


def test_names_are_read_outside_texts_and_comments() -> None:
    assert [name for _, _, name in references(SQL)] == ["marts.dim_child", "seeds.areas", "marts.dim_child"]
    assert {SQL[start:end] for start, end, _ in references(SQL)} == {'"warehouse"'}
    assert CompiledModels({"marts.x": SQL}).parents == {"marts.x": {"marts.dim_child", "seeds.areas"}}


def test_only_relations_that_moved_are_read_elsewhere() -> None:
    moved = moved_to(SQL, "scratch", {"marts.dim_child"})
    assert moved.count('"scratch"."marts"."dim_child"') == 2
    assert moved.replace('"scratch"', '"warehouse"') == SQL
    assert '"warehouse"."seeds"."areas"' in moved


@pytest.mark.parametrize("relations", [set(), {"marts.another"}])
def test_statement_without_a_moved_relation_stays_as_it_is(relations: set[str]) -> None:
    assert moved_to(SQL, "scratch", relations) == SQL
