"""状況確認: the children to be looked for, what came of it, and the yearly return."""

from __future__ import annotations

import csv
import io
from typing import ClassVar

from flask import Response, request

from kodomo.csv_files import without_formula
from kodomo.entries.follow_ups import FollowUp
from kodomo.entries.status_checks import FORM, LAST_YEAR, NOW, THIS_YEAR, checks, yearly_return
from kodomo.seeds import read_seed
from superset_config.pages.base import EntryPage, audit, route, store, url_of, username
from superset_config.pages.reach import Reach
from superset_config.pages.views.follow_ups import CLOSED, EXCLUDED, OPEN, FollowUpsPage, ResultPage

LISTS_JA = {THIS_YEAR: "今年の基準日", NOW: "最新の一括処理", LAST_YEAR: "前年の基準日"}
LIST_COLUMNS = ("list_kind", "list_on")


def checks_in_reach(reach: Reach, list_kind: str) -> list[FollowUp]:
    """A list of the user's scope as it stands now; a hidden place is hidden here too."""
    return checks(reach.followed("bi_status_check", "list_kind = ?", [list_kind]), store())


class StatusChecksPage(FollowUpsPage):
    """状況確認."""

    page, title = "status_checks", "状況確認"
    group_column, form = "criterion", FORM
    states_ja: ClassVar[dict[str, str]] = {OPEN: "確認が要る", CLOSED: "確認した", EXCLUDED: "対象から除いた"}

    @route("/")
    def index(self, reach: Reach) -> str:
        """A list by criterion: who has to be looked for, who was, and who was left out and why."""
        kinds = {row["list_kind"]: row["list_on"] for row in reach.rows("bi_status_check", columns=LIST_COLUMNS)}
        days = {kind: kinds[kind] for kind in LISTS_JA if kind in kinds}
        if days.get(NOW) == days.get(THIS_YEAR):
            days.pop(NOW, None)
        chosen = request.args.get("list", "")
        chosen = chosen if chosen in days else next(iter(days), THIS_YEAR)
        criteria = {row["criterion"]: row["label_ja"] for row in read_seed("status_check_criteria")}
        return self.show(
            "status_checks.html",
            reach,
            lists=[(LISTS_JA[kind], on, f"list={kind}", kind == chosen) for kind, on in days.items()],
            return_at=url_of(StatusCheckReturnPage.page),
            **self.listing(checks_in_reach(reach, chosen), criteria, reach, list=chosen),
        )


class StatusCheckPage(ResultPage):
    """状況確認の記録."""

    page, title, list_page = FORM, "状況確認の記録", StatusChecksPage.page

    @property
    def saved(self) -> str:
        """What is said after something was saved."""
        return "保存しました。「状況確認」の一覧では、すぐに反映されます。集計には次の一括処理から入ります。"


class StatusCheckReturnPage(EntryPage):
    """状況確認の集計."""

    page, title = "status_check_return", "状況確認の集計"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The yearly return beside last year's, of the user's scope."""
        return self.show(
            "status_check_return.html",
            reach,
            numbers=yearly_return(reach.rows("bi_status_check_count")),
            areas=_areas(reach),
        )

    @route("/return.csv")
    def file(self, reach: Reach) -> Response:
        """The same as a file: counts, and no child."""
        store().note_access(username(), "status_check_return")
        audit("status_check_return")
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(["範囲", _areas(reach)])
        table = yearly_return(reach.rows("bi_status_check_count")).table()
        writer.writerows([without_formula(value) for value in row] for row in table)
        return Response(
            text.getvalue(),
            mimetype="text/csv",
            headers={"Content-Disposition": 'attachment; filename="status-check-return.csv"'},
        )


def _areas(reach: Reach) -> str:
    """The areas that the counts are of, in words."""
    if reach.scope.has_all_areas:
        return "全地区"
    names = {row["area_code"]: row["area_name_ja"] for row in read_seed("areas")}
    return "、".join(names[code] for code in reach.scope.areas)
