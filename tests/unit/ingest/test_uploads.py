"""Files that stewards send from a page: checked as a delivery would be, then handed over or thrown away."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import os
import shutil
import uuid
import zipfile
from pathlib import Path

import pytest

from kodomo.contract import load_contracts
from kodomo.home import Home
from kodomo.ingest import uploads
from kodomo.ingest.consequences import consequences
from kodomo.ingest.decisions import decide, list_rejects
from kodomo.ingest.deliveries import Delivery, ingest_landing
from kodomo.ingest.folder import Settling
from kodomo.ingest.landing import landing_of
from kodomo.ingest.rehearsal import Earlier, read_earlier
from kodomo.ingest.reject_files import People, export_rejects, rejects_of_original
from kodomo.ingest.uploads import (
    HANDED_OVER,
    MOST_WAITING,
    READY,
    REFUSED,
    WAITING,
    TwiceError,
    UnknownUploadError,
    Upload,
    UploadError,
    Uploads,
    land,
    plain_name,
)
from kodomo.warehouse import connect

SOURCE, OF_HEALTH, VISITS = "national_health_insurance", "vaccinations", "home_visit_support"
HOLDER, HEALTH, VISITS_HOLDER = (load_contracts()[name].holder for name in (SOURCE, OF_HEALTH, VISITS))
HEADINGS = "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分"
NO_FACTS = "(select '' as person_id, '' as delivery_id)"
SHOTS = "宛名番号,ワクチン種別,回数,接種年月日"


def insured(*numbers: int | str) -> list[str]:
    return [f"{number},R5.4.1,転入,,,一般" for number in numbers]


def file_of(rows: list[str], headings: str = HEADINGS, encoding: str = "cp932") -> bytes:
    return "\r\n".join([headings, *rows, ""]).encode(encoding)


class Desk:
    """A steward with a home and a landing folder."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "var").ensure()
        self.landing = folder / "landing"
        self.landing.mkdir()
        self.uploads = Uploads(self.home)
        self.runs = 0

    def earlier(self) -> Earlier:
        """What the warehouse knows, as a publication does after a run."""
        if not self.home.warehouse.exists():
            return Earlier()
        with connect(self.home, read_only=True) as connection:
            return read_earlier(connection, "raw.deliveries", "raw.reject_states", "raw", [SOURCE, OF_HEALTH, VISITS])

    def send(self, data: bytes, name: str = "国保.csv", department: str = HOLDER, **more: object) -> Upload:
        """Send and check a file."""
        upload = self.receive(data, name, department, **more)
        self.uploads.check_waiting()
        return self.uploads.get(upload.upload_id, [department])

    def receive(self, data: bytes, name: str = "国保.csv", department: str = HOLDER, **more: object) -> Upload:
        incoming = self.uploads.incoming() / uuid.uuid4().hex
        incoming.write_bytes(data)
        upload_id = str(more.pop("upload_id", uuid.uuid4()))
        try:
            return self.uploads.receive(
                upload_id, incoming, name, by="steward", departments=[department], earlier=self.earlier(), **more
            )
        finally:
            incoming.unlink()

    def hand_over(self, upload: Upload, department: str = HOLDER) -> Upload:
        return self.uploads.hand_over(upload.upload_id, [department], self.landing, "steward")

    def run(self, **more: object) -> list[Delivery]:
        """What a run takes."""
        self.runs += 1
        return ingest_landing(self.home, self.landing, f"run-{self.runs}", **more)

    def deliver(self, data: bytes, name: str = "国保_20260401.csv", department: str = HOLDER) -> Delivery:
        """Send a file, hand it over, and let a run take it."""
        self.hand_over(self.send(data, name, department), department)
        (delivery,) = self.run()
        return delivery

    def kept_bytes(self) -> list[Path]:
        """Every file of the uploads that is no note and no lock."""
        return [path for path in self.uploads.folder.rglob("*") if path.is_file() and path.name == "data"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_file_is_checked_handed_over_and_taken_once(desk: Desk) -> None:
    data = file_of([*insured(1, 2), "3,いつか,転入,,,一般"])
    sent = desk.receive(data, "国保_20260401.csv")
    assert sent.state == WAITING
    assert desk.uploads.check_waiting() == 1
    checked = desk.uploads.get(sent.upload_id, [HOLDER])
    assert (checked.state, checked.source_id, checked.delivered_on) == (READY, SOURCE, dt.date(2026, 4, 1))
    assert checked.result is not None
    assert (checked.result["rows_read"], checked.result["rows_loaded"]) == (3, 2)
    assert checked.result["rejects"] == [[4, "資格取得年月日", "ありえない日付"]]
    assert not [*desk.landing.rglob("*.csv")], "nothing counts before it is handed over"
    assert not desk.home.warehouse.exists()

    handed = desk.hand_over(checked)
    assert handed.state == HANDED_OVER
    (landed,) = desk.landing.rglob("*.csv")
    assert landed.read_bytes() == data
    assert landed.parent.name == SOURCE
    assert desk.kept_bytes() == []
    (delivery,) = desk.run()
    assert (delivery.status, delivery.file_name, delivery.delivered_on) == ("loaded", handed.landed_name,
                                                                            dt.date(2026, 4, 1))  # fmt: skip
    assert (delivery.rows_read, delivery.rows_loaded, delivery.rows_rejected) == (3, 2, 1)
    assert desk.run() == []


def test_a_column_that_differs_from_earlier_deliveries_is_said_before_the_file_is_handed_over(desk: Desk) -> None:
    for month in (4, 5):
        desk.deliver(file_of(insured(*range(1, 40 + month))), f"国保_20260{month}01.csv")
    emptied = file_of([row.removesuffix("一般") for row in insured(*range(1, 46))])
    checked = desk.send(emptied, "国保_20260601.csv")
    assert checked.result is not None
    assert checked.result["status"] == "held"
    assert "「証区分」が 100％の行で空です" in checked.result["reason"]

    held = desk.deliver(emptied, "国保_20260601.csv")
    assert held.status == "held"
    assert held.reason_ja is not None
    assert held.reason_ja.endswith(checked.result["reason"])
    decide(desk.home, held.delivery_id, "accept", "区分を使わなくなった", "steward")
    again = desk.send(file_of([row.removesuffix("一般") for row in insured(*range(1, 47))]), "国保_20260701.csv")
    assert again.result is not None
    assert again.result["status"] == "loaded"


def test_the_check_says_what_the_run_then_does(desk: Desk) -> None:
    desk.deliver(file_of(insured(*range(1, 21))))
    cases = {
        "fewer": file_of(insured(*range(1, 11))),
        "trailer and cut": file_of([*insured(*range(1, 20)), "合計 30名"])[:-2],
        "unknown heading": file_of([f"{row},x" for row in insured(*range(1, 20))], f"{HEADINGS},備考"),
    }
    for number, (what, data) in enumerate(cases.items()):
        checked = desk.send(data, f"n_2026050{number + 1}.csv")
        assert checked.result is not None, what
        desk.hand_over(checked)
        (delivery,) = desk.run()
        said = (checked.result["status"], checked.result["rows_loaded"], checked.result["rows_rejected"])
        assert said == (delivery.status, delivery.rows_loaded, delivery.rows_rejected), what
        assert checked.result["reason"] == (delivery.reason_ja or ""), what
    assert {d["status"] for d in desk.earlier().deliveries} == {"held", "loaded"}


def test_differences_are_counted_by_the_key(desk: Desk) -> None:
    headings = "支援番号,児童_宛名番号,支援開始年月日,支援終了年月日,支援種別,支援理由,訪問回数"
    rows = [f"H{number},{number},R5.4.1,,養育支援,,3" for number in range(1, 5)]
    desk.deliver(file_of(rows, headings), department=VISITS_HOLDER)
    # H4 is gone, H3 has ended under another kind, H5 and H6 are new.
    rows = [*rows[:2], "H3,3,R5.4.1,R8.3.1,訪問,,3", *(f"H{number},{number},R5.4.1,,養育支援,,3" for number in (5, 6))]
    rows = [f"{row},x" for row in rows]
    checked = desk.send(file_of(rows, f"{headings},備考"), "n_20260501.csv", VISITS_HOLDER)
    assert checked.result is not None
    differences = checked.result["differences"]
    assert (differences["rows_before"], differences["rows_now"]) == (4, 5)
    assert (differences["new"], differences["gone"]) == (2, 1)
    assert (differences["changed"], differences["same"]) == (1, 2)
    assert sorted(differences["columns"]) == [["支援種別", 1], ["支援終了年月日", 1]]
    assert (differences["new_headings"], differences["gone_headings"]) == (["備考"], [])


def test_rows_without_a_key_differ_as_a_whole(desk: Desk) -> None:
    desk.deliver(file_of(insured(1, 2, 3)))
    checked = desk.send(file_of([*insured(1, 2), "3,R5.4.1,転入,R8.3.1,転出,一般"]), "n_20260501.csv")
    assert checked.result is not None
    differences = checked.result["differences"]
    assert [differences[name] for name in ("new", "gone", "changed", "same")] == [1, 1, 0, 2]


def test_no_value_is_in_what_is_kept_of_a_check(desk: Desk) -> None:
    desk.deliver(file_of(["987654,R5.4.1,転入,,,一般"]))
    checked = desk.send(file_of(["987654,R5.4.1,転入,,,特別な区分", "12ab98,R5.4.1,転入,,,一般"]), "n_20260501.csv")
    assert checked.state == READY
    text = (desk.uploads.folder / checked.upload_id / "upload.json").read_text(encoding="utf-8")
    for value in ("987654", "12ab98", "R5.4.1", "特別な区分"):
        assert value not in text
    assert "999999" in text, "the shape of a value is shown"


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (file_of(["1,R5.4.1,転入,,,一般,100"], f"{HEADINGS},所得額"), "n.csv", "所得"),
        (file_of(["1,R5.4.1,転入,,,一般,100"], f"{HEADINGS},個人番号"), "n.csv", "個人番号"),
        ("個人番号\n1\n".encode("cp932"), "n.csv", "受け取り禁止"),
        (b"a,b\n1,2\n", "n.csv", "見出し"),
        (gzip.compress(file_of(insured(1))), "n.csv.gz", "CSV"),
        (b"\x00\x01\x02" * 500, "n.xls", "CSV"),
        (file_of(["R5.4.1,転入"], "資格取得年月日,資格取得事由"), "n.csv", "宛名番号"),
        (file_of(["1,1,R5.4.1,転入,,,一般"], f"宛名番号,{HEADINGS}"), "n.csv", "宛名番号"),
    ],
    ids=["income", "my number", "my number alone", "other headings", "gzip", "binary", "missing", "twice"],
)  # fmt: skip
def test_what_is_refused_keeps_nothing(desk: Desk, data: bytes, name: str, reason: str) -> None:
    checked = desk.send(data, name)
    assert checked.state == REFUSED
    assert reason in checked.reason
    assert desk.kept_bytes() == []
    assert checked.result is None
    with pytest.raises(UploadError, match="checked"):
        desk.hand_over(checked)
    assert not [*desk.landing.rglob("*")]


