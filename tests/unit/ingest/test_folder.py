"""The landing folder: names and dates, files that are being written, odd files, and ways out of it."""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from kodomo.clock import JAPAN, day_in_japan, today
from kodomo.errors import KodomoError, WarehouseBusyError
from kodomo.home import Home
from kodomo.ingest import deliveries as ingest
from kodomo.ingest import folder
from kodomo.ingest.decisions import decide
from kodomo.ingest.deliveries import Delivery, ingest_landing, replay
from kodomo.ingest.folder import LeftFile, Settling, date_in_name, delivery_date, landed_files, shown_name
from kodomo.warehouse import connect

SOURCE = "national_health_insurance"
HEADINGS = "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分"


def csv(*numbers: int) -> bytes:
    """A delivery of those people."""
    return "\r\n".join([HEADINGS, *(f"{number},R5.4.1,転入,,,一般" for number in numbers), ""]).encode("cp932")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of the source."""
    path = tmp_path / "landing" / SOURCE
    path.mkdir(parents=True)
    return path


def run(place: Path, settling: Settling | None = None) -> tuple[dict[str, Delivery], list[LeftFile]]:
    """What a run takes, by file name, and what it leaves."""
    left: list[LeftFile] = []
    home = Home(place.parents[1] / "var")
    deliveries = ingest_landing(home, place.parent, "run", settling=settling, left=left)
    assert all(one.rows_read == one.rows_loaded + one.rows_rejected for one in deliveries)
    return {delivery.file_name: delivery for delivery in deliveries}, left


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("register_20260331.csv", "2026-03-31"),
        ("20260331123000.csv", "2026-03-31"),
        ("register_202603311230.csv", "2026-03-31"),
        ("15202_20260331.csv", "2026-03-31"),
        ("1520212345678_20260331.csv", "2026-03-31"),
        ("1520220260331.csv", "2026-03-31"),
        ("20261301_20260331.csv", "2026-03-31"),
        ("15201231_20260331.csv", "2026-03-31"),
        ("20260331_20250101.csv", "2026-03-31"),
        ("register.20260331", "2026-03-31"),
        ("register_2026-03-31.csv", "2026-03-31"),
        ("抽出２０２６.csv", None),
        ("register_20360331.csv", "2036-03-31"),
        ("register_1234567.csv", None),
        ("register_12345678.csv", None),
        ("register_99991231.csv", None),
    ],
)
def test_the_date_in_a_name(name: str, day: str | None) -> None:
    assert date_in_name(name) == (dt.date.fromisoformat(day) if day else None)


def test_a_file_without_a_date_is_of_the_day_in_japan_on_which_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    path.write_bytes(b"x")
    night = dt.datetime(2026, 4, 1, 0, 30, tzinfo=JAPAN)
    os.utime(path, (night.timestamp(),) * 2)
    assert delivery_date(path) == day_in_japan(night.timestamp()) == dt.date(2026, 4, 1)
    os.utime(path, (time.time() + 10 * 86400,) * 2)
    assert delivery_date(path) == today()


@pytest.mark.parametrize(
    ("data", "shown"),
    [("住基.csv".encode(), "住基.csv"), ("住基.csv".encode("cp932"), "住基.csv"), (b"\xff\xfe.csv", "\\xff\\xfe.csv"),
     (b"a\nb\r.csv", "a\\u000ab\\u000d.csv"), ("a\u202eb.csv".encode(), "a\\u202eb.csv")],
)  # fmt: skip
def test_a_name_of_any_bytes_is_shown_on_one_line(data: bytes, shown: str) -> None:
    assert shown_name(os.fsdecode(data)) == shown


def test_odd_files_are_refused_and_the_others_are_taken(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_bytes(csv(666))
    (place / "a_20260401.csv").write_bytes(csv(1))
    (place / "link_20260401.csv").symlink_to(outside)
    (place / "circle_20260401.csv").symlink_to("circle_20260401.csv")
    (place / "nowhere_20260401.csv").symlink_to("gone.csv")
    (place / "folder_20260401.csv").mkdir()
    os.mkfifo(place / "pipe_20260401.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(place)
        listening.bind("socket_20260401.csv")
        (place / ("長" * 80 + "_20260501.csv")).write_bytes(csv(1, 2))
        Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe\n20260601.csv")).write_bytes(csv(1, 2, 3))
        (place / "archive").mkdir()
        (place / ".hidden_20260401.csv").write_bytes(csv(7))
        (place.parent / "vaccinations").symlink_to(tmp_path)
        taken, left = run(place)
        again, _ = run(place)
    assert left == []
    assert again == {}
    refused = {name for name, delivery in taken.items() if delivery.status == "refused"}
    assert refused == {
        "link_20260401.csv", "circle_20260401.csv", "nowhere_20260401.csv", "folder_20260401.csv",
        "pipe_20260401.csv", "socket_20260401.csv", "vaccinations",
    }  # fmt: skip
    assert {name: delivery.status for name, delivery in taken.items() if name not in refused} == {
        "a_20260401.csv": "loaded", "長" * 80 + "_20260501.csv": "loaded", "\\xff\\xfe\\u000a20260601.csv": "loaded",
    }  # fmt: skip
    for name in refused:
        assert taken[name].reason.startswith(f"{name}: is ")
    with connect(Home(tmp_path / "var"), read_only=True) as connection:
        assert connection.execute(f"select count(*) from raw.{SOURCE} where atena_no = '666'").fetchone() == (0,)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads every file")
def test_a_file_that_may_not_be_read_is_refused_by_its_mode(place: Path) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))
    (place / "a_20260401.csv").chmod(0)
    (place / "b_20260401.csv").write_bytes(csv(2))
    taken, _ = run(place)
    assert {name: delivery.status for name, delivery in taken.items()} == {
        "a_20260401.csv": "refused",
        "b_20260401.csv": "loaded",
    }


def test_a_file_that_may_not_be_read_is_refused_and_taken_when_it_may(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))
    (place / "b_20260401.csv").write_bytes(csv(2))
    opened = os.open

    def denied(path: Path, *arguments: int) -> int:
        if Path(path).name == "a_20260401.csv":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(folder.os, "open", denied)
        taken, _ = run(place)
        again, _ = run(place)
    assert {name: delivery.status for name, delivery in taken.items()} == {
        "a_20260401.csv": "refused",
        "b_20260401.csv": "loaded",
    }
    assert "cannot be read (Permission denied)" in taken["a_20260401.csv"].reason
    assert again == {}
    later, _ = run(place)
    assert later["a_20260401.csv"].status == "loaded"


def test_a_link_put_in_the_place_of_a_file_meanwhile_is_not_followed(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside.csv").write_bytes(csv(666))
    path = place / "a_20260401.csv"
    path.write_bytes(csv(1))
    read_file = folder.read_file

    def exchanged(file: Path) -> bytes:
        file.unlink()
        file.symlink_to(tmp_path / "outside.csv")
        return read_file(file)

    monkeypatch.setattr(ingest, "read_file", exchanged)
    taken, _ = run(place)
    assert taken["a_20260401.csv"].status == "refused"
    assert "It is a link" in taken["a_20260401.csv"].reason


def test_a_file_that_goes_away_meanwhile_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))
    (place / "b_20260401.csv").write_bytes(csv(2))
    read_file = folder.read_file

    def gone(file: Path) -> bytes:
        if file.name.startswith("a_"):
            file.unlink()
        return read_file(file)

    monkeypatch.setattr(ingest, "read_file", gone)
    taken, left = run(place)
    assert list(taken) == ["b_20260401.csv"]
    assert [(file.file_name, file.source_id) for file in left] == [("a_20260401.csv", SOURCE)]


def test_a_file_that_changes_while_it_is_read_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place / "a_20260401.csv"
    path.write_bytes(csv(1))

    status = os.fstat
    calls = []

    def changing(descriptor: int) -> os.stat_result:
        calls.append(descriptor)
        if len(calls) == 2:
            path.write_bytes(csv(1, 2, 3))
        return status(descriptor)

    monkeypatch.setattr(folder.os, "fstat", changing)
    taken, left = run(place)
    assert taken == {}
    assert "changed while it was being read" in str(left[0].reason)
    monkeypatch.undo()
    taken, left = run(place)
    assert taken["a_20260401.csv"].rows_loaded == 3
    assert left == []


def test_any_exception_of_a_file_is_its_refusal(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))
    (place / "b_20260501.csv").write_bytes(csv(1, 2))
    parse = ingest.parse

    def breaks(data: bytes, *arguments):
        if data == csv(1):
            raise RecursionError("deep in '転入'")
        return parse(data, *arguments)

    monkeypatch.setattr(ingest, "parse", breaks)
    taken, _ = run(place)
    refused = taken["a_20260401.csv"]
    assert refused.status == "refused"
    assert "RecursionError" in refused.reason
    assert "転入" not in refused.reason
    assert taken["b_20260501.csv"].status == "loaded"
    # It is kept, and is read again when the cause is mended.
    home = Home(place.parents[1] / "var")
    assert home.original(refused.sha256).read_bytes() == csv(1)
    monkeypatch.undo()
    assert replay(home, refused.delivery_id, "mended", "steward").status == "loaded"


def test_an_exception_after_the_load_leaves_no_rows(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))

    def breaks(*_arguments):
        raise ValueError("no")

    monkeypatch.setattr(ingest, "mended_by", breaks)
    taken, _ = run(place)
    assert taken["a_20260401.csv"].status == "refused"
    with connect(Home(place.parents[1] / "var"), read_only=True) as connection:
        assert connection.execute(f"select count(*) from raw.{SOURCE}").fetchone() == (0,)


def test_nothing_is_kept_of_a_file_that_breaks_and_names_what_is_forbidden(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "a_20260401.csv").write_bytes("宛名番号,個人番号\r\n1,2\r\n".encode("cp932"))

    def breaks(*_arguments):
        raise RecursionError

    monkeypatch.setattr(ingest, "parse", breaks)
    taken, _ = run(place)
    assert taken["a_20260401.csv"].status == "refused"
    assert not Home(place.parents[1] / "var").original(taken["a_20260401.csv"].sha256).exists()


@pytest.mark.parametrize(
    "error",
    [
        WarehouseBusyError("busy"),
        OSError(28, "No space left on device"),
        RuntimeError("Query interrupted"),
        ModuleNotFoundError("No module named 'scipy'"),
    ],
)
def test_fault_of_the_machine_is_no_fault_of_a_file(
    place: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))

    def breaks(*_arguments):
        raise error

    monkeypatch.setattr(ingest, "parse", breaks)
    with pytest.raises(type(error)):
        run(place)
    monkeypatch.undo()
    taken, _ = run(place)
    assert taken["a_20260401.csv"].status == "loaded"


def test_a_file_that_has_just_changed_is_left_and_taken_later(place: Path) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))
    taken, left = run(place, Settling(3600))
    assert taken == {}
    assert [file.file_name for file in left] == ["a_20260401.csv"]
    assert "may still be written" in str(left[0].reason)
    taken, left = run(place, Settling(0))
    assert taken["a_20260401.csv"].status == "loaded"
    assert left == []


def test_a_file_that_is_being_written_is_waited_for(place: Path) -> None:
    path = place / "a_20260401.csv"
    path.write_bytes(csv(*range(1, 4)))

    def write_on() -> None:
        for number in range(4, 8):
            time.sleep(0.1)
            with path.open("ab") as file:
                file.write(f"{number},R5.4.1,転入,,,一般\r\n".encode("cp932"))

    writer = threading.Thread(target=write_on)
    writer.start()
    taken, left = run(place, Settling(0.4, patience=20))
    writer.join()
    assert left == []
    assert taken["a_20260401.csv"].rows_loaded == 7


def test_a_clock_that_was_set_back_keeps_no_file_waiting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1))
    year_ago = time.time() - 365 * 86400
    monkeypatch.setattr(folder.time, "time", lambda: year_ago)
    assert folder.unsettled(landed_files(place.parent), Settling(30)) == {}


@pytest.mark.parametrize("name", ["a_20260401.csv.filepart", "a_20260401.csv.part", "~$a_20260401.csv", "A.CSV.TMP"])
def test_file_still_being_copied_is_left(place: Path, name: str) -> None:
    (place / name).write_bytes(csv(1))
    taken, left = run(place)
    assert taken == {}
    assert [file.file_name for file in left] == [name]


def test_strict_says_what_is_left(place: Path, tmp_path: Path) -> None:
    (place / "a_20260401.csv.part").write_bytes(csv(1))
    with pytest.raises(KodomoError, match=r"a_20260401.csv.part: A program is still copying it"):
        ingest_landing(Home(tmp_path / "var"), place.parent, "run", strict=True)


def test_a_delivery_from_the_future_is_held_and_the_next_one_is_used(place: Path, tmp_path: Path) -> None:
    future = today().replace(day=1, year=today().year + 10)
    (place / f"a_{future:%Y%m%d}.csv").write_bytes(csv(1))
    (place / "b_20260401.csv").write_bytes(csv(1, 2))
    taken, _ = run(place)
    held = taken[f"a_{future:%Y%m%d}.csv"]
    assert held.status == "held"
    assert f"dated {future}, after {today()}" in held.reason
    assert taken["b_20260401.csv"].status == "loaded"
    # Released, it counts from the day on which it was received: what comes after that replaces it.
    home = Home(tmp_path / "var")
    assert decide(home, held.delivery_id, "release", "a slip in the name", "steward") == "loaded"
    tomorrow = today() + dt.timedelta(days=1)
    (place / f"c_{tomorrow:%Y%m%d}.csv").write_bytes(csv(1, 2, 3))
    ingest_landing(home, place.parent, "next", as_of_on=tomorrow)
    with connect(home, read_only=True) as connection:
        order = connection.execute(
            "select left(file_name, 1), delivered_on <= current_date + 2 from raw.deliveries where status = 'loaded' "
            "order by delivered_on, sequence"
        ).fetchall()
    assert order == [("b", True), ("a", True), ("c", True)]


def test_an_as_of_date_to_come_takes_what_is_delivered_until_then(place: Path, tmp_path: Path) -> None:
    future = today() + dt.timedelta(days=400)
    (place / f"a_{future:%Y%m%d}.csv").write_bytes(csv(1))
    (delivery,) = ingest_landing(Home(tmp_path / "var"), place.parent, "run", as_of_on=future)
    assert delivery.status == "loaded"


def test_a_file_that_is_cut_is_held_and_may_be_released(place: Path, tmp_path: Path) -> None:
    (place / "a_20260401.csv").write_bytes(csv(1, 2, 3)[:-11])
    (place / "c_20260401.csv").write_bytes(csv(1, 2, 3)[:-12])
    (place / "b_20260401.csv").write_bytes(csv(4) + "合計 2名\r\n".encode("cp932"))
    taken, _ = run(place)
    assert {name: delivery.status for name, delivery in taken.items()} == {
        "a_20260401.csv": "held",
        "b_20260401.csv": "held",
        "c_20260401.csv": "held",
    }
    assert "ends within a character" in taken["c_20260401.csv"].reason
    assert "ends within a record" in taken["a_20260401.csv"].reason
    assert "the trailer counts 2 records, the file has 1" in taken["b_20260401.csv"].reason
    # Machines read the reason in English, stewards in Japanese.
    assert "終わりの行には 2 件とありますが、ファイルには 1 件あります。" in taken["b_20260401.csv"].reason_ja
    home = Home(tmp_path / "var")
    assert decide(home, taken["a_20260401.csv"].delivery_id, "release", "the holder says so", "steward") == "loaded"
