"""Every output of the product, from its routes and its commands: none tells the unauthorised where a family hides."""

from __future__ import annotations

import functools
import html
import io
import json
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import openpyxl
import pytest
import requests
import typer
from click.testing import CliRunner
from pypdf import PdfReader

from kodomo.access.access import read_access
from kodomo.access.staff import DEMO_STAFF, read_staff
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from orchestration import cli
from superset_config.asset_files import read_assets
from tests.conftest import AS_OF
from tests.e2e.families import Family, protected_families
from tests.security.servers import Person, Server, routes_of

pytestmark = pytest.mark.slow

STAFF = {member.username: member for member in read_staff(DEMO_STAFF, read_access())}
# One account of each kind without authorisation that sees children, figures of them, or what was done.
ACCOUNTS = [
    "child_all_nodv", "child_kanai", "health_all", "education_all", "council_all", "analyst_all", "partner",
    "steward_child", "admin",
]  # fmt: skip
READS_EVERYTHING = {"child_all_nodv", "admin"}
"""Accounts that ask for every address of Superset as well; the others for their tables."""
AUTHORISED = "child_all"
# Where the project's own pages are; Superset's are asked for with what stands for a part of an address.
OWN = ("/entry/", "/kodomo/", "/data-docs/")
ENDS_THE_SESSION = {"/logout/", "/login/", "/login/logout/", "/superset/logout/", "/lang/<string:locale>"}
# Parts of addresses of the project's own pages that are no id of a person or of a record.
NAMED_PARTS = {"path": "index.html", "code": "ryotsu", "source_id": "resident_register"}
FORMS = (
    "decision", "support", "paper_case", "person_request", "support_measure", "assessment", "support_plan",
    "disputed_line", "visit", "status_check", "benefit_check",
)  # fmt: skip
"""Forms of which there is a record about each family."""
PAGE_OF = {"decision": "meeting", "support": "meeting", "determination": "assess"}
"""Pages whose address does not name the form of their records."""
TELLS_NOBODY = {
    "/data-docs/<path:name>": "results of checks without values, for stewards; no site lies beside this copy of a home",
    "/entry/code_decision/decide": "leads back to the page: nothing of a person is sent or shown",
    **dict.fromkeys(
        (
            f"/entry/delivery_decision/{part}"
            for part in (
                "decide",
                "undo",
                "upload",
                "file/<uuid:upload_id>",
                "file/<uuid:upload_id>/again",
                "file/<uuid:upload_id>/hand_over",
                "file/<uuid:upload_id>/throw_away",
                "of/<string:delivery_id>",
                "of/<string:delivery_id>/rejects",
            )
        ),
        "is about a file of a holder, not about a person: test_delivery_pages asks for it",
    ),
    "/entry/disputed_line/answer": "leads back to the page of marked lines, which is asked for itself",
    **dict.fromkeys(
        (
            "/entry/handover/<uuid:record_id>",
            "/entry/handover/<uuid:record_id>/delete",
            "/entry/handover/new",
            "/entry/handover/save",
            "/kodomo/leavers/<key>/support/<uuid:record_id>",
        ),
        "is about children who left, of whom this city has none that is protected: test_leaver_pages asks for them",
    ),
    **dict.fromkeys(
        (
            f"/kodomo/models/<uuid:draft_id>{part}"
            for part in (
                "",
                "/coefficients",
                "/thresholds",
                "/override",
                "/group",
                "/item",
                "/combination",
                "/support_priority_rules",
                "/support_rules",
                "/comment",
                "/submit",
                "/withdraw",
                "/past",
            )
        ),
        "figures of the city: test_model_page asks for them, and looks for names, ids and small counts",
    ),
    **dict.fromkeys(
        ("/kodomo/models/card/<string:version>.pdf", "/kodomo/model-approval/card/<string:version>.pdf"),
        "figures of the city by version: test_model_page asks for it, and looks for names and small counts",
    ),
    "/kodomo/models/compare": "rows of two drafts, which hold no person: test_model_page asks for it",
    **dict.fromkeys(
        (
            f"/kodomo/model-approval/{part}"
            for part in (
                "",
                "recall",
                "retire",
                "cancel",
                "<uuid:draft_id>",
                "<uuid:draft_id>/past",
                "<uuid:draft_id>/approve",
                "<uuid:draft_id>/return",
            )
        ),
        "is for approvers: figures of the city, and the document of a recall, which test_model_page looks into",
    ),
    **dict.fromkeys(
        ("/kodomo/models/<uuid:draft_id>/names", "/kodomo/model-approval/<uuid:draft_id>/names"),
        "is about a draft, which this city has none of: test_model_page asks for it and looks for withheld places",
    ),
    "/kodomo/known-cases/give-up": "leads back to the page, which is asked for itself",
    "/kodomo/models/new": "takes no person, and leads to the draft: test_model_page asks for it",
    "/entry/link_review/decide": "leads back to the page of pairs, which is asked for itself",
    "/entry/link_review/decide_several": "leads back to the page of pairs, which is asked for itself",
    "/kodomo/quality-tasks/decide": "leads back to the list of tasks, which is asked for itself",
    **dict.fromkeys(
        (
            "/entry/area_resource/<uuid:record_id>",
            "/entry/area_resource/<uuid:record_id>/check",
            "/entry/area_resource/<uuid:record_id>/delete",
        ),
        "is about a place, and no child is in it: test_area_pages asks for them",
    ),
    **dict.fromkeys(
        ("/kodomo/factors/", "/kodomo/factors/reset"),
        "is for administrators: names of accounts, and no child; test_second_factor asks for it",
    ),
    "/kodomo/notices/open": "leads to the sheet of a child, which is asked for itself",
    "/kodomo/children/save": "leads back to the list, which is asked for itself",
    "/kodomo/children/saved/<uuid:record_id>/remove": "leads back to the list, which is asked for itself",
}
"""Own routes that the authorised account is not answered by in this test, with the reason."""


