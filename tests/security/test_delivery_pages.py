"""The page of deliveries: files of the own holder only; nothing counts before it is handed over or is replaced."""

from __future__ import annotations

import http.client
import json
import re
import time
import uuid
from pathlib import Path

import pytest
import requests

from kodomo.contract import load_contracts
from kodomo.home import Home
from kodomo.ingest.uploads import MOST_FILES, Uploads
from superset_config.uploading import MOST_UPLOAD, UPLOAD_AT
from tests.security.servers import Person, Server

pytestmark = pytest.mark.slow

PAGE = "/entry/delivery_decision"
SHOTS = "宛名番号,ワクチン種別,回数,接種年月日"
SURNAME, NUMBER = "国分寺谷", "739184655"
"""Values that stand nowhere else."""
CHECK_SECONDS = 180


def shots(*numbers: int | str, more: str = "", headings: str = SHOTS) -> bytes:
    rows = [f"{number},麻しん,1,R5.4.1{more}" for number in numbers]
    return "\r\n".join([headings, *rows, ""]).encode("cp932")


def token(person: Person) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', person.get(f"{PAGE}/").text)
    return found.group(1) if found else person.token


def send(person: Person, *files: tuple[str, bytes], **fields: str) -> requests.Response:
    """Send the form with files."""
    form = {"csrf_token": token(person), "record_id": str(uuid.uuid4()), **fields}
    return person.http.post(
        f"{person.server.address}{UPLOAD_AT}", data=form, files=[("files", file) for file in files],
        headers={"Referer": person.server.address}, allow_redirects=False, timeout=60,
    )  # fmt: skip


def act(person: Person, path: str, **fields: str) -> requests.Response:
    return person.http.post(
        f"{person.server.address}{PAGE}/{path}", data={"csrf_token": token(person), **fields},
        headers={"Referer": person.server.address}, allow_redirects=False, timeout=60,
    )  # fmt: skip


def uploads_of(server: Server, department: str) -> dict[str, str]:
    """Id and state of the uploads of a department, once they are checked."""
    until = time.monotonic() + CHECK_SECONDS
    while True:
        sent = Uploads(server.home).of([department])
        if all(upload.state != "waiting" for upload in sent):
            return {upload.upload_id: upload.state for upload in sent}
        assert time.monotonic() < until, "the check takes too long"
        time.sleep(0.2)


def sent_by(server: Server, person: Person, department: str, *files: tuple[str, bytes], **fields: str) -> list[str]:
    """The ids of what a steward sends, checked."""
    before = set(uploads_of(server, department))
    answer = send(person, *files, **fields)
    assert answer.status_code == 302, answer.text
    return [one for one in uploads_of(server, department) if one not in before]


def kept(home: Home) -> list[bytes]:
    """The bytes of everything that the uploads hold."""
    return [path.read_bytes() for path in home.uploads.rglob("*") if path.is_file()]


@pytest.fixture
def steward(server: Server) -> Person:
    """The steward of the health department, who delivers vaccinations."""
    assert load_contracts()["vaccinations"].holder == "health"
    return server.person("steward_health")


def test_a_file_is_sent_looked_at_and_handed_over_once(server: Server, steward: Person) -> None:
    data = shots(NUMBER, more=f",{SURNAME}", headings=f"{SHOTS},氏名")
    (one,) = sent_by(server, steward, "health", (f"{SURNAME}_20260401.csv", data))
    landing = server.home.landing / "vaccinations"
    assert not landing.exists() or not [*landing.iterdir()]
    page = steward.get(f"{PAGE}/file/{one}")
    assert page.status_code == 200
    assert "予防接種" in page.text
    assert "999999999" in page.text
    assert NUMBER not in page.text
    # The name of the file is shown to those who sent it, and in no other place.
    assert SURNAME not in page.text.replace(f"{SURNAME}_20260401.csv", "")
    assert act(steward, f"file/{one}/hand_over").status_code == 302
    assert act(steward, f"file/{one}/hand_over").status_code == 302
    (landed,) = landing.iterdir()
    assert landed.read_bytes() == data
    assert SURNAME not in landed.name
    assert not [content for content in kept(server.home) if NUMBER.encode() in content]
    assert "次の一括処理で取り込みます" in steward.get(f"{PAGE}/").text
    assert act(steward, f"file/{one}/throw_away").status_code == 302
    assert landed.exists()


