"""Shared parts of the pages of entry: user, reach, layout of answers. No value is ever in an address."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import jinja2
from flask import Response, abort, flash, g, redirect, render_template, request
from flask_appbuilder import BaseView
from flask_appbuilder.security.decorators import has_access, permission_name

from kodomo import clock
from kodomo.access.access import read_access
from kodomo.entries.store import ConflictError, UnknownRecordError, Version
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.japanese import japanese_date
from superset_config.audit.kept import note
from superset_config.pages.bell import bell
from superset_config.pages.child_keys import key_of
from superset_config.pages.entry_store import store
from superset_config.pages.menu import HELP_AT, menu_of
from superset_config.pages.reach import MOST_FOUND, Reach, Terms, reach_of_request
from superset_config.pages.words import SAVED_JA, TWICE_JA, WAITING_JA, WAITING_PAGE
from superset_config.security.grants import warning_of

TEMPLATES = Path(__file__).with_name("templates")
ROUTES = ("/entry/", "/kodomo/")
"""Where the addresses of the pages begin."""
OWN_PAGE = b'<html lang="ja">'
"""How each of the pages begins; an answer of another program does not."""
SEARCHED = "children"
"""The page that the search box of every page leads to."""
SEARCH_AT = "/kodomo/children/search"
BUSY_JA = "いまデータを読み込めません。しばらくしてからもう一度お試しください。"
TEXT_LIMIT = 4000
MAX_PURPOSE = 200


def japanese_time(value: dt.datetime | None) -> str:
    """A time that is kept in UTC, as the clock on the wall says."""
    if value is None:
        return "—"
    local = value.replace(tzinfo=dt.UTC).astimezone(clock.JAPAN)
    return f"{japanese_date(local.date())} {local:%H:%M}"


def points(value: Any) -> str:
    """A score or coefficient without zeros that say nothing."""
    if value is None:
        return "—"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_of(value: int) -> str:
    """A number of records: 3,958."""
    return f"{value:,}"


def size_of(value: int) -> str:
    """A number of bytes: 1.2 MB."""
    for unit, bytes_of_unit in (("MB", 2**20), ("KB", 2**10)):
        if value >= bytes_of_unit:
            return f"{value / bytes_of_unit:,.1f} {unit}"
    return f"{value} B"


def sheet_address(person_id: str) -> str:
    """Address of the sheet of a child, for this session and publication."""
    return f"{url_of('child')}{key_of(person_id)}"


FILTERS = {
    "ja_date": lambda value: japanese_date(value) or "—",
    "ja_time": japanese_time,
    "points": points,
    "count_of": count_of,
    "size_of": size_of,
    "sheet_address": sheet_address,
}


@cache
def _printing() -> jinja2.Environment:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    environment.filters.update(FILTERS)
    return environment


def printed(template: str, **context: Any) -> str:
    """A page for printing as HTML; it needs neither Flask nor a request."""
    return _printing().get_template(template).render(**context)


def username() -> str:
    """The user of this request."""
    return g.user.username


def as_pdf(html: str, name: str) -> Response:
    """A printed page as a file to look at; nothing of it stays in the browser's cache."""
    from superset_config.pages.print_queue import WaitingError
    from superset_config.pages.printing import to_pdf

    try:
        content = to_pdf(Home.from_environment(), html, f"{username()} {request.full_path}")
    except WaitingError as error:
        # A page that was asked for by address asks again by itself, and keeps its place.
        again = {"Refresh": "5"} if request.method == "GET" else {}
        return Response(
            WAITING_PAGE.format(text=WAITING_JA.format(place=error.place)),
            202,
            mimetype="text/html",
            headers={**again, "Cache-Control": "no-store"},
        )
    g.kodomo_printed = html
    return Response(
        content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"},
    )


def typed(name: str) -> str:
    """One field of the body as text; 400 for one too long to be typed."""
    text = request.form.get(name, "")
    if len(text) > TEXT_LIMIT or "\0" in text:
        abort(400)
    return text


def typed_date(name: str) -> dt.date | None:
    """One field of the body as a date; None where it is empty or none."""
    try:
        return dt.date.fromisoformat(typed(name).strip())
    except ValueError:
        return None


def page_number(text: str) -> int:
    """The number of a page as an address has it, from 1 on; 1 for what is no number."""
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1


def typed_terms() -> Terms:
    """What was searched for."""
    return Terms(typed("name").strip()[:100], typed_date("birth_on"), typed("number").strip()[:64])


def a_record_id() -> str:
    """The id that came with an empty form: a UUID, or 400."""
    try:
        return str(uuid.UUID(typed("record_id")))
    except ValueError:
        abort(400)