@pytest.fixture(scope="module")
def families(server: Server) -> list[Family]:
    """The protected households of the city."""
    return protected_families(server.home)


@dataclass(frozen=True)
class Asked:
    """A request, and whom it is about: of one person, the whole answer is looked at."""

    method: str
    path: str
    form: dict[str, str]
    about: Family | None = None

    def send(self, person: Person) -> requests.Response:
        """Ask."""
        if self.method == "GET":
            return person.get(self.path)
        return person.send(self.method, self.path, data={**self.form, "csrf_token": person.token})


def typed_about(family: Family) -> dict[str, str]:
    """What any form of the project may ask about a child: a page takes what it knows."""
    return {
        "person_id": family.child, "about_child_id": family.child, "number": family.child, "purpose": "確認",
        "scope": "household", "meeting_on": "2026-04-10", "decision": "watch", "agrees_with_tier": "yes",
        "review_on": "2026-07-01", "base": "1", "reason": "確認", "started_on": "2026-04-11",
        "support_content": "訪問", "lead_agency": "子ども若者課", "registered_on": "1998-03-01",
        "case_class": "要保護児童", "requested_on": "2026-04-02", "request": "disclosure", "about": "全部",
        "assessed_on": "2026-04-01", "asked": "担任", "known": "訪問", "strengths": "祖母", "own_tier": "latent",
        "own_tier_reason": "訪問", "planned_on": "2026-04-02", "goal": "登校", "step_1_action": "電話",
        "step_1_actor": "担任", "step_1_until": "2026-05-31", "told_on": "2026-03-30",
        "measure_from": "2026-03-30", "record_id": str(uuid.uuid4()),
        "visited_on": "2026-03-20", "way": "訪問", "result": "会えた", "checked_on": "2026-03-20",
        "check_result": "目視で確認した", "seen_by": "担任", "benefit": "児童手当",
    }  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What is on record about a family: a form's record, or a determination."""

    record_id: str
    form: str
    family: Family

    @property
    def page(self) -> str:
        """The beginning of the addresses that this record has."""
        return f"/entry/{PAGE_OF.get(self.form, self.form)}/"


