"""A line in Superset's log for every answer that shows a person, with all people in it, whatever leads to it."""

from __future__ import annotations

import hashlib
import json
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
from flask import Flask, Response, g, request
from flask_login import current_user

from kodomo.access.access import read_access
from kodomo.access.scope import Scope
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.publication import file_of
from kodomo.publication.publication import EVERYTHING
from kodomo.publication.tables import pseudonym_key
from superset_config.audit.kept import ANSWERED, GROUP, conditions_of, deferred_lines, write_line
from superset_config.audit.people import Index, behind_pseudonyms, people_in, people_of, texts_of
from superset_config.security.files import OPEN_FILES, place_of_request

FEW = 20
"""More people than these are kept once as a group, to which lines refer: a list is opened many times."""
_WITHOUT_PEOPLE = (
    "/static/", "/health", "/ping", "/api/v1/log/", "/api/v1/menu/", "/superset/language_pack/", "/superset/log/",
    "/superset/dashboard/", "/dashboard/", "/login/", "/logout/",
)  # fmt: skip
_READ = {
    "application/json", "text/csv", "text/html", "application/pdf", "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
_EXPORTED = {"text/csv": "csv", "application/pdf": "pdf"}
_kept_groups: set[str] = set()


def install(app: Flask) -> None:
    """Look at every answer after it was made; its lines are written then, with the people in it."""

    @app.after_request
    def keep_lines(response: Response) -> Response:
        lines = deferred_lines()
        try:
            people = _people_of(response) if current_user.is_authenticated else set()
        except Exception:  # an answer that cannot be read is no reason to leave out its line
            logging.getLogger(__name__).exception("the people of an answer are not in the log")
            people = set()
        if people and not any(line["action"] in ANSWERED for line in lines):
            lines.append({"action": "answer", "user_id": current_user.get_id(), "kept": {}})
        for line in lines:
            if line["action"] in ANSWERED:
                line["kept"] = _with_people(line["kept"], people, response.mimetype)
            write_line(**line)
        return response


def _with_people(kept: dict[str, Any], people: set[str], mimetype: str) -> dict[str, Any]:
    kept = {"page": _page_of_request(), **kept}
    kept.setdefault("format", _EXPORTED.get(mimetype or ""))
    if request.path.startswith("/datasource/") and (number := request.args.get("datasource_id", "")).isdigit():
        kept.setdefault("dataset", int(number))
    source = body.get("datasource") if isinstance(body := _body(), dict) else None
    if isinstance(source, dict) and str(source.get("id")).isdigit():
        kept.setdefault("dataset", int(source["id"]))
    if len(people) <= FEW:
        kept["people"] = sorted(people)
    else:
        kept |= {"group": _group(sorted(people)), "count": len(people)}
    return {name: value for name, value in kept.items() if value}


def _page_of_request() -> str | None:
    """The name of the page that this request is for; None for an address of Superset."""
    pages = (page for page in read_access().entry_pages.values() if f"{request.path}/".startswith(f"{page.address}/"))
    # The start page has the address that others begin with.
    nearest = max(pages, key=lambda page: len(page.address), default=None)
    return nearest.name if nearest else None


def _group(people: list[str]) -> str:
    """The name of a group of people; the first line of it in this process holds them all."""
    digest = hashlib.sha256("|".join(people).encode()).hexdigest()[:32]
    if digest not in _kept_groups:
        write_line(GROUP, None, {"group": digest, "people": people})
        _kept_groups.add(digest)
    return digest


def _people_of(response: Response) -> set[str]:
    is_answer = response.status_code < 400 or response.status_code in {409, 422}
    if not is_answer or response.mimetype not in _READ or request.path.startswith(_WITHOUT_PEOPLE):
        return set()
    index = index_of_request()
    if not index:
        return set()
    asked = people_in((value for _, values in conditions_of(_body()) for value in values), index)
    if response.mimetype == "application/pdf":
        # What was printed, as a page.
        return asked | people_in(texts_of(g.get("kodomo_printed", "").encode(), "text/html"), index)
    if response.is_streamed or response.direct_passthrough:
        return asked
    return asked | people_in(texts_of(response.get_data(), response.mimetype), index)


def _body() -> Any:
    if request.is_json:
        return request.get_json(silent=True)
    try:
        return json.loads(request.form.get("form_data") or "null")
    except ValueError:
        return None


def index_of_request() -> Index:
    """The people whom the user of this request may see, by what names them; empty where there are none."""
    from flask import current_app

    home = Home.from_environment()
    place = place_of_request(home, current_app.appbuilder.sm)
    scope = Scope.from_roles(place.roles)
    file = file_of(place.folder, scope)
    if file is None:
        return {}
    try:
        real = file.resolve()
        return _index_of(real, real.stat().st_mtime_ns, scope, home.pseudonym_key)
    except (duckdb.Error, OSError, KodomoError):
        # Then there is nothing to read in it either.
        return {}


@lru_cache(maxsize=16)
def _index_of(file: Path, _changed: int, scope: Scope, key_file: Path) -> Index:
    tables = read_access().tables_for(scope)
    with OPEN_FILES.cursor(str(file)) as connection:
        index = people_of(connection, tables)
    if any(table.grant.pseudonyms for table in tables):
        return behind_pseudonyms(index, file.parent / EVERYTHING, pseudonym_key(key_file))
    return index
