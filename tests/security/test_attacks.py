"""Every attack as every kind of account, with both walls and with each alone: no row beyond the scope."""

from __future__ import annotations

import pytest

from superset_config.security.access import read_access
from superset_config.security.staff import DEMO_STAFF, read_staff
from tests.security.attacks import attacks
from tests.security.scratch import leaks, tells_of_the_machine
from tests.security.servers import Server

pytestmark = pytest.mark.slow

STAFF = {member.username: member for member in read_staff(DEMO_STAFF, read_access())}
# One account of each kind; the others differ from them by the code of an area or a holder only.
KINDS = [
    "child_ryotsu",
    "child_all_nodv",
    "child_all",
    "child_ryotsu_dv",
    "health_north",
    "education_sawata",
    "welfare_all",
    "elderly_all",
    "guidance_all",
    "council_all",
    "analyst_all",
    "executive_all",
    "partner",
    "steward_citizens",
    "newcomer",
    "admin",
]


def own_table(username: str) -> str:
    """A table that the account may query, or the one that everybody wants."""
    access = read_access()
    tables = [table.name for table in access.tables_for(STAFF[username].scope)]
    for start in ("bi_child", "bi_trend", "bi_reject", "bi_area"):
        for table in tables:
            if table.startswith(start):
                return table
    return "bi_child"


def test_the_list_is_long_enough(server: Server) -> None:
    assert len(list(attacks(server, "bi_child"))) >= 150


@pytest.mark.parametrize("username", KINDS)
def test_nothing_beyond_the_scope(walls: Server, username: str) -> None:
    person = walls.person(username)
    failures = []
    for attack in attacks(walls, own_table(username)):
        answer = attack.send(person)
        text = answer.content.decode("utf-8", "replace")
        if attack.name.startswith(("xlsx", "csv", "dashboard export", "dataset export", "chart export")):
            text = readable(answer.content)
        found = leaks(text, person.seen)
        found += tells_of_the_machine(text, walls.home.root)
        if answer.status_code >= 500:
            found.append(f"status {answer.status_code}")
        failures += [f"{attack.name}: {item}" for item in found[:3]]
    assert not failures, "\n".join(failures[:60])


def readable(content: bytes) -> str:
    """The text of an answer, of what is in a ZIP file (xlsx) too."""
    import io
    import zipfile

    if not content.startswith(b"PK"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return "\n".join(bundle.read(name).decode("utf-8", "replace") for name in bundle.namelist())
