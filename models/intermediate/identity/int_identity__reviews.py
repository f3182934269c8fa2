"""Decisions of people about who is who, as in force now: the last one per record. Grain: source_id, source_key."""


def model(dbt, session):
    """Read the decisions of the home folder and of the entry form; an undone one is as if never made."""
    dbt.config(materialized="replaced_table")
    from kodomo.linkage.reviews import reviews_in_force

    return reviews_in_force(session)
