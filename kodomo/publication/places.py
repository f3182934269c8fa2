"""The people whose place is withheld, by the publication in service (``kodomo.access.places`` has the decision)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import duckdb

from kodomo.access.places import measured_among, withheld_among, withheld_from_leavers, withheld_people
from kodomo.errors import KodomoError
from kodomo.faults import FaultError
from kodomo.home import Home
from kodomo.publication.publication import exported_file


def withheld_places(home: Home, person_ids: Collection[str], entered: Collection[str] = ()) -> set[str]:
    """Of these people, those whose address, area, school and household stay withheld from the unauthorised.

    ``entered``: the people of measures that staff typed since. A person that the publication does not know is
    withheld. Raises KodomoError before the first publication.
    """
    return _in_service(home, lambda connection: withheld_among(connection, person_ids, entered))


def everyone_withheld(home: Home, entered: Collection[str] = ()) -> set[str]:
    """Everyone in service whose place stays withheld from the unauthorised. Raises as ``withheld_places``."""
    return _in_service(home, lambda connection: withheld_people(connection, entered))


def withheld_leavers(home: Home, entered: Collection[str] = ()) -> set[str]:
    """Children who left whose place stays withheld from the unauthorised. Raises as ``withheld_places``."""
    return _in_service(home, lambda connection: withheld_from_leavers(connection, entered))


def may_be_handed(home: Home, child_id: str, reader_id: str, entered: Collection[str] = ()) -> bool:
    """Whether a document about a child may be handed to a reader.

    Of a child whose place is withheld, only to the child and to people under a measure of their own: who only lives
    in the same household by the register may be the person whom the measure is against. Raises as ``withheld_places``.
    """

    def decide(connection: Any) -> set[str]:
        if reader_id == child_id or not withheld_among(connection, [child_id], entered):
            return {reader_id}
        return measured_among(connection, [reader_id], entered)

    return reader_id in _in_service(home, decide)


def _in_service(home: Home, decide: Callable[[Any], set[str]]) -> set[str]:
    file = exported_file(home)
    if file is None:
        raise KodomoError("Nothing has been published yet: run `kodomo run --landing DIR --as-of DATE` first.")
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            return decide(connection)
    except duckdb.Error as error:
        raise FaultError("publication_everything", name=file.parent.name) from error
