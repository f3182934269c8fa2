"""The language in which the command speaks to people; what it prints for machines is always English."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click
import typer

from kodomo.messages import ENGLISH, JAPANESE, LANGUAGES, render

VARIABLE = "KODOMO_LANG"


def language() -> str:
    """``--lang``, else English where LANG begins with en, else Japanese."""
    chosen = os.environ.get(VARIABLE)
    if chosen in LANGUAGES:
        return chosen
    return ENGLISH if os.environ.get("LANG", "").startswith("en") else JAPANESE


def choose_language(arguments: Sequence[str]) -> None:
    """Take ``--lang`` from a command line before the command is built: its help is in that language, too."""
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            os.environ[VARIABLE] = argument.removeprefix("--lang=")
        elif argument == "--lang" and place + 1 < len(arguments):
            os.environ[VARIABLE] = arguments[place + 1]


def translated(template: str, **details: Any) -> str:
    """A message of the catalogue in the language at hand."""
    return render(template, language(), **details)


def say(template: str, *, err: bool = False, fg: str | None = None, **details: Any) -> None:
    """Print a message of the catalogue to a person."""
    typer.secho(translated(template, **details), err=err, fg=fg)


def translate_help(command: click.Command) -> click.Command:
    """The help of a command, its options and sub-commands in the language at hand; returns the command."""
    if command.help:
        command.help = translated(command.help)
    for parameter in command.params:
        if text := getattr(parameter, "help", None):
            parameter.help = translated(text)
    for child in getattr(command, "commands", {}).values():
        translate_help(child)
    return command
