"""The ``kodomo`` command. Each module of ``orchestration.commands`` adds its own commands."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import Annotated, Literal

import typer

from kodomo.errors import ExitCode, KodomoError
from kodomo.home import Home
from kodomo.messages import in_language
from kodomo.versions import require_compatible
from orchestration import commands
from orchestration.language import choose_language, language, translate_help

TELEMETRY_OFF = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "GX_ANALYTICS_ENABLED": "false",
    "SCARF_ANALYTICS": "false",
}


OF_ANY_HOME = {"doctor", "restore", "score", "serve", "synth", "upgrade"}
"""Commands that need no home, or that judge by themselves whether this version may write it."""


def build_app() -> typer.Typer:
    """The command with all its sub-commands, in the order of their modules' names."""
    app = typer.Typer(
        name="kodomo",
        help="こども統合DB: the integrated child data warehouse of a city.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )

    @app.callback()
    def options(
        context: typer.Context,
        lang: Annotated[Literal["ja", "en"] | None, typer.Option(help="Language of messages; default: ja.")] = None,
    ) -> None:
        """こども統合DB: the integrated child data warehouse of a city."""
        if context.invoked_subcommand not in OF_ANY_HOME:
            require_compatible(Home.from_environment())

    for module in sorted(info.name for info in pkgutil.iter_modules(commands.__path__)):
        importlib.import_module(f"{commands.__name__}.{module}").register(app)
    return app


def main() -> None:
    """Run the command; an error that a person can mend is printed without a stack trace."""
    os.environ.update(TELEMETRY_OFF)
    try:
        choose_language(sys.argv[1:])
        translate_help(typer.main.get_command(build_app()))()
    except KodomoError as error:
        typer.secho(in_language(error, language()), fg="red", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.FAILED)


if __name__ == "__main__":
    main()
