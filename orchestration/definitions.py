"""What Dagster loads."""

import dagster as dg

from orchestration.assets import BatchResource, all_assets

batch_job = dg.define_asset_job("batch", selection=dg.AssetSelection.all(), description="一括検討")

nightly = dg.ScheduleDefinition(
    name="nightly",
    job=batch_job,
    cron_schedule="0 2 * * *",
    execution_timezone="Asia/Tokyo",
    description="After the holders' evening exports, before the offices open.",
)

defs = dg.Definitions(
    assets=all_assets(),
    jobs=[batch_job],
    schedules=[nightly],
    resources={"batch": BatchResource(landing=dg.EnvVar("KODOMO_LANDING"))},
    executor=dg.in_process_executor,
)
