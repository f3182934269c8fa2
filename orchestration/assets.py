"""The asset graph: the extracts, the dbt models, the publication; dbt tests and expectations are checks on them.

No postponed annotations here: Dagster reads the types of a step's parameters when it is defined.
"""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from expectations.results import QualityResult
from expectations.suites import ALL
from expectations.suites.building import BLOCKS
from kodomo.clock import today
from kodomo.contract import Contract, load_contracts
from kodomo.dbt_runner import NodeResult, load_manifest, unbuilt
from kodomo.errors import KodomoError, PublicationHeldError, WarehouseBusyError, without_values
from kodomo.home import Home
from kodomo.ingest.deliveries import last_delivered
from kodomo.ingest.landing import settling
from orchestration.batch import Batch

RUN_ID_TAG = "kodomo/run_id"
ON_TIME = "delivered_on_time"
GATE = "gate_is_open"
MAX_NODES_SHOWN = 10
RETRIES, RETRY_SECONDS = 3, 60
"""Another run takes about a minute. What the first try has loaded, the second finds loaded."""
BATCHES: dict[str, Batch] = {}
"""The batches of this process by run: Dagster makes resources anew for each step, their state must not be."""


@dataclass(frozen=True)
class BatchResource:
    """The run's parameters, and the batch that its steps share within one process.

    No configuration of Dagster's: who asks for a run chooses neither folder nor date.
    """

    landing: str
    as_of_on: str = ""
    strict: bool = False

    def batch(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Batch:
        """The batch of this run: the caller's in the same process, else one made at its first use."""
        key = context.run.tags.get(RUN_ID_TAG, context.run.run_id)
        if key not in BATCHES:
            as_of_on = dt.date.fromisoformat(self.as_of_on) if self.as_of_on else today()
            home = Home.from_environment()
            # What is still being written is left to the sensor, which starts another run for it.
            BATCHES[key] = Batch(home, Path(self.landing), as_of_on, self.strict, retries=RETRIES, settling=settling())
        return BATCHES[key]


def configured_batch() -> dg.ResourceDefinition:
    """The resource of a scheduled run: the landing folder of the service, today's date. It takes no configuration."""
    return dg.ResourceDefinition(
        resource_fn=lambda _: BatchResource(landing=os.environ.get("KODOMO_LANDING", "")),
        config_schema={},
        description="The landing folder is that of `kodomo serve --landing`, the date today.",
    )


@contextmanager
def without_values_in_errors(run: Batch) -> Iterator[None]:
    """What goes wrong in a step ends up in Dagster's event log: without what an engine's message quotes.

    An unattended run waits for a warehouse that another run holds.
    """
    try:
        yield
    except WarehouseBusyError as error:
        if run.retries:
            raise dg.RetryRequested(run.retries, RETRY_SECONDS) from error
        run.raised = error
        raise
    except KodomoError as error:
        run.raised = error
        run.lock.release()
        raise
    except Exception as error:
        run.lock.release()
        run.raised = KodomoError(
            "{name}: {without_values}", name=type(error).__name__, without_values=without_values(str(error))
        )
        raise run.raised from None


class LayerTranslator(DagsterDbtTranslator):
    """Assets keep dbt's keys (schema, name); they are grouped by their folder in models/."""

    def get_group_name(self, dbt_resource_props: Any) -> str | None:
        """staging_citizens, intermediate_family, marts_risk … from the model's path."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return "_".join(dbt_resource_props["fqn"][1:-1]) or None


TRANSLATOR = LayerTranslator()


def extract_assets() -> dg.AssetsDefinition:
    """One asset per source: the rows of its deliveries in schema raw."""
    contracts = load_contracts()
    specs = [
        dg.AssetSpec(
            ["raw", source_id],
            group_name="raw",
            description=contract.title,
            metadata={"holder": contract.holder_ja, "delivery": contract.delivery},
        )
        for source_id, contract in contracts.items()
    ]
    ledgers = [table.split(".") for table in ALL["raw"]]
    specs += [dg.AssetSpec(ledger, group_name="raw", description="Kept by the ingest.") for ledger in ledgers]

    checks = [
        dg.AssetCheckSpec(
            ON_TIME,
            asset=["raw", source_id],
            description=f"納品の周期：{contract.rhythm}（{contract.late_after_days}日）",
        )
        for source_id, contract in contracts.items()
        if contract.late_after_days
    ]

    @dg.multi_asset(specs=specs, check_specs=checks, name="extracts")
    def extracts(
        context: dg.AssetExecutionContext, batch: dg.ResourceParam[BatchResource]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        run = batch.batch(context)
        with without_values_in_errors(run):
            deliveries = run.ingest()
            last = last_delivered(run.home, run.as_of_on)
        for source_id in contracts:
            latest = [delivery for delivery in deliveries if delivery.source_id == source_id]
            yield dg.MaterializeResult(
                asset_key=["raw", source_id],
                metadata={
                    "files": len(latest),
                    "rows_read": sum(delivery.rows_read or 0 for delivery in latest),
                    "rows_loaded": sum(delivery.rows_loaded or 0 for delivery in latest),
                    "rows_rejected": sum(delivery.rows_rejected or 0 for delivery in latest),
                    "status": ", ".join(sorted({delivery.status for delivery in latest})) or "no delivery",
                },
            )
        for ledger in ledgers:
            yield dg.MaterializeResult(asset_key=ledger)
        for source_id, contract in contracts.items():
            if contract.late_after_days:
                yield on_time(contract, last.get(source_id), run.as_of_on)

    return extracts


def on_time(contract: Contract, last_on: dt.date | None, as_of_on: dt.date) -> dg.AssetCheckResult:
    """Whether the next delivery of a source is not late yet; ``last_on``: its last delivery."""
    late_from = last_on + dt.timedelta(days=contract.late_after_days or 0) if last_on else None
    return dg.AssetCheckResult(
        passed=late_from is not None and as_of_on < late_from,
        asset_key=["raw", contract.source_id],
        check_name=ON_TIME,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "last_delivered_on": last_on.isoformat() if last_on else "no delivery",
            "late_from": late_from.isoformat() if late_from else "now",
        },
    )


def model_assets(manifest: dict[str, Any]) -> dg.AssetsDefinition:
    """The dbt models and seeds; their tests are asset checks. dbt runs in this process."""

    @dbt_assets(manifest=manifest, name="warehouse", dagster_dbt_translator=TRANSLATOR)
    def warehouse(context: dg.AssetExecutionContext, batch: dg.ResourceParam[BatchResource]) -> Iterator[Any]:
        run = batch.batch(context)
        with without_values_in_errors(run):
            nodes = run.build()
        for node in nodes:
            yield from _node_events(context, manifest, node)
        if run.build_errors:
            raise build_error(run)
        if run.gate_failures:
            raise held_error(run)

    return warehouse


def _node_events(context: dg.AssetExecutionContext, manifest: dict[str, Any], node: NodeResult) -> Iterator[Any]:
    if node.resource_type == "test":
        key = get_asset_check_key_for_test(manifest, TRANSLATOR, node.unique_id, None)
        if key is not None and key in context.selected_asset_check_keys and node.status != "skipped":
            yield dg.AssetCheckResult(
                passed=node.status == "pass",
                asset_key=key.asset_key,
                check_name=key.name,
                metadata={"failures": node.failures or 0},
            )
    elif node.status == "success":
        spec = TRANSLATOR.get_asset_spec(manifest, node.unique_id, None)
        if spec.key in context.selected_asset_keys:
            yield dg.Output(
                None,
                output_name=context.output_for_asset_key(spec.key),
                metadata={"seconds": node.seconds},
            )


def held_error(run: Batch) -> PublicationHeldError:
    """What held the publication, for people; kept in ``Batch.raised``."""
    run.raised = PublicationHeldError(
        "Nothing was published; what is in service stays. Held by:\n  {failures}",
        failures="\n  ".join(run.gate_failures),
    )
    return run.raised


def build_error(run: Batch) -> KodomoError:
    """What could not be built, for people; kept in ``Batch.raised``."""
    nodes = unbuilt(run.nodes)
    run.raised = KodomoError(
        "{count} dbt nodes could not be built:\n  {nodes}", count=len(nodes), nodes="\n  ".join(nodes[:MAX_NODES_SHOWN])
    )
    return run.raised


def expectation_checks(bi_tables: list[str]) -> dg.AssetChecksDefinition:
    """Every expectation as a check on its table, and the gate: the publication waits for it."""
    specs = [
        dg.AssetCheckSpec(check.name, asset=table.split("."), description=check.label_ja)
        for tables in ALL.values()
        for table, checks in tables.items()
        for check in checks
    ]
    # On what is published: nothing but the publication is downstream of it, so that nothing else waits.
    gates = [
        dg.AssetCheckSpec(GATE, asset=["marts", table], blocking=True, description="公開を止めるものがない")
        for table in bi_tables
    ]

    @dg.multi_asset_check(specs=[*specs, *gates], name="expectations")
    def expectations(
        context: dg.AssetCheckExecutionContext, batch: dg.ResourceParam[BatchResource]
    ) -> Iterator[dg.AssetCheckResult]:
        run = batch.batch(context)
        with without_values_in_errors(run):
            results = run.check()
        yield from (expectation_event(result) for result in results)
        for spec in gates:
            yield dg.AssetCheckResult(passed=not run.gate_failures, asset_key=spec.asset_key, check_name=GATE)
        if run.gate_failures:
            raise held_error(run)

    return expectations


def expectation_event(result: QualityResult) -> dg.AssetCheckResult:
    """The result of an expectation as a check on its table: counts, and whether it could be carried out at all."""
    return dg.AssetCheckResult(
        passed=result.status == "passed",
        asset_key=result.table.split("."),
        check_name=result.expectation,
        severity=dg.AssetCheckSeverity.ERROR if result.severity == BLOCKS else dg.AssetCheckSeverity.WARN,
        metadata={
            "status": result.status,
            "severity": result.severity,
            "unexpected": result.unexpected_count if result.unexpected_count is not None else "unknown",
            "rows": result.element_count if result.element_count is not None else "unknown",
        },
    )


def publication_asset(bi_tables: list[str]) -> dg.AssetsDefinition:
    """The publication: a file per scope, switched at once."""

    @dg.asset(
        name="publication",
        group_name="publication",
        deps=[["marts", table] for table in bi_tables],
        description="published/current: one read-only file per scope.",
    )
    def publication(context: dg.AssetExecutionContext, batch: dg.ResourceParam[BatchResource]) -> dg.MaterializeResult:
        run = batch.batch(context)
        with without_values_in_errors(run):
            if not run.expectations:
                # A run started without the checks must not skip the gate.
                run.check()
            if run.gate_failures:
                raise held_error(run)
            folder = run.publish()
        return dg.MaterializeResult(
            metadata={
                "run_id": run.run_id,
                "scopes": len(list(folder.glob("*.duckdb"))),
                "expectations": len(run.expectations),
            }
        )

    return publication


def all_assets() -> list[dg.AssetsDefinition]:
    """Every asset of the city, and the checks on them."""
    manifest = load_manifest()
    bi_tables = sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["name"].startswith("bi_")
    )
    return [
        extract_assets(),
        model_assets(manifest),
        expectation_checks(bi_tables),
        publication_asset(bi_tables),
    ]
