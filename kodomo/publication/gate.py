"""The last gate: the children about to be published, beside those in service.

A register that was cut, a join that lost people or an area that was read wrong shows here, whatever its cause: more
children of an age or an area are missing than chance explains. Nothing is published until the cause is mended, or an
operator accepts the loss with a reason; who has accepted what stays in ``raw.publication_acceptances``.
"""

from __future__ import annotations

import duckdb

from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.ingest.losses import DAYS_OF_A_YEAR, Loss, load_limits, losses
from kodomo.publication.publication import EVERYTHING, current
from kodomo.publication.tables import MARTS, columns_of, literal
from kodomo.warehouse import connect, explain_open_error, migrate

COMPARED = "publication"
_NEEDED = {"person_id", "birth_on", "age_months", "area_code", "is_unborn"}


def missing_children(home: Home) -> list[Loss]:
    """What the children of the last build have lost against those in service; empty where nothing is in service.

    Ages are those of the as-of date of the build: who has grown up is not missing. Raises WarehouseBusyError.
    """
    folder = current(home)
    if folder is None:
        return []
    limits = load_limits(COMPARED)
    ages = [age for limit in limits for age in (limit.from_age, limit.to_age) if age is not None]
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(folder / EVERYTHING))} as served (read_only)")
        try:
            connection.execute(f"attach {literal(str(home.warehouse))} as built (read_only)")
        except duckdb.IOException as error:
            raise explain_open_error(error) from error
        tables = [columns_of(connection, name, MARTS) for name in ("served", "built")]
        has_date = "run_parameters" in columns_of(connection, "built", "raw")
        if not has_date or not all(table.get("dim_child", {}).keys() >= _NEEDED for table in tables):
            # Published or built by a version without it: nothing to compare.
            return []
        rows = connection.execute(
            f"""
            with dates as (
                select
                    (select any_value(as_of_on) from built.raw.run_parameters) as built_on,
                    (select max(birth_on + to_months(age_months::integer))::date from served.{MARTS}.dim_child
                    where not is_unborn) as served_on
            ),
            children as (
                select served.*, datesub('month', served.birth_on, dates.built_on) // 12 as age
                from served.{MARTS}.dim_child as served
                cross join dates
                where not served.is_unborn and served.birth_on <= dates.built_on
            )
            select
                children.age,
                children.area_code,
                still.person_id is null as is_missing,
                still.area_code is distinct from children.area_code as is_missing_there,
                abs(date_diff('day', dates.served_on, dates.built_on)) as days
            from children
            cross join dates
            left join built.{MARTS}.dim_child as still on children.person_id = still.person_id
            where children.age between ? and ?
            """,
            [min(ages), max(ages)],
        ).fetchall()
    return losses(limits, [row[:4] for row in rows], (rows[0][4] if rows else 0) / DAYS_OF_A_YEAR)


def unaccepted(home: Home) -> list[Loss]:
    """The losses that hold the publication: those not accepted, or grown since they were."""
    losing = missing_children(home)
    folder = current(home)
    if not losing or folder is None:
        return []
    with connect(home) as connection:
        migrate(connection)
        accepted = connection.execute(
            "select grouped_by, group_name, max(missing_count) from raw.publication_acceptances "
            "where in_service = ? group by all",
            [folder.name],
        ).fetchall()
    most = {(kind, name): missing for kind, name, missing in accepted}
    return [loss for loss in losing if loss.missing > most.get((loss.grouped_by, loss.group), -1)]


def accept(home: Home, reason: str, accepted_by: str) -> list[Loss]:
    """Accept what holds the publication of the last build; the next run publishes. Returns what was accepted.

    It holds for what is in service now, and no further than it goes now. Raises UsageError without a reason, or where
    nothing is held.
    """
    if not reason.strip():
        raise UsageError("A decision needs its reason: --reason TEXT.")
    held = unaccepted(home)
    folder = current(home)
    if not held or folder is None:
        raise UsageError("No children are missing from the last build: there is nothing to accept.")
    with connect(home) as connection:
        migrate(connection)
        connection.executemany(
            "insert into raw.publication_acceptances by name select ? as in_service, ? as grouped_by, "
            "? as group_name, ? as people_count, ? as missing_count, ? as accepted_by, ? as reason, "
            "now()::timestamp as accepted_at",
            [
                [folder.name, loss.grouped_by, loss.group, loss.people, loss.missing, accepted_by, reason]
                for loss in held
            ],
        )
    return held
