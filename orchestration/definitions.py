"""The code location that Dagster loads."""

import dagster as dg

from orchestration.assets import all_assets, configured_batch
from orchestration.jobs import batch_job, hourly, landing_folder, monthly, nightly, notices, retention

defs = dg.Definitions(
    assets=all_assets(),
    jobs=[batch_job, retention, notices],
    schedules=[nightly, monthly, hourly],
    sensors=[landing_folder],
    resources={"batch": configured_batch()},
    executor=dg.in_process_executor,
)
