"""Lines held to be wrong: where their facts stand in service, and the scores of a child without them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from kodomo.determination.determination import determine
from kodomo.determination.results import Score
from kodomo.determination.service import Connection, in_service
from kodomo.entries.disputes import FACT, FORM, Dispute, Place, answer_id, answers, fact_of
from kodomo.entries.store import EntryStore, Version
from kodomo.home import Home
from kodomo.warehouse import records

_FACTS = "warehouse.marts.fct_observation"


def fact_at(home: Home, place: Place, fact_person_id: str) -> dict[str, Any] | None:
    """The fact of a person at a place, as FACT names its columns, with the place; None where there is none."""
    with in_service(home) as (connection, _):
        rows = records(
            connection,
            f"select * exclude (person_id), person_id as fact_person_id from {_FACTS} "
            "where person_id = ? and delivery_id = ? and line_number = ? and observation_code = ?",
            [fact_person_id, place.delivery_id, place.line_number, place.observation_code],
        )
    return rows[0] if rows else None


def read_disputes(home: Home, store: EntryStore, *, person_id: str | None = None) -> list[Dispute]:
    """The marked lines (about one child), newest first, each with where its fact stands in what is in service."""
    marked = [version for version in store.current(FORM, person_id=person_id) if version.content.get("source_id")]
    if not marked:
        return []
    given = answers(store)
    with in_service(home) as (connection, _):
        return [
            Dispute(version, given.get(answer_id(version.record_id)), _places(connection, version))
            for version in reversed(marked)
        ]


def _places(connection: Connection, version: Version) -> tuple[Place, ...]:
    fact = fact_of(version.content)
    same = " and ".join(f"{'person_id' if name == 'fact_person_id' else name} is not distinct from ?" for name in FACT)
    rows = records(
        connection,
        f"select delivery_id, line_number, observation_code from {_FACTS} where {same} order by all",
        [fact[name] for name in FACT],
    )
    return tuple(place for place in map(Place.of_row, rows) if place is not None)


def scores_without(home: Home, person_id: str, disputes: Iterable[Dispute]) -> tuple[Score, ...]:
    """The scores of a child without the facts of open disputes; ``score_before`` is the one with them.

    Raises UsageError where the person is no child to score, KodomoError where nothing can be read.
    """
    places = frozenset(place for dispute in disputes for place in dispute.places)
    published = (home.published / "current").resolve().name
    return _scores_without(home, published, person_id, places)


@lru_cache(maxsize=256)
def _scores_without(home: Home, _published: str, person_id: str, places: Collection[Place]) -> tuple[Score, ...]:
    return determine(home, person_id, without=places).children[0].scores


def changed_scores(scores: Iterable[Score], labels: Mapping[str, str]) -> list[Score]:
    """Those scores of the types in force (``labels``: by their codes) that differ without the disputed lines."""
    return [
        score
        for score in scores
        if score.difficulty_type in labels and (score.score != score.score_before or score.tier != score.tier_before)
    ]
