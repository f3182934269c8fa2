"""給付の案内: families who may have a benefit to claim, for the department that tells them."""

from __future__ import annotations

from typing import ClassVar

from kodomo.entries.benefits import FORM, unclaimed_benefits
from kodomo.entries.follow_ups import FollowUp, result_labels
from superset_config.pages.base import route, store
from superset_config.pages.reach import Reach
from superset_config.pages.views.follow_ups import CLOSED, EXCLUDED, OPEN, FollowUpsPage, ResultPage


def unclaimed_in_reach(reach: Reach) -> list[FollowUp]:
    """The list of the user's scope as it stands now; a hidden place is hidden here too."""
    return unclaimed_benefits(reach.followed("bi_unclaimed_benefit"), store())


class UnclaimedBenefitsPage(FollowUpsPage):
    """給付の案内."""

    page, title = "unclaimed_benefits", "給付の案内"
    group_column, form = "benefit", FORM
    states_ja: ClassVar[dict[str, str]] = {OPEN: "案内が要る", CLOSED: "案内した", EXCLUDED: "対象から除いた"}

    @route("/")
    def index(self, reach: Reach) -> str:
        """The list by benefit: who has to be told, who was, and who was left out and why."""
        everybody = unclaimed_in_reach(reach)
        rules = {one.row["benefit"]: one.row for one in everybody}
        benefits = {code: label for code, label in result_labels("benefit").items() if code in rules}
        return self.show(
            "unclaimed_benefits.html",
            reach,
            rules=[rules[code] for code in benefits],
            **self.listing(everybody, benefits, reach),
        )


class BenefitCheckPage(ResultPage):
    """給付の案内の記録."""

    page, title, list_page = FORM, "給付の案内の記録", UnclaimedBenefitsPage.page

    @property
    def saved(self) -> str:
        """What is said after something was saved."""
        return "保存しました。「給付の案内」の一覧では、すぐに反映されます。"