def test_values_of_people_are_in_no_log_and_no_address(server: Server, steward: Person) -> None:
    (one,) = sent_by(server, steward, "health", (f"{SURNAME}.csv", shots(NUMBER)))
    answers = [send(steward, (f"{SURNAME}.csv", shots(NUMBER, 8))), act(steward, f"file/{one}/throw_away")]
    for left in uploads_of(server, "health"):
        act(steward, f"file/{left}/throw_away")
    for answer in answers:
        assert requests.utils.quote(SURNAME) not in answer.headers["Location"]
    for log in server.home.root.glob("server-*.log"):
        text = log.read_text(encoding="utf-8", errors="replace")
        assert NUMBER not in text
        assert SURNAME not in text
    from kodomo.entries.store import EntryStore

    noted = [row for row in EntryStore(server.home).accesses("steward_health") if "delivery_decision" in row["action"]]
    assert {"delivery_decision_sent", "delivery_decision_thrown_away"} <= {row["action"] for row in noted}
    text = json.dumps([row["detail"] for row in noted], ensure_ascii=False)
    assert NUMBER not in text
    assert SURNAME not in text


@pytest.mark.parametrize("username", ["steward_welfare", "steward_child", "child_all"])
def test_files_of_another_holder_are_not_there(server: Server, steward: Person, username: str) -> None:
    (one,) = sent_by(server, steward, "health", ("n.csv", shots(11)))
    other = server.person(username)
    for path in (f"file/{one}", f"file/{uuid.uuid4()}"):
        assert other.get(f"{PAGE}/{path}").status_code == 404
    for path in ("hand_over", "throw_away", "again"):
        assert act(other, f"file/{one}/{path}").status_code == 404
    assert one not in other.get(f"{PAGE}/").text
    assert one not in other.get(f"{PAGE}/files").text
    assert uploads_of(server, "health")[one] == "ready"
    assert act(steward, f"file/{one}/throw_away").status_code == 302
    assert one not in uploads_of(server, "health")


def test_a_file_of_another_holder_is_not_taken(server: Server) -> None:
    other = server.person("steward_welfare")
    (one,) = sent_by(server, other, "welfare", ("n.csv", shots(NUMBER)))
    assert uploads_of(server, "welfare")[one] == "refused"
    assert not [content for content in kept(server.home) if NUMBER.encode() in content]
    assert send(other, ("n.csv", shots(1)), source_id="vaccinations").status_code == 404
    assert send(other, ("n.csv", shots(1)), mends="delivery_id:H:health").status_code == 404
    choices = re.search(r'<select id="source_id".*?</select>', other.get(f"{PAGE}/").text, re.S)
    assert choices is not None
    assert "予防接種" not in choices.group()


@pytest.mark.parametrize("username", ["health_all", "executive_all", "analyst_all", "partner", "newcomer", "admin"])
def test_only_stewards_send_files(server: Server, username: str) -> None:
    person = server.person(username)
    before = kept(server.home)
    assert send(person, ("n.csv", shots(1))).status_code in {302, 403}
    assert person.get(f"{PAGE}/files").status_code == 403
    assert len(kept(server.home)) == len(before)


def test_what_is_no_delivery_keeps_nothing(server: Server, steward: Person) -> None:
    mark = b"KEEP-NOTHING-OF-THIS"
    files = {
        "income.csv": shots(1, more=f",{mark.decode()}", headings=f"{SHOTS},総所得金額"),
        "my number.csv": shots(1, more=f",{mark.decode()}", headings=f"{SHOTS},個人番号"),
        "n.zip": b"PK\x03\x04" + b"\x00" * 100 + mark,
        "n.csv.gz": b"\x1f\x8b\x08\x00" + b"\x00" * 100 + mark,
        "no headings.csv": mark + b",1,2\r\n",
    }
    ids = sent_by(server, steward, "health", *files.items())
    assert len(ids) == len(files)
    states = uploads_of(server, "health")
    assert {states[one] for one in ids} == {"refused"}
    assert not [content for content in kept(server.home) if mark in content]
    for one in ids:
        assert act(steward, f"file/{one}/hand_over").status_code == 302
        assert act(steward, f"file/{one}/throw_away").status_code == 302
    assert mark.decode() not in steward.get(f"{PAGE}/").text


def test_a_form_that_was_sent_twice_is_one(server: Server, steward: Person) -> None:
    record_id = str(uuid.uuid4())
    ids = sent_by(server, steward, "health", ("n.csv", shots(21)), ("m.csv", shots(22)), record_id=record_id)
    assert len(ids) == 2
    assert sent_by(server, steward, "health", ("n.csv", shots(23)), record_id=record_id) == []
    for one in ids:
        act(steward, f"file/{one}/throw_away")


