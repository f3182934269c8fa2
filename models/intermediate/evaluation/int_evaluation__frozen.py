"""The children of twelve months before the as-of date, as a batch of that day would have seen them.

Grain: one row per child.
"""


def model(dbt, session):
    """Run the scoring models again for the earlier date, beside the warehouse."""
    dbt.config(materialized="replaced_table")
    from kodomo.evaluation.frozen import OUTCOME_MONTHS, freeze
    from kodomo.scoring.replay import CompiledModels, home_of_dbt

    # Everything that is executed again has been compiled once these are built.
    dbt.ref("int_risk__scores")
    dbt.ref("int_risk__contributions")
    dbt.ref("int_risk__met_bands")
    dbt.ref("int_risk__scope_members")
    dbt.ref("int_child__profiles")
    dbt.ref("int_person__pregnancies")
    dbt.ref("int_observations__all")
    parameters = dbt.source("run", "run_parameters")
    frozen_on = parameters.project(f"cast(as_of_on - interval {OUTCOME_MONTHS} month as date)").fetchall()[0][0]
    cursor = session.cursor()
    freeze(cursor, CompiledModels.of_last_build(home_of_dbt()), frozen_on)
    return cursor.sql("select * from frozen").to_arrow_table()
