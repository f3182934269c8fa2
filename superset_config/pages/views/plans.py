"""アセスメント before the meeting, and サポートプラン after it with a copy for the family."""

from __future__ import annotations

import uuid
from typing import Any

from flask import redirect

from kodomo import clock
from kodomo.entries.forms import forms
from kodomo.entries.plan import for_family
from kodomo.parameters import parameter
from superset_config.pages.base import MAX_PURPOSE, as_pdf, audit, printed, route, sheet_address, store, typed, username
from superset_config.pages.reach import Reach
from superset_config.pages.views.records import FormPage


class AssessmentPage(FormPage):
    """アセスメント; a saved one leads to the sheet of the child, which shows it."""

    page, title = "assessment", "アセスメント"
    is_carried_out = False

    def _after(self, child: dict[str, Any]) -> Any:
        return redirect(sheet_address(child["person_id"]))


class SupportPlanPage(AssessmentPage):
    """サポートプラン: a plan is changed as it goes on, and its copy is printed for the family."""

    page, title = "support_plan", "サポートプラン"

    def _form(self, reach: Reach, child: dict[str, Any], **context: Any) -> str:
        return super()._form(reach, child, **{"readers": reach.readers(child), "copy_wrong": "", **context})

    @route("/<uuid:record_id>/copy", "POST")
    def copy(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """The plan on paper for the child or a parent: for a purpose, which is printed on it and logged."""
        version, child = self._mine(reach, record_id)
        reader, purpose = typed("person_id"), typed("purpose").strip()
        wrong = handing_obstacle(reach, child, reader, purpose)
        if wrong:
            return self._existing(reach, version, child, copy_wrong=wrong), 422
        store().note_access(
            username(), "support_plan_copy", purpose=purpose, person_id=child["person_id"], reader_id=reader
        )
        audit("support_plan_copy")
        html = printed(
            "print_plan.html",
            child=child,
            plan=for_family(version.content),
            fields=forms()["support_plan"],
            reader=reach.readers(child)[reader],
            purpose=purpose,
            who=username(),
            department=parameter("departments")[version.department],
            made_on=clock.today(),
        )
        return as_pdf(html, "support-plan.pdf")


def handing_obstacle(reach: Reach, child: dict[str, Any], reader: str, purpose: str) -> str:
    """Why a document about a child may not be made for a reader, in Japanese; empty where it may."""
    if not purpose or len(purpose) > MAX_PURPOSE:
        return f"目的を{MAX_PURPOSE}字までで入れてください。"
    if reader not in reach.readers(child):
        return "渡す相手を一覧から選んでください。"
    return reach.handing_obstacle(child, reader)