def test_an_archive_is_no_csv(desk: Desk) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../n.csv", file_of(insured(*range(1000))))
    checked = desk.send(content.getvalue(), "n.zip")
    assert checked.state == REFUSED
    assert desk.kept_bytes() == []


def test_a_file_of_another_holder_is_refused(desk: Desk) -> None:
    checked = desk.send(file_of(["1,麻しん,1,R5.4.1"], SHOTS))
    assert checked.state == REFUSED
    assert "予防接種" in checked.reason
    assert desk.kept_bytes() == []
    assert desk.send(file_of(["1,麻しん,1,R5.4.1"], SHOTS), department=HEALTH).state == READY


def test_uploads_of_another_department_are_not_there(desk: Desk) -> None:
    checked = desk.send(file_of(insured(1)))
    assert desk.uploads.of([HEALTH]) == []
    for act in (
        lambda: desk.uploads.get(checked.upload_id, [HEALTH]),
        lambda: desk.uploads.throw_away(checked.upload_id, [HEALTH]),
        lambda: desk.uploads.hand_over(checked.upload_id, [HEALTH], desk.landing, "x"),
        lambda: desk.uploads.check_again(checked.upload_id, [HEALTH], None, None),
        lambda: desk.uploads.get("../../store", [HOLDER]),
        lambda: desk.uploads.get(str(uuid.uuid4()), [HOLDER]),
    ):
        with pytest.raises(UnknownUploadError):
            act()
    assert desk.uploads.get(checked.upload_id, [HOLDER, HEALTH]).state == READY