@pytest.fixture
def kept(server: Server, families: list[Family]) -> list[Kept]:
    """What the authorised recorded about the families, with words that tell places: anew for whoever may delete it."""
    store = EntryStore(server.home)
    records: list[Kept] = []
    for family in families:
        heard = {
            "person_id": family.child, "observation_code": "school_absence_days", "observed_on": "2026-03-31",
            "ended_on": None, "value": 3, "text_value": None,
        }  # fmt: skip
        words = {
            "support_content": f"{family.town}へ訪問", "disagreement_reason": family.town, "about": family.school,
            "fact_person_id": family.child, "source_id": "school_attendance", "observation_code": "school_absence_days",
            "observed_on": "2026-03-31", "line": family.school, "what_is_wrong": family.town,
            "summary": f"{family.town}の家で", "known": family.town, "step_1_actor": family.school,
            "goal": f"{family.town}へ訪問",
        }  # fmt: skip
        for form in FORMS:
            content = {**typed_about(family), **words}
            version = store.create(form, content, by="child_kanai", department="child", person_id=family.child)
            records.append(Kept(version.record_id, form, family))
        # What the area has stands on the sheets of its children, and would tell where a family lives.
        place = {"area_code": family.area_code, "kind": "place", "name": f"{family.area_name}の居場所"}
        more = {"opening": "土", "checked_on": "2026-04-01"}
        store.create("area_resource", place | more, by="child_kanai", department="child")
        determination_id = store.record_determination(
            purpose=f"{family.area_name}の{family.school}", scope="person", person_id=family.child,
            as_of_on=AS_OF, publication="p", heard=[heard], result=[],
            determined_by=AUTHORISED,
        )  # fmt: skip
        records.append(Kept(determination_id, "determination", family))
    return records


def addresses(
    person: Person, rule: str, families: list[Family], kept: list[Kept]
) -> Iterator[tuple[str, Family | None]]:
    """Every address of a rule of the project's own: for each family, where a part names a person or a record.

    A page is asked for all records of its own, and for one of another form; an address of no form for all of a family.
    """
    parts = re.findall(r"<(?:[^:>]+:)?([^>]+)>", rule)
    if not parts:
        yield rule, None
        return
    if parts == ["key"]:
        # A key of the session stands in the links that a search leads to.
        start, end = re.split(r"<[^>]+>", rule)
        for family in families:
            found = person.send("POST", f"{start}search", data={**typed_about(family), "csrf_token": person.token})
            for link in set(re.findall(rf'"({re.escape(start)}[^"/]+)"', found.text)) - {f"{start}search"}:
                yield f"{link}{end}", family
        return
    for name, value in NAMED_PARTS.items():
        if parts == [name]:
            yield re.sub(r"<[^>]+>", value, rule), None
            return
    yield re.sub(r"<[^>]+>", families[0].child, rule), families[0]
    own = [record for record in kept if record.family in families and rule.startswith(record.page)]
    others = [record for record in kept if record.family is families[0] and record not in own]
    for record in own + others[: 1 if own else None]:
        yield re.sub(r"<[^>]+>", record.record_id, rule), record.family


def requests_of(
    person: Person, routes: list[tuple[str, str]], families: list[Family], kept: list[Kept]
) -> dict[tuple[str, str], list[Asked]]:
    """The requests of every own route."""
    asked: dict[tuple[str, str], list[Asked]] = {}
    for method, rule in routes:
        if rule.startswith(OWN):
            for path, about in addresses(person, rule, families, kept):
                targets = [about] if about is not None else families if method != "GET" else [None]
                # On a record, the number is that of a fact.
                on_record = {"number": "0"} if about is not None else {}
                asked.setdefault((method, rule), []).extend(
                    Asked(method, path, {**typed_about(family), **on_record} if family else {}, family)
                    for family in targets
                )
    return asked


def text_of(answer: requests.Response) -> str:
    """The text of an answer: of a PDF or of what is in a ZIP file (xlsx) too."""
    return readable(answer.content)


def readable(content: bytes) -> str:
    if content.startswith(b"%PDF"):
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    if content.startswith(b"PK"):
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).active
        return "\n".join(" ".join(map(str, row)) for row in sheet.iter_rows(values_only=True))
    return content.decode("utf-8", "replace")


