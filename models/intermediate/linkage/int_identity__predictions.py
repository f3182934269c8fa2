"""Scored pairs of external records and people of the register, and what the machine makes of them.

Grain: one row per source_id, source_key and person_id (candidates that nothing speaks for are left out).
"""


def model(dbt, session):
    """Score what is new or changed; keep the links already made."""
    dbt.config(materialized="replaced_table")
    from kodomo.linkage.predict import predict

    records = dbt.ref("int_identity__external_records")
    versions = dbt.ref("int_identity__register_versions")
    households = dbt.ref("int_identity__household_names")
    reviews = dbt.ref("int_identity__reviews")
    numbers = dbt.ref("int_identity__numbers")
    return predict(session, records, versions, households, reviews, previous=str(dbt.this), numbers=numbers)