def test_no_path_comes_from_a_request(server: Server, steward: Person) -> None:
    (one,) = sent_by(server, steward, "health", ("../../../../superset/x_20260401.csv", shots(31)))
    act(steward, f"file/{one}/hand_over")
    assert not [*server.home.superset.rglob("*.csv")]
    assert {path.parent.name for path in server.home.landing.rglob("*.csv")} == {"vaccinations"}
    for strange in ("..%2f..%2fstore", "....//store", "%00", "x"):
        assert steward.get(f"{PAGE}/file/{strange}").status_code in {400, 404}
        assert act(steward, f"file/{strange}/throw_away").status_code in {400, 404, 405}
    assert send(steward, ("n.csv", shots(1)), record_id="../x").status_code == 400
    assert server.home.store.exists() is Path(server.home.store).exists()
    assert steward.get(f"{PAGE}/of/..%2f..%2fstore").status_code == 404


def test_a_request_from_another_site_changes_nothing(server: Server, steward: Person) -> None:
    (one,) = sent_by(server, steward, "health", ("n.csv", shots(41)))
    before = uploads_of(server, "health")
    for path, files in ((UPLOAD_AT, [("files", ("n.csv", shots(42)))]), (f"{PAGE}/file/{one}/throw_away", None)):
        answer = steward.http.post(
            f"{server.address}{path}", data={"record_id": str(uuid.uuid4()), "csrf_token": "x"}, files=files,
            timeout=60, allow_redirects=False,
        )  # fmt: skip
        assert answer.status_code in {302, 400}
    assert uploads_of(server, "health") == before
    assert steward.get(f"{PAGE}/file/{one}/throw_away").status_code == 405
    act(steward, f"file/{one}/throw_away")


def head_only(server: Server, cookies: str, length: int) -> int | None:
    """The status of an upload that sends its head and the beginning of its body; None if it is waited for."""
    host = server.address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.putrequest("POST", UPLOAD_AT)
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", str(length))
        connection.putheader("Cookie", cookies)
        connection.endheaders()
        connection.send(b"--x\r\n")
        return connection.getresponse().status
    except TimeoutError:
        return None
    finally:
        connection.close()


def test_large_bodies_are_waited_for_of_users_only_and_up_to_a_limit(server: Server, steward: Person) -> None:
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in steward.http.cookies)
    assert head_only(server, cookies, MOST_UPLOAD) is None
    assert head_only(server, cookies, MOST_UPLOAD + 100_000) in {400, 413}
    for nobody in ("", "session=x", "session=visitor.x"):
        status = head_only(server, nobody, MOST_UPLOAD)
        assert status is not None
        assert status in {302, 400, 413}
    assert not [*Uploads(server.home).incoming().iterdir()]
    # What is no file is as small as ever.
    long = steward.send("POST", f"{PAGE}/decide", data={"csrf_token": steward.token, "reason": "x" * 5_000_000})
    assert long.status_code == 413


def test_a_file_of_some_megabytes_goes_to_the_disk(server: Server, steward: Person) -> None:
    data = shots(*range(1, 300_000))
    assert len(data) > 5_000_000
    (one,) = sent_by(server, steward, "health", ("large_20260402.csv", data))
    page = steward.get(f"{PAGE}/file/{one}").text
    assert "299,999" in page
    assert "初めの部分" in page
    act(steward, f"file/{one}/throw_away")


def test_limits_are_said(server: Server, steward: Person) -> None:
    many = [(f"{number}.csv", shots(number)) for number in range(1, MOST_FILES + 2)]
    before = uploads_of(server, "health")
    assert send(steward, *many).status_code == 302
    assert send(steward).status_code == 302
    assert send(steward, ("empty.csv", b"")).status_code == 302
    assert uploads_of(server, "health") == before
    page = steward.get(f"{PAGE}/").text
    for text in (f"一度に{MOST_FILES}個", "500 MB", "ファイルが空です"):
        assert text in page


def test_deliveries_of_others_are_not_there(server: Server, steward: Person) -> None:
    own, other = "delivery_id:H:health", "delivery_id:H:welfare"
    assert steward.get(f"{PAGE}/of/{own}").status_code == 200
    assert steward.get(f"{PAGE}/of/{other}").status_code == 404
    assert act(steward, f"of/{other}/rejects").status_code == 404
    # The overseeing department sees the state, and nothing of the rows.
    overseer = server.person("steward_child")
    assert overseer.get(f"{PAGE}/of/{own}").status_code == 200
    assert act(overseer, f"of/{own}/rejects").status_code == 404
    assert send(overseer, ("n.csv", shots(1)), mends=own).status_code == 404
