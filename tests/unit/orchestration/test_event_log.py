"""Dagster's events lie in its own files, by whichever storage they are read."""

from pathlib import Path

import dagster as dg

from kodomo.home import Home
from orchestration.event_log import KeptConnectionsEventLogStorage, write_settings


@dg.op
def observe(context: dg.OpExecutionContext) -> None:
    for number in range(3):
        context.log_event(dg.AssetObservation(asset_key="children", metadata={"number": number}))


@dg.job
def observing() -> None:
    observe()


def test_events_of_a_run_are_read_by_dagsters_own_storage(tmp_path: Path) -> None:
    folder = write_settings(Home(tmp_path).ensure())
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        assert isinstance(instance.event_log_storage, KeptConnectionsEventLogStorage)
        run = observing.execute_in_process(instance=instance)
    settings = folder / "dagster.yaml"
    text = settings.read_text(encoding="utf-8")
    own = ("orchestration.event_log", KeptConnectionsEventLogStorage.__name__)
    theirs = ("dagster._core.storage.event_log", "SqliteEventLogStorage")
    for name, other in zip(own, theirs, strict=True):
        assert name in text
        text = text.replace(name, other)
    settings.write_text(text, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        assert not isinstance(instance.event_log_storage, KeptConnectionsEventLogStorage)
        kinds = [
            entry.dagster_event.event_type_value for entry in instance.all_logs(run.run_id) if entry.is_dagster_event
        ]
        assert kinds.count("ASSET_OBSERVATION") == 3
        assert kinds[-1] == dg.DagsterEventType.RUN_SUCCESS.value
        observations = instance.fetch_observations(dg.AssetKey("children"), limit=10).records
        assert sorted(record.asset_observation.metadata["number"].value for record in observations) == [0, 1, 2]


def test_wiped_storage_takes_events_again(tmp_path: Path) -> None:
    folder = write_settings(Home(tmp_path).ensure())
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        observing.execute_in_process(instance=instance)
        instance.event_log_storage.wipe()
        run = observing.execute_in_process(instance=instance)
        assert instance.all_logs(run.run_id)
