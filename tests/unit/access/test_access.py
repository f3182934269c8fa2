"""The rules of access.yml: complete, and the same for files, roles and rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.access.access import export_scope, read_access, row_conditions
from kodomo.access.scope import NO_SCOPE, Scope, all_areas
from kodomo.access.staff import DEMO_STAFF, read_staff
from kodomo.errors import KodomoError
from superset_config.asset_files import read_models
from superset_config.security.rules import BASE, DENY, roles, rules

ACCESS = read_access()


def test_every_bi_table_has_a_rule() -> None:
    assert set(read_models()) <= set(ACCESS.tables)


def test_every_column_that_may_tell_a_place_is_withheld() -> None:
    places = ("area", "address", "postcode", "school", "facility", "household", "residence", "lived_together", "path")
    words = (*places, "delivery", "line_number", "evidence")
    for table, (_, columns) in read_models().items():
        if "protection" in ACCESS.tables[table]["rows"]:
            telling = {name for name in columns if any(word in name for word in words)}
            assert telling <= set(ACCESS.place_columns), table


def test_columns_that_rules_name_exist() -> None:
    models = read_models()
    for audience in ACCESS.audiences.values():
        for table, grant in audience.grants.items():
            if table in models and audience.name not in {"social_council"}:
                unknown = {*grant.without, *grant.pseudonyms} - set(models[table][1])
                assert not unknown - {"birth_on", "kana", "household_id"}, (audience.name, table)


@pytest.mark.parametrize("dimension", ["area", "department", "duty"])
def test_a_deny_rule_stands_under_every_dimension_of_every_table(dimension: str) -> None:
    tables = {table.name for table in ACCESS.published_tables() if not table.is_for_pages}
    denied = {
        name
        for rule in rules(ACCESS)
        if rule.group == dimension and rule.kind == BASE and rule.clause == DENY
        for name in rule.tables
    }
    assert denied == tables


def test_a_rule_of_protection_stands_under_every_table_of_people() -> None:
    of_people = {table.name for table in ACCESS.published_tables() if "area" in table.rows and not table.is_for_pages}
    covered = {name for rule in rules(ACCESS) if rule.group == "protection" for name in rule.tables}
    assert covered == of_people


def test_table_for_pages_is_nowhere_in_superset() -> None:
    names = {table.name for table in ACCESS.published_tables() if table.is_for_pages}
    assert {name.partition("__")[0] for name in names} == ACCESS.tables_for_pages >= {"bi_chain_step"}
    assert not names & {name for rule in rules(ACCESS) for name in rule.tables}
    assert not names & {name for role in roles(ACCESS) for name in role.tables}
    # The file of a scope has them for the pages.
    scope = Scope.of(["child"], all_areas(), ["case_worker"])
    assert names & {table.name for table in ACCESS.tables_for(scope)}


def test_rules_and_tables_name_roles_that_exist() -> None:
    names = {role.name for role in roles(ACCESS)}
    assert {name for rule in rules(ACCESS) for name in rule.roles} <= names
    assert {f"area_{area}" for area in all_areas()} <= names
    assert {f"dept_{department}" for department in ACCESS.departments_ja} <= names
    assert {"duty_case_worker", "duty_steward", "duty_analyst", "duty_executive", "dv_authorised", "admin"} <= names


def test_no_role_may_program() -> None:
    given = {permission for role in roles(ACCESS) for permission in role.permissions}
    forbidden = {"SQLLab", "Database", "SavedQuery", "RowLevelSecurity", "Role", "ImportExportRestApi"}
    assert not {view for _, view in given} & forbidden
    assert not {name for name, _ in given if name.startswith("all_")}


def test_only_the_audience_without_names_may_explore() -> None:
    exploring = [audience for audience in ACCESS.audiences.values() if audience.may_explore]
    assert [audience.name for audience in exploring] == ["analyst"]
    for grant in exploring[0].grants.values():
        assert "person_id" not in grant.pseudonyms or {"display_name", "child_label"} & set(grant.without)
    for role in roles(ACCESS):
        written = {view for name, view in role.permissions if name == "can_write"} - {"DashboardFilterStateRestApi"}
        explores = {"Chart", "Dashboard", "ExploreFormDataRestApi"} if role.name == exploring[0].role else set()
        assert written == explores, role.name
        assert any(view == "Explore" for _, view in role.permissions) == bool(explores), role.name


def test_a_scope_survives_its_roles() -> None:
    for member in read_staff(DEMO_STAFF, ACCESS):
        assert Scope.from_roles(member.roles(ACCESS)).key == member.scope.key


def test_the_demo_covers_every_role() -> None:
    given = {name for member in read_staff(DEMO_STAFF, ACCESS) for name in member.roles(ACCESS)}
    assert {role.name for role in roles(ACCESS)} - given == {"Public"}


@pytest.mark.parametrize(
    ("departments", "areas", "duties"),
    [([], ["*"], ["case_worker"]), (["child"], [], ["case_worker"]), (["child"], ["*"], [])],
)
def test_a_missing_dimension_is_no_scope(departments: list[str], areas: list[str], duties: list[str]) -> None:
    scope = Scope.of(departments, areas, duties, True)
    assert scope.key == NO_SCOPE
    assert not ACCESS.tables_for(scope)


def test_the_seven_areas_are_all() -> None:
    assert Scope.of(["child"], all_areas(), ["case_worker"]) == Scope.of(["child"], ["*"], ["case_worker"])
    assert not Scope.from_roles(["dept_child", "area_all", "area_ryotsu", "duty_case_worker"]).has_all_areas


def test_a_limited_scope_names_its_areas_in_every_condition() -> None:
    scope = Scope.of(["child"], ["ryotsu"], ["case_worker"])
    for table in ACCESS.tables_for(scope):
        if "area" in table.rows:
            assert "area_code in ('ryotsu')" in row_conditions(table, scope)


def test_the_export_scope_sees_all_that_the_child_department_may() -> None:
    assert export_scope(ACCESS).has_all_areas
    assert export_scope(ACCESS).is_dv_authorised


HEADING = "username,display_name,department,areas,duties,is_dv_authorised\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Aoi,x,child,*,case_worker,0", "user name"),
        ("aoi,x,unknown,*,case_worker,0", "department"),
        ("aoi,x,child,tokyo,case_worker,0", "areas"),
        ("aoi,x,child,*,boss,0", "duties"),
        ("aoi,x,child,*,case_worker,perhaps", "is_dv_authorised"),
        ("aoi,x,child,*,case_worker", "fields"),
        ("aoi,x,child,*,case_worker,0,extra", "fields"),
    ],
)
def test_a_line_that_is_not_understood_is_named_and_nothing_is_guessed(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "staff.csv"
    path.write_text(HEADING + line + "\n", encoding="utf-8")
    with pytest.raises(KodomoError, match=f"line 2: .*{message}"):
        read_staff(path, ACCESS)


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "staff.csv"
    path.write_text(HEADING + "aoi,x,child,*,case_worker,0\n" * 2, encoding="utf-8")
    with pytest.raises(KodomoError, match="line 3"):
        read_staff(path, ACCESS)