def test_of_two_departments_only_those_of_both_see_a_file_until_its_source_is_known(desk: Desk) -> None:
    incoming = desk.uploads.incoming() / "x"
    incoming.write_bytes(file_of(insured(1)))
    sent = desk.uploads.receive(str(uuid.uuid4()), incoming, "n.csv", by="both", departments=[HOLDER, HEALTH],
                                earlier=Earlier())  # fmt: skip
    assert desk.uploads.of([HOLDER]) == []
    desk.uploads.check_waiting()
    assert [upload.upload_id for upload in desk.uploads.of([HOLDER])] == [sent.upload_id]
    assert desk.uploads.of([HEALTH]) == []


def test_sent_or_handed_over_twice_is_once(desk: Desk) -> None:
    one = str(uuid.uuid4())
    desk.receive(file_of(insured(1)), upload_id=one)
    with pytest.raises(TwiceError):
        desk.receive(file_of(insured(2)), upload_id=one)
    desk.uploads.check_waiting()
    checked = desk.uploads.get(one, [HOLDER])
    desk.hand_over(checked)
    with pytest.raises(TwiceError):
        desk.hand_over(checked)
    assert len([*desk.landing.rglob("*.csv")]) == 1
    again = desk.send(file_of(insured(1)), "another name.csv")
    assert (again.state, "もう引き渡されて" in again.reason) == (REFUSED, True)
    desk.run()
    desk.uploads.forget_expired(dt.datetime.now(dt.UTC) + dt.timedelta(days=50))
    assert "別の名前で納品" in desk.send(file_of(insured(1)), "another name.csv").reason


