"""``kodomo run``: the batch over a landing folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.options import JSON, AsOf


def register(app: typer.Typer) -> None:
    """Add ``kodomo run``."""

    @app.command()
    def run(
        landing: Annotated[Path, typer.Option(help="Folder with a folder of CSV files per source.")],
        as_of: AsOf,
        strict: Annotated[bool, typer.Option(help="A refused or held delivery stops the run.")] = False,
        as_json: JSON = False,
    ) -> None:
        """Ingest, build, check and publish. Exit codes: 0 done, 1 failed, 3 a gate held the publication."""
        from kodomo.errors import UsageError
        from kodomo.home import Home
        from kodomo.ingest.folder import Settling
        from orchestration.batch import Batch
        from orchestration.batch_display import PATIENCE_SECONDS, SETTLED_SECONDS, run_with_progress
        from orchestration.run import run_batch

        as_of_on = as_of.date()
        if not landing.is_dir():
            raise UsageError("There is no folder {landing}: --landing takes a folder of extracts.", landing=landing)
        settling = Settling.from_environment(SETTLED_SECONDS, PATIENCE_SECONDS)
        batch = Batch(Home.from_environment(), landing.resolve(), as_of_on, strict, settling=settling)
        if as_json:
            run_batch(batch)
            typer.echo(json.dumps(summary(batch), ensure_ascii=False))
        else:
            run_with_progress(batch)
        if batch.error is not None:
            raise batch.error
        raise typer.Exit(batch.exit_code)


def summary(batch: Any) -> dict[str, Any]:
    """What came of a batch, for machines: no value of a person in it."""
    from kodomo.register import left_out

    return {
        "run_id": batch.run_id,
        "as_of": batch.as_of_on.isoformat(),
        "deliveries": [
            {
                "delivery_id": delivery.delivery_id,
                "source_id": delivery.source_id,
                "file_name": delivery.file_name,
                "status": delivery.status,
                "rows_read": delivery.rows_read,
                "rows_loaded": delivery.rows_loaded,
                "rows_rejected": delivery.rows_rejected,
                "reason": delivery.reason,
            }
            for delivery in batch.deliveries
        ],
        "left_for_later": [
            {"source_id": file.source_id, "file_name": file.file_name, "reason": str(file.reason)}
            for file in batch.left
        ],
        "not_used": left_out(batch.as_of_on),
        "nodes": len(batch.nodes),
        "expectations": len(batch.expectations),
        "held_by": batch.gate_failures,
        "published": batch.publication.name if batch.publication else None,
        "error": str(batch.error) if batch.error else None,
        "exit_code": int(batch.exit_code),
    }
