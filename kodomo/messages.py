"""What commands say, in the language of those who read it: Japanese unless English is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from kodomo.errors import KodomoError

CATALOGUE = Path(__file__).with_name("messages.ja.yml")
JAPANESE, ENGLISH = "ja", "en"
LANGUAGES = (JAPANESE, ENGLISH)
Translate = Callable[..., str]
"""A template and its details → the message in the language of the reader."""


@cache
def catalogue() -> dict[str, str]:
    """Japanese by English template; both have the same names in braces."""
    return YAML(typ="safe").load(CATALOGUE.read_text(encoding="utf-8")) or {}


class Sentence:
    """A template of the catalogue with its details, which may have ``in_language`` too; as text it is English."""

    def __init__(self, template: str, **details: Any) -> None:
        self.template, self.details = template, details

    def __str__(self) -> str:
        return self.in_language(ENGLISH)

    def in_language(self, language: str) -> str:
        """The sentence in a language."""
        return render(self.template, language, **self.details)


class Enumeration:
    """Several sentences that stand in another one; as text they are English."""

    def __init__(self, sentences: Iterable[Sentence]) -> None:
        self.sentences = tuple(sentences)

    def __str__(self) -> str:
        return self.in_language(ENGLISH)

    def in_language(self, language: str) -> str:
        """The sentences in a language."""
        separator = "、" if language == JAPANESE else "; "
        return separator.join(sentence.in_language(language) for sentence in self.sentences)


def sentence_of(error: KodomoError) -> Sentence:
    """What an error says."""
    return Sentence(error.template, **error.details)


def render(template: str, language: str, **details: Any) -> str:
    """A message in a language; in English where the catalogue does not have it."""
    text = template if language == ENGLISH else catalogue().get(template, template)
    said = {
        name: detail.in_language(language) if hasattr(detail, "in_language") else detail
        for name, detail in details.items()
    }
    return text.format(**said) if said else text


def english(template: str, **details: Any) -> str:
    """A message in English: the default of a report that is given no language."""
    return render(template, ENGLISH, **details)


def in_language(error: KodomoError, language: str) -> str:
    """What an error says, in a language. An error of a page brings its Japanese (``ja``) along."""
    if language == JAPANESE and (text := getattr(error, "ja", "")):
        return text
    return render(error.template, language, **error.details)