def test_the_same_bytes_sent_twice_are_handed_over_once(desk: Desk) -> None:
    first, second = desk.send(file_of(insured(1)), "a.csv"), desk.send(file_of(insured(1)), "b.csv")
    assert (first.state, second.state) == (READY, READY)
    desk.hand_over(first)
    with pytest.raises(UploadError, match="before"):
        desk.hand_over(second)
    assert len([*desk.landing.rglob("*.csv")]) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\国保_20260401.csv", "国保_20260401.csv"),
        ("/", "（名前なし）"),
        ("", "（名前なし）"),
        ("a\x00b\n.csv", "a\\u0000b\\u000a.csv"),
        ("n" * 500, "n" * 120),
    ],
)
def test_of_a_name_only_the_last_part_is_shown(name: str, shown: str) -> None:
    assert plain_name(name) == shown


def test_a_name_is_no_path(desk: Desk) -> None:
    for number, name in enumerate(["../../../store/x_20260401.csv", ".hidden.part"], start=1):
        handed = desk.hand_over(desk.send(file_of(insured(number)), name))
        assert (desk.landing / SOURCE / handed.landed_name).suffix == ".csv"
    assert {path.parent for path in desk.landing.rglob("*") if path.is_file()} == {desk.landing / SOURCE}
    assert len(desk.run()) == 2


