"""What Dagster does for stewards: looks at the landing folder, tries again, judges lateness, deletes, tells."""

from __future__ import annotations

import datetime as dt
import os
import socket
import time
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from expectations.results import QualityResult, Status
from expectations.suites import ALL
from kodomo import clock
from kodomo.contract import load_contracts
from kodomo.errors import KodomoError, WarehouseBusyError
from kodomo.home import Home
from kodomo.ingest import landing
from kodomo.warehouse import connect
from orchestration import assets, jobs
from orchestration.batch import Batch
from orchestration.operations.notification import Message, channels, message_of, send

INSURANCE = "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分\n{},R5.4.1,転入,,,一般\n"


def put(folder: Path, name: str, number: int) -> Path:
    """A file of one insured person."""
    path = folder / "national_health_insurance" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(INSURANCE.format(number), encoding="cp932")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A landing folder, which a sensor looks at without waiting for files to settle."""
    monkeypatch.setattr(landing, "SETTLED_SECONDS", 0)
    monkeypatch.setenv("KODOMO_LANDING", str(tmp_path / "landing"))
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


def tick(cursor: str | None) -> tuple[list[str], str | None]:
    """The keys of the runs that one look asks for, and the next cursor."""
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance, cursor) as context:
        result = jobs.landing_folder(context)
        if isinstance(result, dg.SkipReason):
            return [], cursor
        return [str(request.run_key) for request in result.run_requests or []], result.cursor or cursor


def test_the_sensor_sees_what_is_new_whatever_its_name(folder: Path) -> None:
    assert tick(None)[0] == []
    path = put(folder, "n_20260401.csv", 1)
    first, cursor = tick(None)
    assert len(first) == 1
    assert tick(cursor)[0] == []
    # The same name, size and date, other bytes.
    before = path.stat()
    put(folder, "n_20260401.csv", 2)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    second, cursor = tick(cursor)
    assert len(second) == 1
    assert second != first
    # Touched, but the same bytes.
    path.touch()
    assert tick(cursor)[0] == []
    # What was there before asks for no second run of its own.
    put(folder, "n_20260401.csv", 1)
    assert tick(cursor)[0] == first


def test_a_file_that_is_being_written_waits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "SETTLED_SECONDS", 3600)
    put(folder, "n_20260401.csv", 1)
    assert landing.look(folder, landing.Landing()).unsettled == 1
    assert tick(None)[0] == []
    assert len(landing.look(folder, landing.Landing(), now=time.time() + 3601).files) == 1


def test_a_retry_takes_what_is_left_and_nothing_twice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kodomo.ingest import deliveries as ingest

    put(folder, "n_20260401.csv", 1)
    put(folder, "n_20260501.csv", 2)
    put(folder, "n_20260601.csv", 3)
    monkeypatch.setenv("KODOMO_HOME", str(tmp_path / "var"))
    monkeypatch.setattr(assets, "RETRY_SECONDS", 0)
    monkeypatch.setattr(assets, "BATCHES", {})
    tried = []
    take = ingest.take

    def breaks_off_once(*arguments, **named):
        tried.append(arguments[4].name)
        if len(tried) == 2:
            raise WarehouseBusyError("The warehouse is in use by another run.")
        return take(*arguments, **named)

    monkeypatch.setattr(ingest, "take", breaks_off_once)
    result = dg.materialize(
        [assets.extract_assets()],
        resources={"batch": assets.BatchResource(landing=str(folder), as_of_on="2026-05-15")},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    assert result.success
    assert tried == ["n_20260401.csv", "n_20260501.csv", "n_20260401.csv", "n_20260501.csv", "n_20260601.csv"]
    with connect(Home(tmp_path / "var"), read_only=True) as connection:
        loaded = connection.execute(
            "select delivered_on::varchar, count(*) from raw.national_health_insurance "
            "inner join raw.deliveries using (delivery_id) where status = 'loaded' group by all order by all"
        ).fetchall()
    assert loaded == [("2026-04-01", 1), ("2026-05-01", 1), ("2026-06-01", 1)]
    # The run tells of all three, and judges lateness by what was there on its date.
    (batch,) = assets.BATCHES.values()
    assert [delivery.file_name for delivery in batch.deliveries] == [
        "n_20260401.csv",
        "n_20260501.csv",
        "n_20260601.csv",
    ]
    checks = {check.asset_key.path[-1]: check for check in result.get_asset_check_evaluations()}
    assert checks["national_health_insurance"].passed
    assert not checks["resident_register"].passed
    assert "heard_observations" not in checks


@pytest.mark.parametrize(("day", "passed"), [(dt.date(2026, 5, 10), True), (dt.date(2026, 5, 11), False)])
def test_a_delivery_is_late_on_the_day_its_rhythm_says(day: dt.date, passed: bool) -> None:
    contract = load_contracts()["national_health_insurance"]
    assert contract.late_after_days == 40
    assert assets.on_time(contract, dt.date(2026, 4, 1), day).passed is passed


def checked(folder: Path, outcomes: dict[str, Status]) -> Batch:
    """A batch whose expectations pass, but for those in ``outcomes``, and which publishes nothing but a folder."""
    batch = Batch(Home(folder / "var"), folder, dt.date(2026, 4, 1))

    def check() -> list[QualityResult]:
        batch.expectations = [
            QualityResult(
                "run",
                layer,
                table,
                check.name,
                check.severity,
                outcomes.get(check.name, "passed"),
                0,
                9,
                dt.datetime(2026, 4, 1),
            )
            for layer, tables in ALL.items()
            for table, checks in tables.items()
            for check in checks
        ]
        return batch.expectations

    def publish() -> Path:
        batch.publication = folder
        return folder

    batch.check, batch.publish = check, publish  # type: ignore[method-assign]
    return batch


@pytest.mark.parametrize(
    ("outcomes", "with_checks", "published"),
    [
        ({}, True, True),
        ({"there_are_children": "failed"}, True, True),
        ({"one_row_per_child": "failed"}, True, False),
        ({"one_row_per_child": "errored"}, True, False),
        ({"one_row_per_child": "failed"}, False, False),
        ({}, False, True),
    ],
)
def test_expectations_are_checks_on_their_tables_and_what_blocks_holds_the_publication(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcomes: dict[str, Status], with_checks: bool, published: bool
) -> None:
    batch = checked(tmp_path, outcomes)
    monkeypatch.setattr(assets, "BATCHES", {"r": batch})
    tables = ["bi_child", "bi_area"]
    checks = [assets.expectation_checks(tables)] if with_checks else []
    keys = [["marts", table] for table in tables] + [table.split(".") for suite in ALL.values() for table in suite]

    @dg.multi_asset(specs=[dg.AssetSpec(key) for key in keys])
    def built():
        for key in keys:
            yield dg.MaterializeResult(asset_key=key)

    job = dg.Definitions(
        assets=[built, *checks, assets.publication_asset(tables)],
        jobs=[dg.define_asset_job("batch", selection=dg.AssetSelection.all())],
        resources={"batch": assets.BatchResource(landing=str(tmp_path))},
    ).resolve_job_def("batch")
    result = job.execute_in_process(
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={assets.RUN_ID_TAG: "r"},
        raise_on_error=False,
    )
    assert result.success is published
    assert (batch.publication is not None) is published
    seen = {(check.asset_key.path[-1], check.check_name): check for check in result.get_asset_check_evaluations()}
    if with_checks:
        assert len(seen) == sum(len(checks) for tables in ALL.values() for checks in tables.values()) + len(tables)
        assert {name for (_table, name), check in seen.items() if not check.passed} == {
            *outcomes,
            *([] if published else [assets.GATE]),
        }


class Kept(MessageHandler):
    """Keeps the mails that a server was handed."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list = []

    def prepare_message(self, session, envelope):
        """As it was sent, with its character set."""
        return message_from_bytes(envelope.content, policy=policy.default)

    def handle_message(self, message) -> None:
        """Keep it."""
        self.mails.append(message)


