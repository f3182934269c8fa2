"""The code location that Dagster loads."""

import dagster as dg

from orchestration.assets import BatchResource, all_assets
from orchestration.jobs import batch_job, landing_folder, monthly, nightly, retention

defs = dg.Definitions(
    assets=all_assets(),
    jobs=[batch_job, retention],
    schedules=[nightly, monthly],
    sensors=[landing_folder],
    resources={"batch": BatchResource(landing=dg.EnvVar("KODOMO_LANDING"))},
    executor=dg.in_process_executor,
)