def test_nothing_in_the_landing_folder_is_replaced_or_followed(desk: Desk, tmp_path: Path) -> None:
    checked = desk.send(file_of(insured(1)))
    there = desk.landing / SOURCE / checked.landed_name
    there.parent.mkdir()
    there.write_text("another", encoding="utf-8")
    with pytest.raises(UploadError, match="replaced"):
        desk.hand_over(checked)
    assert there.read_text(encoding="utf-8") == "another"
    there.unlink()
    there.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UploadError):
        desk.hand_over(checked)
    assert not (tmp_path / "elsewhere").exists()
    shutil.rmtree(there.parent)
    (tmp_path / "other folder").mkdir()
    there.parent.symlink_to(tmp_path / "other folder")
    with pytest.raises(UploadError):
        desk.hand_over(checked)
    assert not [*(tmp_path / "other folder").iterdir()]
    assert desk.uploads.get(checked.upload_id, [HOLDER]).state == READY


def test_a_file_that_was_changed_since_its_check_is_not_handed_over(desk: Desk) -> None:
    checked = desk.send(file_of(insured(1)))
    data = desk.uploads.folder / checked.upload_id / "data"
    data.chmod(0o600)
    data.write_bytes(file_of(insured(2)))
    with pytest.raises(UploadError, match="checked"):
        desk.hand_over(checked)
    assert not [path for path in desk.landing.rglob("*") if path.is_file()]


def test_a_handing_over_that_broke_off_is_carried_on(desk: Desk) -> None:
    data = file_of(insured(1))
    checked = desk.send(data)
    # Landed, but its note was not written.
    land(desk.kept_bytes()[0], desk.landing, SOURCE, checked.landed_name, hashlib.sha256(data).hexdigest())
    assert desk.hand_over(checked).state == HANDED_OVER
    assert len([*desk.landing.rglob("*.csv")]) == 1


def test_a_file_system_without_links_gets_the_file_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = desk.send(file_of(insured(1)))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    desk.hand_over(checked)
    assert [path.read_bytes() for path in desk.landing.rglob("*.csv")] == [file_of(insured(1))]


def test_what_was_handed_over_settles_like_any_file(desk: Desk) -> None:
    desk.hand_over(desk.send(file_of(insured(1))))
    left: list = []
    assert desk.run(settling=Settling(seconds=30), left=left) == []
    assert len(left) == 1
    assert len(desk.run()) == 1


def test_thrown_away_is_gone_and_late_is_gone(desk: Desk) -> None:
    checked = desk.send(file_of(insured(1)))
    desk.uploads.throw_away(checked.upload_id, [HOLDER])
    assert desk.uploads.of([HOLDER]) == []
    assert desk.kept_bytes() == []
    desk.send(file_of(insured(2)))
    (desk.uploads.incoming() / "half").write_bytes(b"x")
    assert desk.uploads.forget_expired() == 0
    assert desk.uploads.forget_expired(dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)) == 1
    assert desk.kept_bytes() == []
    assert not [*desk.uploads.incoming().iterdir()]


def test_what_was_handed_over_is_not_thrown_away(desk: Desk) -> None:
    handed = desk.hand_over(desk.send(file_of(insured(1))))
    with pytest.raises(UploadError, match="handed over"):
        desk.uploads.throw_away(handed.upload_id, [HOLDER])
    assert len([*desk.landing.rglob("*.csv")]) == 1


