"""A batch in a terminal: its steps as they go on, then what a person has to look at."""

from __future__ import annotations

from typing import Any

SETTLED_SECONDS = 5
"""A file that changed less long ago is waited for: a person has just started the run, and most files are long there."""
PATIENCE_SECONDS = 60


def run_with_progress(batch: Any) -> None:
    """Run a batch (``orchestration.batch.Batch``) with its progress on standard error."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from kodomo.register import left_out
    from orchestration.console import print_table
    from orchestration.language import language, translated
    from orchestration.run import run_batch

    steps = {
        "ingest": translated("Ingest"),
        "build": translated("Build"),
        "check": translated("Check"),
        "publish": translated("Publish"),
    }
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<8}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[item]}"),
    )
    with Progress(*columns, console=console) as display:
        tasks = {step: display.add_task(label, total=None, start=False, item="") for step, label in steps.items()}

        def follow(step: str, item: str) -> None:
            for name, task in tasks.items():
                if name == step:
                    display.start_task(task)
                    display.update(task, item=item.rsplit(".", 1)[-1])
                elif not display.tasks[task].finished and list(tasks).index(name) < list(tasks).index(step):
                    display.update(task, total=1, completed=1)

        batch.progress = follow
        run_batch(batch)
        if batch.error is None:
            for task in tasks.values():
                display.update(task, total=1, completed=1)
    noticed = [
        {
            "source": delivery.source_id,
            "file": delivery.file_name,
            "status": delivery.status,
            "read": delivery.rows_read,
            "loaded": delivery.rows_loaded,
            "rejected": delivery.rows_rejected,
            "reason": delivery.in_language(language()),
        }
        for delivery in batch.deliveries
        if delivery.status != "loaded" or delivery.rows_rejected or delivery.reason
    ]
    noticed += [
        {
            "source": file.source_id,
            "file": file.file_name,
            "status": translated("left for later"),
            "read": None,
            "loaded": None,
            "rejected": None,
            "reason": file.reason.in_language(language()),
        }
        for file in batch.left
    ]
    if noticed:
        print_table(console, noticed)
    if not_used := left_out(batch.as_of_on):
        console.print(translated("Not used, as the register of data items says: {names}.", names=", ".join(not_used)))
    if batch.publication is not None:
        console.print(
            translated("Published {name} as of {as_of_on}.", name=batch.publication.name, as_of_on=batch.as_of_on)
        )
