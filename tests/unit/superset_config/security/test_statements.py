"""What wall B takes for a question, and what it does not."""

from __future__ import annotations

import pytest

from superset_config.asset_files import read_assets
from superset_config.security.statements import StatementRefusedError, check_statement

TABLES = {"bi_child", "bi_trend"}

ALLOWED = [
    "SELECT count(*) AS n FROM main.bi_child WHERE (area_code = 'x') GROUP BY tier ORDER BY n DESC LIMIT 10",
    "SELECT DATE_TRUNC('MONTH', as_of_on) AS m, sum(children) FROM main.bi_trend "
    "WHERE as_of_on >= CAST('2026-01-01' AS DATE) GROUP BY DATE_TRUNC('MONTH', as_of_on)",
    "SELECT DATE_TRUNC('DAY', as_of_on) AS d FROM bi_trend WHERE as_of_on >= TIMESTAMP '2020-01-01 00:00:00'",
    "SELECT count(*) filter (where tier = 'high') AS x FROM bi_child HAVING count(*) > 1",
    "SELECT least(5, floor(avg(case when tier_rank >= 2 then 1.0 else 0.0 end) * 20)) AS y FROM bi_child",
    "SELECT COUNT(*) AS rowcount FROM (SELECT a FROM main.bi_child) AS rowcount_qry LIMIT 1",
    "SELECT x FROM main.bi_child JOIN (SELECT tier AS t__, sum(x) AS m__ FROM main.bi_child GROUP BY tier "
    "ORDER BY m__ DESC LIMIT 3) AS series_limit ON tier = t__",
    'SELECT "display_name" FROM "main"."bi_child" WHERE lower(kana) LIKE \'%a%\' AND x IN (1, 2)',
]
REFUSED = [
    "",
    "SUMMARIZE bi_child",
    "DESCRIBE bi_child",
    "SHOW TABLES",
    "PIVOT bi_child ON tier",
    "TABLE bi_child",
    "VALUES (1)",
    "EXPLAIN SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT * FROM bi_other",
    "SELECT * FROM BI_CHILD",
    'SELECT * FROM "Bi_Child"',
    "SELECT * FROM everything.main.bi_child",
    "SELECT * FROM marts.bi_child",
    "SELECT everything.main.bi_child.x FROM bi_child",
    "SELECT * FROM (SUMMARIZE bi_child)",
    "SELECT * FROM (DESCRIBE bi_child)",
    "SELECT * FROM (PIVOT bi_child ON tier)",
    "SELECT * FROM query('from bi_child')",
    "SELECT * FROM query_table('bi_child')",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM glob('*')",
    "SELECT * FROM generate_series(1, 10)",
    "SELECT getenv('HOME')",
    "SELECT current_setting('x')",
    "SELECT version()",
    "SELECT current_user",
    "WITH bi_child AS (SELECT 1) SELECT * FROM bi_child",
    "SELECT * FROM bi_child UNION ALL SELECT * FROM bi_child",
    "SELECT * FROM bi_child EXCEPT SELECT * FROM bi_child",
    "SELECT * EXCLUDE (a) FROM bi_child",
    "SELECT COLUMNS('x.*') FROM bi_child",
    "SELECT * FROM bi_child TABLESAMPLE 10%",
    "SELECT row_number() OVER () FROM bi_child",
    "SELECT list(x) FROM bi_child",
    "SELECT unnest([1])",
    "SELECT x::json FROM bi_child",
    "SELECT {'a': 1}",
    "SELECT list_transform([1], lambda x: x)",
    "SELECT * FROM bi_child FOR UPDATE",
    "SELECT * FROM bi_child AT (VERSION => 1)",
    "SELECT * FROM bi_child, LATERAL (SELECT 1)",
    "SELECT * FROM bi_child WHERE x = $1",
    "SELECT * FROM bi_child\0",
    "ATTACH 'x'",
    "SET a = 1",
    "PRAGMA database_list",
    "COPY bi_child TO 'x'",
    "CREATE TABLE x AS FROM bi_child",
    "INSERT INTO bi_child VALUES (1)",
    "CALL pragma_version()",
    "INSTALL httpfs",
    "SELECT " + "(" * 2000 + "1" + ")" * 2000,
    "SELECT '" + "x" * 200_000 + "'",
    "SELECT a" + "[1]" * 700 + " FROM bi_child",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_questions_of_charts_are_allowed(sql: str) -> None:
    check_statement(sql, TABLES)


@pytest.mark.parametrize("sql", REFUSED)
def test_everything_else_is_refused(sql: str) -> None:
    with pytest.raises(StatementRefusedError):
        check_statement(sql, TABLES)


def test_every_saved_metric_is_allowed() -> None:
    for name, dataset in read_assets().datasets.items():
        for metric in dataset.metrics.values():
            check_statement(f"SELECT {metric['expression']} AS m FROM main.{name}", {name})