def test_a_file_that_ends_its_check_stops_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = desk.receive(file_of(insured(1)), "bad.csv")
    good = desk.receive(file_of(insured(2)), "good.csv")
    examine = uploads.examine

    def die(home: Home, upload: Upload, *rest: object) -> object:
        if upload.file_name == "bad.csv":
            raise KeyboardInterrupt
        return examine(home, upload, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads, "examine", die)
    for _ in range(uploads.MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            desk.uploads.check_waiting()
    desk.uploads.check_waiting()
    states = {upload.upload_id: upload.state for upload in desk.uploads.of([HOLDER])}
    assert states == {bad.upload_id: REFUSED, good.upload_id: READY}


def test_a_file_that_is_thrown_away_while_it_is_checked_stays_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = desk.receive(file_of(insured(1)))
    examine = uploads.examine

    def thrown_away(home: Home, upload: Upload, *rest: object) -> object:
        desk.uploads.throw_away(sent.upload_id, [HOLDER])
        return examine(home, upload, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads, "examine", thrown_away)
    desk.uploads.check_waiting()
    assert desk.uploads.of([HOLDER]) == []
    assert desk.kept_bytes() == []


def test_limits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UploadError, match="empty"):
        desk.receive(b"")
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    with pytest.raises(UploadError, match="MB"):
        desk.receive(b"x" * 11)
    monkeypatch.undo()
    for number in range(MOST_WAITING):
        desk.receive(file_of(insured(number + 1)))
    with pytest.raises(UploadError, match="wait"):
        desk.receive(file_of(insured(999)))
    assert not [*desk.uploads.folder.glob(".new-*")]


def test_another_source_or_date_can_be_chosen(desk: Desk) -> None:
    checked = desk.send(file_of(insured(1)), "n_20260401.csv")
    desk.uploads.check_again(checked.upload_id, [HOLDER], SOURCE, dt.date(2026, 4, 2))
    desk.uploads.check_waiting()
    again = desk.uploads.get(checked.upload_id, [HOLDER])
    assert (again.delivered_on, "_20260402_" in again.landed_name) == (dt.date(2026, 4, 2), True)
    desk.uploads.check_again(checked.upload_id, [HOLDER], OF_HEALTH, None)
    desk.uploads.check_waiting()
    assert desk.uploads.get(checked.upload_id, [HOLDER]).state == REFUSED


@pytest.mark.parametrize("encoding", ["cp932", "utf-16"])
def test_rejects_come_in_the_holders_encoding_and_go_back_mended(desk: Desk, encoding: str) -> None:
    rows = [*insured(1, 2), "3,いつか,転入,,,一般", "1.23E+10,R5.4.1,転入,,,一般"]
    delivery = desk.deliver(file_of(rows, encoding=encoding))
    with connect(desk.home, read_only=True) as connection:
        ((sha256,),) = connection.execute("select sha256 from raw.deliveries").fetchall()
    lines = [reject["line_number"] for reject in list_rejects(desk.home)]
    taken = rejects_of_original(desk.home, sha256, SOURCE, lines).content
    assert taken == export_rejects(desk.home, delivery.delivery_id)

    text = taken.decode("utf-8-sig" if encoding.startswith("utf-8") else encoding)
    mended = text.replace("いつか", "R5.4.1").replace("1.23E+10", "12300000004")
    sent = desk.send(mended.encode("utf-8-sig" if encoding.startswith("utf-8") else encoding), "直した行.csv",
                     mends=delivery.delivery_id)  # fmt: skip
    assert sent.state == READY, sent.reason
    assert sent.result is not None
    assert sent.result["mends"] == [[delivery.delivery_id, 2]]
    assert sent.landed_name.startswith(f"{delivery.delivery_id}_mended_")
    desk.hand_over(sent)
    (taken_again,) = desk.run()
    assert (taken_again.status, taken_again.kind, taken_again.rows_loaded) == ("loaded", "delta", 2)
    assert {reject["state"] for reject in list_rejects(desk.home)} == {"mended"}
    with connect(desk.home, read_only=True) as connection:
        what = consequences(connection, taken_again.delivery_id, deliveries="raw.deliveries",
                            rejects="raw.reject_states", facts=NO_FACTS)  # fmt: skip
    assert (what.rows, what.mended, what.is_state) == (2, 2, False)


