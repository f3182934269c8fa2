"""The people whose place is withheld, by the publication in service (``kodomo.access.places`` has the decision)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import duckdb

from kodomo.access.places import withheld_among, withheld_people
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


def _in_service(home: Home, decide: Callable[[Any], set[str]]) -> set[str]:
    file = exported_file(home)
    if file is None:
        raise KodomoError("Nothing has been published yet: run `kodomo run --landing DIR --as-of DATE` first.")
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            return decide(connection)
    except duckdb.Error as error:
        raise FaultError("publication_everything", name=file.parent.name) from error