# What every page shows of all areas and schools, whoever it is about: choices of a form, and what the user typed.
_CHOICES = re.compile(r"<(select|style|script|textarea)\b.*?</\1>|<input\b[^>]*>|<span class=\"who\">.*?</span>", re.S)
_ROW = re.compile(r"<tr\b.*?</tr>|<li\b.*?</li>|[^\n]+", re.S)


def exposed_places(text: str, families: list[Family], about: Family | None = None) -> list[str]:
    """What a text tells of the families: numbers and streets anywhere, area and school beside a member."""
    shown = html.unescape(_CHOICES.sub(" ", text))
    exposed = []
    for family in families:
        exposed += [f"{family.household}: {what}" for what in family.tells(text)]
        if family is about:
            exposed += [
                f"{family.household}: {what} on a page about the child" for what in family.tells_in_a_row(shown)
            ]
            continue
        for row in json_rows(text) or (match.group() for match in _ROW.finditer(shown)):
            if any(member in row for member in family.members):
                exposed += [f"{family.household}: {what} beside a member" for what in family.tells_in_a_row(row)]
    return sorted(set(exposed))


def json_rows(text: str) -> list[str]:
    """The innermost objects of a JSON text, each as a text."""
    if not text.lstrip().startswith(("{", "[")):
        return []
    try:
        waiting = [json.loads(text)]
    except ValueError:
        return []
    rows = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            inner = [one for one in value.values() if isinstance(one, (dict, list))]
            waiting += inner
            flat = {name: one for name, one in value.items() if not isinstance(one, (dict, list))}
            rows.append(json.dumps(flat, ensure_ascii=False))
        elif isinstance(value, list):
            waiting += [one for one in value if isinstance(one, (dict, list))]
    return rows


@pytest.fixture(scope="module")
def routes(server: Server) -> list[tuple[str, str]]:
    """Method and rule of every address."""
    return routes_of(server.home)


def test_the_city_has_protected_families_with_children(families: list[Family]) -> None:
    assert len(families) >= 4
    assert len({family.area_code for family in families}) == len(families)
    assert all(len(family.members) > 2 and family.street_number for family in families)


def test_exposed_places_are_recognised(families: list[Family]) -> None:
    family = families[0]
    member = min(family.members)
    assert exposed_places(f"<tr><td>{member}</td><td>{family.school}</td></tr>", families)
    assert exposed_places(json.dumps([{"id": member, "area": family.area_name}]), families)
    assert exposed_places(f"佐渡市{family.town} {family.street_number}番地", families)
    assert exposed_places(f"世帯 {family.household.lstrip('0')}", families)
    assert not exposed_places(f"<li>{member}</li><li>{family.school}</li>", families)


def test_every_own_route_answers_the_authorised(
    server: Server, routes: list[tuple[str, str]], families: list[Family], kept: list[Kept]
) -> None:
    """A route that this test cannot call is not tested by the next: a new one is called here, or listed with why."""
    person = server.person(AUTHORISED)
    refused = []
    for (method, rule), asked in requests_of(person, routes, families[:1], kept).items():
        if rule in TELLS_NOBODY or not any(page in rule for page in _pages_of(AUTHORISED)):
            continue
        answers = [one.send(person).status_code for one in asked]
        if not any(status < 400 or status in {409, 422} for status in answers):
            refused.append(f"{method} {rule}: {sorted(set(answers))}")
    assert not refused, "\n".join(refused)


@functools.cache
def _pages_of(username: str) -> list[str]:
    """Beginnings of the addresses of the pages that an account may open; of those without a rule, every one may."""
    pages = [f"/entry/{page.name}/" for page in read_access().entry_pages_of(STAFF[username].scope)]
    return [*pages, "/kodomo/", "/data-docs/"]


