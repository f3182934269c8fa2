"""モデルの承認: a second person decides about a submitted draft, ends versions, and has the document of a recall."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import abort, flash, g, request

from kodomo import clock
from kodomo.entries.notices import note_read
from kodomo.entries.store import ConflictError
from kodomo.errors import KodomoError
from kodomo.messages import JAPANESE, in_language
from kodomo.parameters import labels
from kodomo.scoring.recall import KINDS
from kodomo.workshop.drafts import SUBMITTED, Draft
from kodomo.workshop.figures import shown
from kodomo.workshop.in_force import SCORED, Approval
from kodomo.workshop.recall import recall_in_service
from superset_config.pages.base import as_pdf, audit, printed, route, store, typed, typed_date, username
from superset_config.pages.reach import Reach
from superset_config.pages.views.models import (
    ACTIONS_JA,
    STATES_JA,
    CardPage,
    difference_words,
    difficulty_labels,
    drafts,
    figures_of,
    may_see_names,
    seen_version,
    versions_shown,
    words,
)
from superset_config.pages.waiting_drafts import waiting_drafts
from superset_config.pages.words import OTHER_CHANGED_JA

CHANGES_JA = {
    "approved": "承認", "retired": "終わり", "imported": "読み込み", "cancelled": "承認の取消し", "resumed": "継続",
}  # fmt: skip
APPROVED_JA = "承認しました。{date}以後の基準日の一括処理から使います。"
RETURNED_JA = "差し戻しました。"
RETIRED_JA = "{version} を {date} までにしました。"
CANCELLED_JA = "{version} の承認を取り消しました。"
RESUMED_JA = "{} を使い続けます。"
NO_DATE_JA = "日付を入れてください。"
NO_REASON_JA = "理由を入れてください。"
NO_NAMES_JA = "子どもごとの文書は、全地区の子どもを見る担当の職員だけが開けます。"


def person() -> str:
    """Who decides, as the staff list has it: the page asks for no name."""
    return g.user.first_name or g.user.username


class ModelApprovalPage(CardPage):
    """モデルの承認."""

    page, title = "model_approval", "モデルの承認"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The drafts that wait, the versions with a form to end one, and every change of the definition."""
        return self._start(reach)

    def _start(self, reach: Reach, **context: Any) -> str:
        versions = versions_shown()
        waiting = [draft for draft in drafts().current() if draft.state == SUBMITTED]
        return self.show(
            "model_approval.html",
            reach,
            waiting=[(draft, username() in draft.authors) for draft in waiting],
            versions=versions,
            ending=[
                row
                for row in versions
                if row["valid_to"] is None and (row["status"] in SCORED or row["from_on"] is not None)
            ],
            pending=[row for row in versions if row["valid_to"] is None and _is_pending(row)],
            recalled=[row for row in versions if row["status"] != "draft" and not row["is_cancelled"]],
            changes=list(reversed(drafts().in_force.changes())),
            change_labels=CHANGES_JA,
            may_see_names=may_see_names(reach),
            **{"wrong": "", "content": {}, "failed": "", **context},
        )

    @route("/<uuid:draft_id>")
    def draft(self, reach: Reach, draft_id: uuid.UUID) -> str:
        """A submitted draft: what it is for, what it changes, what it would do, and the decision."""
        draft = self._waiting(draft_id)
        opened = [one.notice_id for one in waiting_drafts(reach) if one.draft_id == draft.draft_id and not one.is_read]
        if opened:
            note_read(store(), username(), opened)
            g.pop("kodomo_waiting_drafts", None)
        return self._show_draft(reach, draft)

    def shown_draft(self, draft_id: uuid.UUID) -> Draft:
        """A draft that waits for a decision."""
        return self._waiting(draft_id)

    def _waiting(self, draft_id: uuid.UUID) -> Draft:
        """A draft that waits for a decision; 404 for any other, which is its authors' own."""
        draft = drafts().draft(str(draft_id))
        if draft.state != SUBMITTED:
            abort(404)
        return draft

    def _show_draft(self, reach: Reach, draft: Draft, **context: Any) -> str:
        base = drafts().side(draft.base_version)
        return self.show(
            "model_decision.html",
            reach,
            **{
                **difference_words(base, draft),
                **figures_of(reach, draft),
                "draft": draft,
                "is_author": username() in draft.authors,
                "rivals": drafts().rivals(draft, typed_date("from_on") or clock.today()),
                "states": STATES_JA,
                "actions": ACTIONS_JA,
                "wrong": "",
                "failed": "",
                "content": {},
                **context,
            },
        )

    @route("/<uuid:draft_id>/approve", "POST")
    def approve(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Approve a draft: as a trial, or as the active version in the place of those that the page named."""
        draft, from_on = self._waiting(draft_id), typed_date("from_on")
        if from_on is None:
            return self._refused(reach, draft, NO_DATE_JA), 422
        if not typed("reason").strip():
            return self._refused(reach, draft, NO_REASON_JA), 422
        if typed("status") not in SCORED:
            abort(400)
        is_trial = typed("status") == "trial"
        replaces = () if is_trial else tuple(sorted(request.form.getlist("replaces")))
        approval = Approval(person(), typed("reason"), username(), from_on, is_trial, replaces)
        try:
            drafts().approve(draft.draft_id, seen_version(), approval)
        except ConflictError:
            return self._refused(reach, draft, OTHER_CHANGED_JA), 409
        except KodomoError as error:
            return self._refused(reach, draft, _words(error)), 422
        return self._decided(draft.draft_id, typed("reason"), APPROVED_JA.format(date=f"{from_on:%Y年%-m月%-d日}"))

    @route("/<uuid:draft_id>/return", "POST")
    def send_back(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Send a draft back to its authors, with the reason."""
        draft = self._waiting(draft_id)
        try:
            drafts().send_back(draft.draft_id, seen_version(), by=username(), reason=typed("reason"))
        except ConflictError:
            return self._refused(reach, draft, OTHER_CHANGED_JA), 409
        except KodomoError as error:
            return self._refused(reach, draft, _words(error)), 422
        return self._decided(draft.draft_id, typed("reason"), RETURNED_JA)

    def _refused(self, reach: Reach, draft: Draft, wrong: str) -> str:
        failed = request.path.rpartition("/")[2]
        return self._show_draft(reach, draft, wrong=wrong, failed=failed, content=request.form)

    def _decided(self, about: str, reason: str, done: str) -> Any:
        store().note_access(username(), "model_decision", purpose=reason.strip(), about=about)
        audit("model_decision")
        flash(done, "success")
        return self.back()

    @route("/retire", "POST")
    def retire(self, reach: Reach) -> Any:
        """End a version with a date."""
        version, last_on = typed("version"), typed_date("last_on")
        wrong = NO_DATE_JA if last_on is None else NO_REASON_JA if not typed("reason").strip() else ""
        if not wrong and last_on is not None:
            try:
                drafts().in_force.retire(version, last_on, person=person(), reason=typed("reason"), by=username())
            except KodomoError as error:
                wrong = _words(error)
        if wrong or last_on is None:
            return self._start(reach, wrong=wrong, failed="retire", content=request.form), 422
        return self._decided(
            version, typed("reason"), RETIRED_JA.format(version=version, date=f"{last_on:%Y年%-m月%-d日}")
        )

    @route("/cancel", "POST")
    def cancel(self, reach: Reach) -> Any:
        """Take back the approval of a version that has not begun."""
        version, wrong = typed("version"), "" if typed("reason").strip() else NO_REASON_JA
        resumed: list[str] = []
        if not wrong:
            try:
                resumed = drafts().in_force.cancel(version, person=person(), reason=typed("reason"), by=username())
            except KodomoError as error:
                wrong = _words(error)
        if wrong:
            return self._start(reach, wrong=wrong, failed="cancel", content=request.form), 422
        done = CANCELLED_JA.format(version=version)
        return self._decided(
            version, typed("reason"), done + (RESUMED_JA.format("、".join(resumed)) if resumed else "")
        )

    @route("/recall", "POST")
    def recall(self, reach: Reach) -> Any:
        """Whom a version touched: how many, and for staff who see the children of all areas the document."""
        version, reason = typed("version"), typed("reason").strip()
        if not reason:
            return self._start(reach, wrong=NO_REASON_JA, failed="recall", content=request.form), 422
        try:
            done = recall_in_service(reach.home, version)
        except KodomoError as error:
            return self._start(reach, wrong=_words(error), failed="recall", content=request.form), 422
        if not typed("document"):
            counts = [shown(done.count(kind)) for kind in KINDS] + [shown(len(done.children))]
            store().note_access(username(), "model_recall", purpose=reason, version=version)
            return self._start(reach, failed="recall", content=request.form, counts=counts)
        if not may_see_names(reach):
            return self._start(reach, wrong=NO_NAMES_JA, failed="recall", content=request.form), 403
        store().note_access(username(), "model_recall", purpose=reason, version=version, shown=sorted(done.children))
        html = printed(
            "print_recall.html", recall=done, reason=reason, withheld=reach.withheld | reach.withheld_leavers,
            on=clock.today(), who=person(), difficulty_labels=difficulty_labels(), tier_labels=labels("tier"),
            decision_labels=labels("decision"),
        )  # fmt: skip
        return as_pdf(html, "recall.pdf")


def _is_pending(row: Mapping[str, Any]) -> bool:
    return row["status"] == "draft" and row["from_on"] is not None


def _words(error: KodomoError) -> str:
    """What is wrong, in Japanese; of a definition with mistakes each of them under the names of the fields."""
    mistakes = getattr(error.details.get("lines"), "mistakes", ())
    return "　".join(map(words, mistakes)) or in_language(error, JAPANESE)
