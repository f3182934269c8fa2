"""The ``kodomo`` command. Each module of ``orchestration.commands`` adds its own commands."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import typer

from kodomo.errors import ExitCode, KodomoError
from orchestration import commands

TELEMETRY_OFF = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "GX_ANALYTICS_ENABLED": "false",
    "SCARF_ANALYTICS": "false",
}


def build_app() -> typer.Typer:
    """The command with all its sub-commands, in the order of their modules' names."""
    app = typer.Typer(
        name="kodomo",
        help="こども統合DB: the integrated child data warehouse of a city.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for module in sorted(info.name for info in pkgutil.iter_modules(commands.__path__)):
        importlib.import_module(f"{commands.__name__}.{module}").register(app)
    return app


def main() -> None:
    """Run the command; an error that a person can mend is printed without a stack trace."""
    os.environ.update(TELEMETRY_OFF)
    try:
        build_app()()
    except KodomoError as error:
        typer.secho(str(error), fg="red", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.FAILED)


if __name__ == "__main__":
    main()