def settings(home: Home, text: str) -> Home:
    """Write notifications.yml of a home."""
    home.ensure()
    (home.root / "notifications.yml").write_text(text, encoding="utf-8")
    return home


def test_a_mail_reaches_a_mail_server(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = Kept()
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    try:
        home = settings(
            Home(tmp_path / "var"),
            f"channels:\n  - {{kind: file, folder: {tmp_path / 'drop'}}}\n"
            f"  - {{kind: smtp, host: 127.0.0.1, port: {port}, sender: k@example.jp, "
            "recipients: [a@example.jp, b@example.jp]}\n",
        )
        assert send(home, Message("公開を保留", "■ 不受理\n  <i>名簿</i>.csv：1件")) == []
    finally:
        server.stop()
    (mail,) = kept.mails
    assert (mail["Subject"], mail["From"], mail["To"]) == ("公開を保留", "k@example.jp", "a@example.jp, b@example.jp")
    assert mail.get_content().replace("\r", "").strip() == "■ 不受理\n  <i>名簿</i>.csv：1件"
    # Text, whatever a file is called: a mail program draws no element of it.
    assert mail.get_content_type() == "text/plain"
    (file,) = (tmp_path / "drop").iterdir()
    assert file.read_text(encoding="utf-8") == "公開を保留\n\n■ 不受理\n  <i>名簿</i>.csv：1件\n"
    # The address no longer answers: the other channel still delivers, and the run continues.
    assert send(home, Message("二つ目", "本文")) == ["Mail: ConnectionRefusedError"]
    assert len(list((tmp_path / "drop").iterdir())) == 2


@pytest.mark.parametrize(
    "entry",
    ["{kind: pigeon}", "{kind: file}", "{kind: smtp, host: h}", "{kind: smtp, host: h, sender: s, recipients: 1}"],
)
def test_wrong_channel_is_reported_by_its_number(tmp_path: Path, entry: str) -> None:
    home = settings(Home(tmp_path), f"channels:\n  - {{kind: file, folder: {tmp_path}}}\n  - {entry}\n")
    with pytest.raises(KodomoError, match="channel 2"):
        channels(home)


def test_sound_run_sends_no_message_and_a_fault_no_value(tmp_path: Path) -> None:
    batch = Batch(Home(tmp_path), tmp_path, dt.date(2026, 4, 1))
    assert message_of(batch) is None
    batch.deliveries = [
        SimpleNamespace(
            source_id="school_aid", file_name="a.csv", status="refused", rows_read=0, rows_rejected=0, reason="佐渡花子"
        ),
        SimpleNamespace(
            source_id="vaccinations", file_name="v.csv", status="loaded", rows_read=9, rows_rejected=2, reason=None
        ),
    ]
    blocking = QualityResult(
        "run", "marts", "marts.t", "name", "blocks_publication", "errored", None, 1, dt.datetime(2026, 4, 1), "点の合計"
    )
    batch.expectations = [blocking]
    held = message_of(batch, ["resident_register"])
    assert held is not None
    assert "公開を保留" in held.subject
    for text in ("a.csv：受取拒否", "v.csv：9件のうち2件", "点の合計（marts.t）：検査できず", "住民基本台帳"):
        assert text in held.body
    # The reason of a refusal quotes a heading of the file: it stays on the dashboard.
    assert "佐渡花子" not in held.body
    assert (
        "異常終了" in (message_of(Batch(Home(tmp_path), tmp_path, dt.date(2026, 4, 1)), error="busy") or held).subject
    )


@pytest.mark.parametrize(("is_failing", "messages"), [(True, ["公開できません"]), (False, [])])
def test_the_hooks_tell_of_a_failed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_failing: bool, messages: list[str]
) -> None:
    home = settings(Home(tmp_path / "var"), f"channels:\n  - {{kind: file, folder: {tmp_path / 'drop'}}}\n")
    monkeypatch.setattr(jobs, "BATCHES", {"r": Batch(home, tmp_path, dt.date(2026, 4, 1))})
    with connect(home) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.fct_source as select 'x' as source_id, false as is_late")

    @dg.op
    def publication() -> None:
        if is_failing:
            raise KodomoError("公開できません")

    @dg.job(hooks={jobs.notify_failure, jobs.notify_success}, tags={assets.RUN_ID_TAG: "r"})
    def run() -> None:
        publication()

    run.execute_in_process(
        raise_on_error=False, run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    )
    files = list((tmp_path / "drop").iterdir()) if (tmp_path / "drop").exists() else []
    assert len(files) == len(messages)
    assert all(text in file.read_text(encoding="utf-8") for text, file in zip(messages, files, strict=True))


def test_the_retention_job_deletes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setenv("KODOMO_HOME", str(tmp_path / "var"))
    monkeypatch.setattr("kodomo.data_subjects.retention.delete_due", lambda *given: called.append(given) or [])
    result = jobs.retention.execute_in_process(
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    )
    assert result.success
    assert called == [(Home(tmp_path / "var"), clock.today(), "retention")]
