"""データ品質の課題: each steward sees and accepts the tasks of the own holder only; the overseeing department all."""

from __future__ import annotations

import pytest

from kodomo.entries.quality_tasks import FORM
from kodomo.entries.store import EntryStore
from tests.security.scratch import DEPARTMENTS, MARKUP, leaks, tells_of_the_machine
from tests.security.servers import Person, Server
from tests.security.test_entry_pages import post as send

pytestmark = pytest.mark.slow
LIST = "/kodomo/quality-tasks/"


def shown(person: Person, query: str = "") -> set[str]:
    """The holders whose tasks are on the list."""
    text = person.get(f"{LIST}{query}").text
    return {holder for holder in DEPARTMENTS if f'value="task_id:H:{holder}"' in text}


@pytest.mark.parametrize(
    ("username", "holders"),
    [("steward_health", {"health"}), ("steward_welfare", {"welfare"}), ("steward_child", set(DEPARTMENTS))],
)
def test_steward_sees_the_tasks_of_the_own_holder(server: Server, username: str, holders: set[str]) -> None:
    person = server.person(username)
    assert shown(person) == holders
    assert shown(person, "?holder=welfare") == holders & {"welfare"}
    for query in ("", "?state=accepted", "?state=done", "?harm=grave", "?source=' or 1=1", "?page=99", "?new=yes"):
        answer = person.get(f"{LIST}{query}")
        assert answer.status_code == 200
        assert not leaks(answer.text, person.seen), query
        assert not tells_of_the_machine(answer.text, server.home.root)
        assert MARKUP not in answer.text
    # The sources of the test are late since the day of its batch.
    text = person.get(f"{LIST}?harm=2").text
    assert ("納品の遅れ" in text, "保留の納品" in text) == (True, True)
    start = person.get("/kodomo/").text
    assert "データ品質の課題" in start
    assert not leaks(start, person.seen)


@pytest.mark.parametrize(
    "username", ["health_all", "child_all_nodv", "executive_all", "analyst_all", "partner", "admin"]
)
def test_list_is_for_stewards(server: Server, username: str) -> None:
    person = server.person(username)
    answer = person.get(LIST)
    assert answer.status_code == 403
    assert not leaks(answer.text, person.seen)
    assert LIST not in person.get("/kodomo/").text


def test_task_is_accepted_by_its_holder_with_a_reason(server: Server) -> None:
    person, store = server.person("steward_health"), EntryStore(server.home)
    own, other = "task_id:H:health", "task_id:H:welfare"
    given = {"decision": "accept", "reason": "元の台帳で確かめた"}
    assert send(person, f"{LIST}decide", task=other, **given).status_code == 404
    assert send(person, f"{LIST}decide", task="x", **given).status_code == 404
    assert send(person, f"{LIST}decide", task=own, decision="accept").status_code == 422
    assert send(person, f"{LIST}decide", task=own, decision="delete", reason="x").status_code == 422
    assert not store.current(FORM)
    assert send(person, f"{LIST}decide", task=own, **given).status_code == 302
    assert shown(person) == set()
    accepted = person.get(f"{LIST}?state=accepted").text
    assert ("元の台帳で確かめた" in accepted, "steward_health" in accepted) == (True, True)
    assert shown(server.person("steward_welfare")) == {"welfare"}
    assert "元の台帳で確かめた" not in server.person("steward_welfare").get(f"{LIST}?state=accepted").text
    assert send(person, f"{LIST}decide", task=own, decision="reopen", reason="まだ届く").status_code == 302
    assert shown(person) == {"health"}
