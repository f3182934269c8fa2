"""The jobs, their schedules and sensors, and the notifications they send."""

import dataclasses
import os
from pathlib import Path

import dagster as dg
import duckdb
from sqlalchemy.exc import SQLAlchemyError

from kodomo import clock
from kodomo.errors import KodomoError, PublicationHeldError, WarehouseBusyError
from kodomo.home import Home
from kodomo.ingest.landing import Landing, look
from orchestration.assets import BATCHES, RUN_ID_TAG
from orchestration.batch import Batch

SENSOR_SECONDS = 60


@dg.failure_hook
def notify_failure(context: dg.HookContext) -> None:
    """Notifies stewards of the reason when a step has failed."""
    # The batch itself reports a held publication.
    error = context.op_exception
    _tell(context, None if isinstance(error, PublicationHeldError) else _reason(error))


@dg.success_hook
def notify_success(context: dg.HookContext) -> None:
    """Notifies stewards of what needs their attention after the last step."""
    if context.op.name == "publication":
        _tell(context, None)
        _judge_notices(context)


def _judge_notices(context: dg.HookContext) -> None:
    """Judge the notices to case workers by the new publication, so that no page waits for it."""
    from kodomo.determination.notices import bring_up_to_date
    from kodomo.entries.store import EntryStore

    batch = _batch_of(context)
    if batch is None:
        return
    try:
        bring_up_to_date(batch.home, EntryStore(batch.home), clock.today())
    except (KodomoError, SQLAlchemyError, duckdb.Error) as error:
        # The next page that is opened judges them.
        context.log.warning(f"Notices were not judged: {type(error).__name__}")


def _batch_of(context: dg.HookContext) -> Batch | None:
    """The batch of the run that a hook was called in; None where another process has it."""
    run = context.instance.get_run_by_id(context.run_id)
    return BATCHES.get(run.tags.get(RUN_ID_TAG, context.run_id)) if run else None


def _reason(error: BaseException | None) -> str:
    return str(error) if isinstance(error, KodomoError) else type(error).__name__


def _tell(context: dg.HookContext, error: str | None) -> None:
    from kodomo.warehouse import connect
    from orchestration.operations.notification import message_of, send
    from superset_config.security.grants import ending

    batch = _batch_of(context)
    if batch is None:
        return
    late = []
    if error is None:
        with connect(batch.home, read_only=True) as connection:
            late = [
                row[0] for row in connection.execute("select source_id from marts.fct_source where is_late").fetchall()
            ]
    if message := message_of(batch, late, error, ending(batch.home, clock.today())):
        for problem in send(batch.home, message):
            context.log.warning(f"Stewards got no message: {problem}")


batch_job = dg.define_asset_job(
    "batch",
    selection=dg.AssetSelection.all(),
    description="一括検討",
    hooks={notify_failure, notify_success},
)

nightly = dg.ScheduleDefinition(
    name="nightly",
    job=batch_job,
    cron_schedule="0 2 * * *",
    execution_timezone="Asia/Tokyo",
    description="After the holders' evening exports, before the offices open.",
)


@dg.sensor(job=batch_job, minimum_interval_seconds=SENSOR_SECONDS, description="納品フォルダ")
def landing_folder(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """A run as soon as the landing folder holds other bytes than at the last look, under whatever name."""
    folder = Path(os.environ.get("KODOMO_LANDING", ""))
    if not os.environ.get("KODOMO_LANDING") or not folder.is_dir():
        return dg.SkipReason("KODOMO_LANDING names no folder.")
    before = Landing.from_cursor(context.cursor)
    now = look(folder, before)
    if not now.files or now.digest == before.digest:
        waiting = f" {now.unsettled} are still being written." if now.unsettled else ""
        return dg.SensorResult(
            skip_reason=f"{len(now.files)} files, nothing new.{waiting}", cursor=now.to_cursor() if now.files else None
        )
    # The key is what the files hold: two looks at one state start one run.
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=now.digest)], cursor=now.to_cursor())


@dg.op(description="保存期間を過ぎたものの削除")
def delete_what_is_past_its_retention(context: dg.OpExecutionContext) -> None:
    """Delete it, and keep the counts in the log of the run."""
    from kodomo.data_subjects.retention import delete_due

    try:
        deleted = delete_due(Home.from_environment(), clock.today(), "retention")
    except WarehouseBusyError as error:
        raise dg.RetryRequested(max_retries=3, seconds_to_wait=60) from error
    for one in deleted:
        fields = {name: str(value) for name, value in dataclasses.asdict(one).items()}
        context.log.info(" ".join(f"{name}={value}" for name, value in fields.items()))


@dg.job(description="保存期間を過ぎたものの削除")
def retention() -> None:
    """What the register lets be kept no longer."""
    delete_what_is_past_its_retention()


monthly = dg.ScheduleDefinition(
    name="monthly_retention",
    job=retention,
    cron_schedule="0 4 1 * *",
    execution_timezone="Asia/Tokyo",
    description="On the first of a month, after the batch.",
)


@dg.op(description="お知らせのメール")
def send_digests_of_notices(context: dg.OpExecutionContext) -> None:
    """Send the digest of the day once, and what could not be sent before; mails that still wait are in the log."""
    from kodomo.entries.store import EntryStore
    from orchestration.operations.digest import send_digests

    home = Home.from_environment()
    for problem in send_digests(home, EntryStore(home), clock.today()):
        context.log.warning(f"A digest waits: {problem}")


@dg.job(description="お知らせのメール")
def notices() -> None:
    """Counts of new notices, by mail."""
    send_digests_of_notices()


hourly = dg.ScheduleDefinition(
    name="hourly_notices",
    job=notices,
    cron_schedule="30 7-18 * * *",
    execution_timezone="Asia/Tokyo",
    description="The digest before the offices open; later, what the mail server did not take.",
)