@pytest.mark.parametrize("username", ACCOUNTS)
def test_no_route_tells_the_unauthorised_where_a_protected_family_lives(
    server: Server, routes: list[tuple[str, str]], families: list[Family], kept: list[Kept], username: str
) -> None:
    person = server.person(username)
    # One family whose area the account has, if it is limited to some, and one of another area.
    seen = sorted(families, key=lambda family: family.area_code not in username)[:2]
    exposed = []
    for (method, rule), asked in requests_of(person, routes, seen, kept).items():
        # Where the account may not go, one request says so.
        for one in asked if any(page in rule for page in _pages_of(username)) else asked[:1]:
            found = exposed_places(text_of(one.send(person)), families, one.about)
            exposed += [f"{method} {rule}: {what}" for what in found]
    for name, answer in superset_answers(server, person, routes):
        exposed += [f"{name}: {what}" for what in exposed_places(text_of(answer), families)]
    assert not exposed, "\n".join(sorted(set(exposed))[:40])


def superset_answers(
    server: Server, person: Person, routes: list[tuple[str, str]]
) -> Iterator[tuple[str, requests.Response]]:
    """Answers of Superset that hold rows: of each table, as data and as a file; then every address that is read."""
    datasets = server.datasets()
    published = {table.name: table for table in read_access().published_tables()}
    tables = read_access().tables_for(STAFF[person.username].scope)
    # What only the pages read has no dataset: the pages are asked for themselves.
    models = read_assets().models
    for name in [table.name for table in tables if not table.is_for_pages] + ["bi_audit"]:
        columns = [
            column for column in models[published[name].source]
            if column not in published[name].grant.without
        ]  # fmt: skip
        for form in ("json", "csv", "xlsx") if name.startswith("bi_child") else ("json",):
            body = {
                "datasource": {"id": datasets[name], "type": "table"},
                "queries": [{"columns": columns, "metrics": [], "row_limit": 10_000}],
                "result_format": form,
                "result_type": "full",
            }
            yield f"{form} of {name}", person.send("POST", "/api/v1/chart/data", json=body)
    for method, rule in routes if person.username in READS_EVERYTHING else ():
        if method == "GET" and not rule.startswith(OWN) and rule not in ENDS_THE_SESSION and "static" not in rule:
            yield f"GET {rule}", person.get(re.sub(r"<[^>]+>", "1", rule))


