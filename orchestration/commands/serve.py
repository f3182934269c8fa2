"""``kodomo serve``: Superset and Dagster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from orchestration.language import say


def register(app: typer.Typer) -> None:
    """Add ``kodomo serve``."""

    @app.command()
    def serve(
        host: Annotated[str, typer.Option(help="Address that Superset listens on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="Port of Superset.")] = 8088,
        dagster_port: Annotated[int, typer.Option(help="Port of Dagster (this machine only); 0: no Dagster.")] = 3000,
        metrics_port: Annotated[
            int,
            typer.Option(
                help="Port of the figures for Prometheus (this machine only); 0: none.", envvar="KODOMO_METRICS_PORT"
            ),
        ] = 0,
        landing: Annotated[Path | None, typer.Option(help="Landing folder of the nightly schedule.")] = None,
        workers: Annotated[int, typer.Option(help="Processes of Superset.")] = 2,
        detach: Annotated[bool, typer.Option("--detach", help="Return once both answer.")] = False,
        stop: Annotated[bool, typer.Option("--stop", help="Stop what runs in the background.")] = False,
    ) -> None:
        """Start Superset and Dagster, wait until they answer, and say where to log in as whom."""
        import time

        from kodomo.home import Home
        from kodomo.publication import check_in_service
        from kodomo.versions import require_compatible
        from orchestration.operations import serving
        from superset_config.security.metadata import upgrade

        home = Home.from_environment()
        if stop:
            names = serving.stop(home)
            say("Stopped: {names}.", names=", ".join(names)) if names else say("Nothing was running.")
            return
        require_compatible(home)
        check_in_service(home)
        upgrade(home)
        wanted = serving.services(
            home,
            host,
            port,
            dagster_port or None,
            landing.resolve() if landing else None,
            workers,
            metrics_port or None,
        )
        processes = serving.start(home, wanted)
        for service in wanted:
            if service.has_page:
                typer.echo(f"{service.name}: {service.address}")
        if dagster_port:
            say(
                "Dagster asks for a name and a secret: viewer, {viewer}; operator (starts and stops runs), {operator}.",
                viewer=home.dagster_viewer_key,
                operator=home.dagster_operator_key,
            )
        if not os.environ.get("KODOMO_NETWORKS"):
            say("Only this machine reaches them: KODOMO_NETWORKS lists no network.")
        if home.demo_accounts.exists():
            say("Accounts and initial passwords: {demo_accounts}", demo_accounts=home.demo_accounts)
        if detach:
            say("They run in the background: `kodomo serve --stop` stops them.")
            return
        say("Ctrl-C stops them.")
        try:
            while all(process.poll() is None for process in processes):
                time.sleep(1)
        finally:
            serving.stop(home)
