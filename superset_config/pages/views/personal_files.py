"""個人情報ファイル簿: the files that a department keeps, and the draft of the assessment, as documents to print."""

from __future__ import annotations

from typing import Any

from flask import abort

from kodomo import clock
from kodomo.data_subjects.personal_files import TO_FILL_IN, personal_files
from superset_config.pages.base import EntryPage, as_pdf, audit, route
from superset_config.pages.documents import assessment_draft, file_register
from superset_config.pages.reach import Reach


def _holders(reach: Reach) -> tuple[str, ...] | None:
    """The departments whose files are shown: the user's own, or all for the overseeing one (None)."""
    departments = reach.scope.departments
    return None if reach.access.overseeing_department in departments else tuple(departments)


class PersonalFilesPage(EntryPage):
    """個人情報ファイル簿."""

    page, title = "personal_files", "個人情報ファイル簿"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The list of files, with the documents."""
        holders = _holders(reach)
        return self.show(
            "personal_files.html",
            reach,
            files=personal_files(holders),
            has_assessment=holders is None,
            to_fill_in=TO_FILL_IN,
        )

    @route("/register.pdf")
    def register(self, reach: Reach) -> Any:
        """個人情報ファイル簿 as a PDF."""
        audit("personal_files_print")
        return as_pdf(file_register(clock.today(), _holders(reach)), "personal-files.pdf")

    @route("/assessment.pdf")
    def assessment(self, reach: Reach) -> Any:
        """The draft of the assessment as a PDF, for the department that has to make it."""
        if _holders(reach) is not None:
            abort(403)
        audit("assessment_print")
        return as_pdf(assessment_draft(clock.today()), "assessment.pdf")
