"""The recall of a version from what is in service, for pages: the warehouse belongs to the run."""

from __future__ import annotations

import duckdb

from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.publication.publication import exported_file
from kodomo.publication.tables import literal
from kodomo.scoring.recall import Recall, recall_from


def recall_in_service(home: Home, version: str) -> Recall:
    """Whom a version touched, by the publication in service. Raises KodomoError where it scored no child."""
    file = exported_file(home)
    if file is None:
        raise KodomoError("Nothing has been published yet: run `kodomo run --landing DIR --as-of DATE` first.")
    with duckdb.connect() as connection:
        # Nothing about people is written beside the home.
        connection.execute("set temp_directory = ''")
        connection.execute(f"attach {literal(str(file.resolve()))} as publication (read_only)")
        connection.execute("use publication")
        return recall_from(connection, home, version)
