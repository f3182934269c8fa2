"""Run the Dagster job of the batch in this process, so that a command and the schedule do the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kodomo.disk import require_space
from kodomo.errors import KodomoError, without_values
from orchestration.batch import Batch

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult


def run_batch(batch: Batch) -> Batch:
    """Execute the job ``batch`` and return the batch with what came of it.

    An error that a person can mend ends up in ``batch.error``; anything else, and that there is no room, is raised.
    """
    # Dagster writes before the first step.
    require_space(batch.home, batch.landing)
    home = batch.home.ensure()
    os.environ["KODOMO_HOME"] = str(home.root)
    os.environ.setdefault("KODOMO_LANDING", str(batch.landing))

    import dagster as dg

    from orchestration.assets import BATCHES, RUN_ID_TAG
    from orchestration.definitions import defs
    from orchestration.event_log import write_settings

    BATCHES[batch.run_id] = batch
    job = defs.resolve_job_def("batch")
    with dg.DagsterInstance.from_config(str(write_settings(home))) as instance:
        try:
            result = job.execute_in_process(
                instance=instance,
                # What a person needs to know is shown by the command; Dagster keeps the rest as events.
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
                tags={RUN_ID_TAG: batch.run_id, "kodomo/as_of_on": batch.as_of_on.isoformat()},
            )
        finally:
            batch.lock.release()
        if not result.success:
            batch.error = batch.raised or _reason(result)
    return batch


def _reason(result: ExecuteInProcessResult) -> KodomoError:
    """The error of the step that failed in a run within this process, without stack trace and quoted values."""
    from kodomo.errors import PublicationHeldError

    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause or error
            if cause.cls_name == PublicationHeldError.__name__:
                return PublicationHeldError(cause.message.split(": ", 1)[-1].strip())
            if cause.cls_name in _kinds_of(KodomoError):
                return KodomoError(cause.message.split(": ", 1)[-1].strip())
            return KodomoError(
                "Step {step_key} failed: {without_values}",
                step_key=event.step_key,
                without_values=without_values(cause.message),
            )
    return KodomoError("The run failed before its first step.")


def _kinds_of(error: type[Exception]) -> set[str]:
    return {error.__name__}.union(*(_kinds_of(kind) for kind in error.__subclasses__()))
