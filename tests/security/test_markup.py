"""Texts of the records are text on every page: whatever a holder writes into one, no page has an element of it."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Iterator

import pytest
import requests

from kodomo.entries.forms import forms
from kodomo.entries.store import EntryStore
from tests.security.attacks import entry_attacks
from tests.security.scratch import CHILDREN, MARKUP
from tests.security.servers import Person, Server
from tests.security.test_child_pages import address_of, post_to
from tests.security.test_entry_pages import printed_text

pytestmark = pytest.mark.slow

WRITTEN = {
    "child_all": {
        "display_name", "kana", "school_name", "area_name", "step_label", "fact_value_label", "item_label", "caution",
        "reason", "support_contents", "observation_label", "typed",
    },
    "steward_child": {"source_label", "status_label"},
}  # fmt: skip
"""Accounts with pages of people and of deliveries, and columns whose texts must stand on one of them."""
KEY = re.compile(r"[\w-]{32,}|\?.*")
SHOWN = re.compile(r"(\w+):(?:P\d{3}|H:\w+|typed)?" + re.escape("&lt;i title="))
SUBJECT = next(child.name for child in CHILDREN if child.area == "mano" and not child.is_protected)


@pytest.fixture(scope="module")
def typed(server: Server) -> str:
    """A child with an entry of every form, each of its texts with an element in it."""
    store = EntryStore(server.home)
    for name in ("paper_case", "assessment", "support_plan", "decision", "support", "person_request", "disputed_line"):
        content = {
            field.name: f"typed:typed{MARKUP}"
            for field in forms()[name].fields
            if field.type == "text" and not field.choices
        }
        store.create(name, {**content, "person_id": SUBJECT}, by="child_all", department="child", person_id=SUBJECT,
                     record_id=str(uuid.uuid4()))  # fmt: skip
    return SUBJECT


def pages_of(person: Person, child: str) -> Iterator[tuple[str, requests.Response]]:
    """What the project's own pages answer: each form about a child, and what the links of the answers lead to."""
    answered = [(attack.name, attack.send(person)) for attack in entry_attacks([child])]
    opened: set[str] = set()
    while answered:
        name, answer = answered.pop()
        yield name, answer
        for link in re.findall(r'href="(/(?:entry|kodomo)/[^"#]*)"', answer.text):
            kind = KEY.sub("*", link)
            if kind not in opened:
                opened.add(kind)
                answered.append((f"GET {kind}", person.get(html.unescape(link))))


@pytest.mark.parametrize("username", list(WRITTEN))
def test_own_pages_show_markup_as_text(server: Server, typed: str, username: str) -> None:
    person = server.person(username)
    own = person.seen.children() or {typed}
    shown: set[str] = set()
    failures = []
    for name, answer in pages_of(person, typed if typed in own else min(own)):
        assert answer.status_code < 500, name
        if "html" in answer.headers.get("Content-Type", "") and MARKUP[:8] in answer.text:
            place = answer.text.index(MARKUP[:8])
            failures.append(f"{name}: {answer.text[place - 60 : place + 20]}")
        shown |= set(SHOWN.findall(answer.text))
    assert not failures, "\n".join(failures[:20])
    assert shown >= WRITTEN[username]


def test_paper_shows_markup_as_text(server: Server, typed: str) -> None:
    person = server.person("child_all")
    text = printed_text(post_to(person, address_of(person, typed), purpose=f"確認{MARKUP}"))
    assert f"display_name:{typed}{MARKUP.replace(' ', '')}" in text
    assert f"確認{MARKUP.replace(' ', '')}" in text


@pytest.mark.parametrize(("table", "column"), [("bi_child", "display_name"), ("bi_reject", "file_name")])
def test_answers_of_superset_with_markup_are_no_pages(server: Server, table: str, column: str) -> None:
    """The type of an answer says that it is data, and a browser does not look for another."""
    person = server.person("child_all" if table == "bi_child" else "steward_child")
    for form, kind in (("json", "application/json"), ("csv", "text/csv")):
        body = {
            "datasource": {"id": server.datasets()[table], "type": "table"},
            "queries": [{"columns": [column], "metrics": [], "row_limit": 100}],
            "result_format": form, "result_type": "full",
        }  # fmt: skip
        answer = person.send("POST", "/api/v1/chart/data", json=body)
        assert "<i title=" in answer.text
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