def route(rule: str, *methods: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A route of a page, guarded by permission and by the user's current scope."""
    from flask_appbuilder import expose

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def guarded(self: EntryPage, *arguments: Any, **named: Any) -> Any:
            reach = reach_of_request(self.reach_kind)
            if self.page not in reach.pages():
                abort(403)
            try:
                return function(self, reach, *arguments, **named)
            except UnknownRecordError:
                abort(404)
            except (KodomoError, duckdb.Error) as error:
                return self.show("message.html", reach, message=getattr(error, "ja", BUSY_JA)), 400

        return expose(rule, methods=methods or ("GET",))(has_access(permission_name("use")(guarded)))

    return decorate


class EntryPage(BaseView):
    """A page of entry. ``page`` is its name in access.yml; ``reach_kind`` says whose children it is about."""

    page = ""
    title = ""
    reach_kind: type[Reach] = Reach
    base_permissions: ClassVar[list[str]] = ["can_use"]

    def show(self, template: str, reach: Reach, **context: Any) -> str:
        """Render a template with what every page has; nothing of it may be kept by the browser."""
        return render_template(
            f"entry/{template}",
            title=self.title,
            menu=menu_of(reach, self.page),
            bell=bell(reach),
            help_at=HELP_AT,
            here=self.route_base,
            search_at=SEARCH_AT if SEARCHED in reach.pages() else None,
            who=g.user.first_name or g.user.username,
            today=clock.today(),
            grant_ends=warning_of(g.user.username),
            most_found=MOST_FOUND,
            **context,
        )

    def search(self, reach: Reach, action: str) -> tuple[Terms, list[dict[str, Any]], bool]:
        """Search by the submitted terms and log the access; the children, and whether there are more."""
        terms = typed_terms()
        matches = reach.search(terms)
        shown = matches[:MOST_FOUND]
        store().note_access(
            username(),
            f"{action}_search",
            fields=terms.used,
            found=len(shown),
            shown=[child["person_id"] for child in shown],
        )
        audit(f"{action}_search")
        return terms, shown, len(matches) > MOST_FOUND

    def keep(
        self,
        reach: Reach,
        form: str,
        content: Mapping[str, str],
        *,
        person_id: str | None = None,
        record_id: str | None = None,
        saved: str = SAVED_JA,
    ) -> None:
        """Write a new record of a form, and say so; one that was sent twice stays one.

        ``record_id``: where it is none that came with the empty form. ``saved``: what is said.
        """
        record_id = record_id or a_record_id()
        department = self.department(reach)
        with self.reported_outcome(saved):
            store().create(
                form, content, by=username(), department=department, person_id=person_id, record_id=record_id
            )

    @contextmanager
    def reported_outcome(self, saved: str = SAVED_JA) -> Iterator[None]:
        """Flash that the changes made within were saved, or that a concurrent edit came first."""
        try:
            yield
        except ConflictError:
            flash(TWICE_JA, "warning")
        else:
            flash(saved, "success")

    def back(self) -> Any:
        """Redirect to the start of the page, so that reloading sends nothing again."""
        return redirect(f"{self.route_base}/")

    def department(self, reach: Reach) -> str:
        """The department of the user's entries: of the user's departments one that may open the page."""
        allowed = reach.access.entry_pages[self.page].departments
        return next(department for department in reach.scope.departments if department in allowed)

    def chosen(self, reach: Reach) -> dict[str, Any]:
        """The chosen child; 404 for one outside the user's reach, as for an unknown id."""
        child = reach.child(typed("person_id"))
        if child is None:
            abort(404)
        return child


def url_of(name: str) -> str:
    """Address of a page."""
    return f"{_addresses()[name]}/"


@cache
def _addresses() -> dict[str, str]:
    return {name: page.address for name, page in read_access().entry_pages.items()}


def audit(action: str) -> None:
    """A line in Superset's own log, which administrators read: who did what when, and no value."""
    note(action, g.user.get_id())


def is_mine(version: Version, reach: Reach) -> bool:
    """Whether a record is within reach: of one's own department, and about a child of the scope."""
    if version.department not in reach.scope.departments:
        return False
    about = version.content.get("about_child_id") or version.person_id
    return about is None or reach.child(about) is not None


def is_readable(version: Version, reach: Reach) -> bool:
    """Whether the user may read an entry's text and author: free text may name a refuge.

    The name of an author who works in one area reveals the area.
    """
    child = reach.child(version.content.get("about_child_id") or version.person_id)
    return child is None or not reach.is_withheld(child) or version.entered_by == username()


REFUSED_JA = {
    400: "送られた内容を受け付けられません。前の画面に戻って、もう一度操作してください。",
    403: "この画面を使う権限がありません。担当の登録を子ども若者課に確かめてください。",
    404: "見つかりません。担当の範囲の外か、すでに削除されています。",
    405: "この操作はできません。",
    413: "送られた内容が大きすぎます。ファイルは合わせて 500 MB までです。分けて送ってください。",
}


def explain_refusal(response: Response) -> Response:
    """Pages of entry are kept by no browser, and say in a page of their own why they refuse."""
    if not request.path.startswith(ROUTES):
        return response
    response.headers["Cache-Control"] = "no-store"
    if response.status_code in REFUSED_JA and (response.direct_passthrough or OWN_PAGE not in response.get_data()):
        response.direct_passthrough = False
        response.set_data(printed("refused.html", message=REFUSED_JA[response.status_code]))
        response.mimetype = "text/html"
    return response
