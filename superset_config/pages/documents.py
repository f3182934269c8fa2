"""The documents about personal files as pages for printing, for the page and for the command."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import groupby

from kodomo.data_subjects.personal_files import TO_FILL_IN, assessment, personal_files
from superset_config.pages.base import printed


def file_register(on: dt.date, holders: Iterable[str] | None = None) -> str:
    """個人情報ファイル簿 as HTML: of all files, or of those of some departments."""
    return printed(
        "print_personal_files.html",
        files=personal_files(holders),
        overseer_ja=assessment().overseer_ja,
        to_fill_in=TO_FILL_IN,
        on=on,
    )


def assessment_draft(on: dt.date) -> str:
    """The draft of the assessment (PIA) as HTML."""
    facts = assessment()
    by_holder = sorted(facts.files, key=lambda file: file.holder_ja)
    by_retention = sorted(facts.files, key=lambda file: file.retention_months)
    return printed(
        "print_assessment.html",
        facts=facts,
        item_count=sum(len(file.items) for file in facts.files),
        promises=facts.promises,
        limits=facts.limits,
        by_holder=[(holder, list(files)) for holder, files in groupby(by_holder, key=lambda file: file.holder_ja)],
        by_retention=[
            ("・".join(map(str, months)), [file.name for file in files])
            for months, files in groupby(by_retention, key=lambda file: file.retention_months)
        ],
        to_fill_in=TO_FILL_IN,
        on=on,
    )