def test_rejects_of_some_people_are_left_out(desk: Desk) -> None:
    rows = [
        "000000000000042,いつか,転入,,,一般",
        "43,いつか,転入,,,一般",
        "4242,いつか,転入,,,一般",
        "44,いつか,佐渡　花子,,,x",
    ]
    desk.deliver(file_of(rows))
    with connect(desk.home, read_only=True) as connection:
        ((sha256,),) = connection.execute("select sha256 from raw.deliveries").fetchall()
    people = People.of(["000000000000042", None], ["佐渡 花子", ""])
    left = rejects_of_original(desk.home, sha256, SOURCE, [2, 3, 4, 5], people)
    assert left.left_out == 2
    assert left.content == file_of([rows[1], rows[2]])


def test_mended_rows_are_of_the_extract_that_they_mend(desk: Desk) -> None:
    delivery = desk.deliver(file_of([*insured(1), "3,いつか,転入,,,一般"]))
    assert (
        desk.send(file_of(["1,麻しん,1,R5.4.1"], SHOTS), department=HEALTH, mends=delivery.delivery_id).state == REFUSED
    )
    # The name that the rejects were exported under says it too.
    named = desk.send(file_of(insured(3)), f"{delivery.delivery_id}_mended (1).csv")
    assert named.mends == delivery.delivery_id


def test_originals_past_their_retention_are_not_missed(desk: Desk) -> None:
    delivery = desk.deliver(file_of([*insured(1), "3,いつか,転入,,,一般"]))
    for path in desk.home.store.rglob("*"):
        if path.is_file():
            path.unlink()
    checked = desk.send(file_of(insured(1, 2)), "n_20260501.csv")
    assert checked.state == READY
    assert checked.result is not None
    assert checked.result["differences"] is None
    assert delivery.delivery_id


def test_what_a_withdrawal_changes_is_counted(desk: Desk) -> None:
    first = desk.deliver(file_of(insured(1, 2)), "n_20260401.csv")
    second = desk.deliver(file_of(insured(1, 2, 3)), "n_20260501.csv")

    def of(delivery: Delivery) -> tuple:
        facts = f"(select unnest(['a', 'a', 'b']) as person_id, '{second.delivery_id}' as delivery_id)"
        with connect(desk.home, read_only=True) as connection:
            what = consequences(connection, delivery.delivery_id, deliveries="raw.deliveries",
                                rejects="raw.reject_states", facts=facts)  # fmt: skip
        return what.rows, what.facts, what.people, what.is_state, (what.other_full or {}).get("delivery_id")

    assert of(second) == (3, 3, 2, True, first.delivery_id)
    assert of(first) == (2, 0, 0, False, None)
    decide(desk.home, second.delivery_id, "withdraw", "x", "steward")
    assert of(first) == (2, 0, 0, True, None)
    with connect(desk.home, read_only=True) as connection, pytest.raises(LookupError):
        consequences(connection, "x", deliveries="raw.deliveries", rejects="raw.reject_states", facts="raw.rejects")


def test_the_landing_folder_is_the_one_that_runs_look_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KODOMO_LANDING", raising=False)
    desk = Desk(tmp_path)
    assert landing_of(desk.home) == desk.home.landing
    checked = desk.send(file_of(insured(1)))
    desk.uploads.hand_over(checked.upload_id, [HOLDER], landing_of(desk.home), "x")
    assert len([*desk.home.landing.rglob("*.csv")]) == 1
    monkeypatch.setenv("KODOMO_LANDING", str(tmp_path / "gone"))
    other = desk.send(file_of(insured(2)))
    with pytest.raises(UploadError, match="landing folder"):
        desk.uploads.hand_over(other.upload_id, [HOLDER], landing_of(desk.home), "x")