# Commands: how each is called about a family, as one who is not authorised; or why it tells nothing of anybody.
CALLS = {
    "assess": lambda family, out: ["assess", family.child, "--household", "--purpose", "確認"],
    "explain": lambda family, out: ["explain", family.child],
    "disclose": lambda family, out: ["disclose", family.child, "--purpose", "確認", "--out", f"{out}/d.html"],
    "meeting list": lambda family, out: ["meeting", "list", "--state", "all", "--json"],
    "meeting pdf": lambda family, out: ["meeting", "pdf", "--state", "all", "--out", f"{out}/m.pdf"],
    "link review": lambda family, out: ["link", "review", "--json"],
    "link contradictions": lambda family, out: ["link", "contradictions"],
    "entry list": lambda family, out: ["entry", "list"],
    "reject list": lambda family, out: ["reject", "list"],
    "delivery list": lambda family, out: ["delivery", "list"],
    "publish": lambda family, out: ["publish", "--list"],
    "retention list": lambda family, out: ["retention", "list"],
    "retention deleted": lambda family, out: ["retention", "deleted"],
    "doctor": lambda family, out: ["doctor"],
    "model recall": lambda family, out: ["model", "recall", "v2", "--reason", "確認", "--out", f"{out}/r.html"],
    "register": lambda family, out: ["register", "--output", f"{out}/register.md"],
    "superset staff": lambda family, out: ["superset", "staff"],
}
ABOUT_ONE = {"assess", "explain", "disclose"}
"""Of these the whole output is about the family."""
EXPORT = "export"
"""Called for every mart."""
SAYS_NOTHING_OF_PEOPLE = {
    "run": "counts by delivery; `test_batch` reads its summary",
    "synth": "makes a city that does not exist",
    "demo": "runs the other commands",
    "serve": "starts the servers",
    "screenshots": "pictures of the routes above, as each account",
    "audit verify": "ids and counts of lines",
    "backup": "a copy of the home for its owner",
    "restore": "a copy of the home for its owner",
    "upgrade": "names of databases, faults and folders",
    "superset reset-factor": "says that it was done",
    "superset apply": "accounts, roles and files by name",
    "source inspect": "a file that its holder has; it is only read",
    "source specification": "headings, types and codes of a contract",
    "reject export": "the holder's own rows, in the holder's file, back to the holder",
    "delivery release": "says the state of a delivery",
    "delivery accept": "says the state of a delivery",
    "delivery findings": "columns and shares of a delivery; `test_profiles` holds what is kept of them",
    "delivery withdraw": "says the state of a delivery",
    "delivery replay": "says the counts of a delivery",
    "retention delete": "deliveries by name",
    "retention hold": "says the state of a delivery",
    "retention resume": "says the state of a delivery",
    "link decide": "says that it was recorded",
    "link undo": "says that it was recorded",
    "notices send": "counts and a link, to the channels; `test_digest` reads what is sent",
    "meeting decide": "says the id of the record",
    "meeting support": "says the id of the record",
    "entry request": "says the id of the record",
    "entry erase": "says how many versions are empty",
    "score": "scores and contributions by number, as the marts that are exported",
    "model check": "mistakes of a definition",
    "model evidence": "figures by band of an item",
    "model propose": "coefficients",
    "model approve": "says that a version is active",
    "model export": "items, bands and coefficients",
    "model import": "says which versions changed",
    "model retire": "says that a version is retired",
    "model cancel": "says which versions go on",
    "model draft": "coefficients",
    "model card": "figures of the city by version, as the page of the model prints them",
    "model diff": "scores and tiers by number; figures by area",
    "model replay": "scores and contributions by number, as the marts that are exported",
}


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Names of all commands, such as ``meeting list``."""
    children = getattr(command, "commands", None)
    if not children:
        yield " ".join(path)
        return
    for name, child in children.items():
        yield from leaves(child, (*path, name))


@pytest.fixture(scope="module")
def command() -> click.Command:
    return typer.main.get_command(cli.build_app())


def test_every_command_is_called_or_listed_with_a_reason(command: click.Command) -> None:
    assert set(leaves(command)) == {*CALLS, EXPORT, *SAYS_NOTHING_OF_PEOPLE}


def output_of(command: click.Command, arguments: list[str], home: Home, out: Path) -> tuple[str, int]:
    """What a command prints and writes, and its exit code."""
    for file in out.iterdir():
        file.unlink()
    result = CliRunner().invoke(command, arguments, env={**os.environ, "KODOMO_HOME": str(home.root)})
    written = [readable(file.read_bytes()) for file in out.iterdir()]
    return "\n".join([result.output, str(result.exception or ""), *written]), result.exit_code


@pytest.mark.parametrize("name", list(CALLS))
def test_no_command_tells_the_unauthorised_where_a_protected_family_lives(
    server: Server, families: list[Family], kept: list[Kept], command: click.Command, name: str, tmp_path: Path
) -> None:
    for family in families if name in ABOUT_ONE else families[:1]:
        text, code = output_of(command, CALLS[name](family, tmp_path), server.home, tmp_path)
        # A disclosure of a protected person is refused.
        assert code == 0 or name == "disclose", text[-500:]
        assert not exposed_places(text, families, family if name in ABOUT_ONE else None)


def test_no_export_without_places_tells_where_a_protected_family_lives(
    server: Server, families: list[Family], command: click.Command, tmp_path: Path
) -> None:
    with duckdb.connect(str(server.home.warehouse), read_only=True) as connection:
        query = "select table_name from information_schema.tables where table_schema = 'marts' order by all"
        marts = [row[0] for row in connection.execute(query).fetchall()]
    exposed, whole = [], 0
    for mart in marts:
        file = str(tmp_path / "mart.csv")
        text, code = output_of(command, [EXPORT, mart, "--without-places", "--out", file], server.home, tmp_path)
        assert code == 0, text[-500:]
        exposed += [f"{mart}: {what}" for what in exposed_places(text, families)]
        if mart in {"dim_person", "dim_child", "dim_household", "bi_child"}:
            text, _ = output_of(command, [EXPORT, mart, "--out", file], server.home, tmp_path)
            whole += bool(exposed_places(text, families))
    assert not exposed, "\n".join(sorted(set(exposed))[:40])
    # The test finds them where they are: an auditor's export has every row whole.
    assert whole == 4
