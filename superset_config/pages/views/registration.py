"""The pages, registered in Superset."""

from __future__ import annotations

from typing import Any

import jinja2
from flask import Blueprint, current_app

from kodomo.access.access import read_access
from superset_config.pages.base import FILTERS, TEMPLATES, explain_refusal, url_of
from superset_config.pages.views.areas import AreaPage, AreaResourcePage
from superset_config.pages.views.assess import AssessPage
from superset_config.pages.views.benefits import BenefitCheckPage, UnclaimedBenefitsPage
from superset_config.pages.views.child import ChildPage
from superset_config.pages.views.children import ChildrenPage
from superset_config.pages.views.deliveries import DeliveryPage
from superset_config.pages.views.disputes import DisputedLinePage
from superset_config.pages.views.factors import TITLE_JA as FACTORS_JA
from superset_config.pages.views.factors import FactorsPage
from superset_config.pages.views.known_cases import KnownCasesPage
from superset_config.pages.views.leavers import ArrivalsPage, HandoverPage, LeaversPage
from superset_config.pages.views.meeting import MeetingPage
from superset_config.pages.views.model_approval import ModelApprovalPage
from superset_config.pages.views.models import ModelPage
from superset_config.pages.views.notices import NoticesPage
from superset_config.pages.views.personal_files import PersonalFilesPage
from superset_config.pages.views.plans import AssessmentPage, SupportPlanPage
from superset_config.pages.views.quality_tasks import QualityTasksPage
from superset_config.pages.views.records import FormPage, RequestPage
from superset_config.pages.views.start import StartPage
from superset_config.pages.views.status_checks import StatusCheckPage, StatusCheckReturnPage, StatusChecksPage
from superset_config.pages.views.stewards import CodeDecisionPage, LinkReviewPage
from superset_config.security.rules import ENTRY_MENU

SPECIAL = (
    AreaPage, AreaResourcePage, ArrivalsPage, AssessmentPage, AssessPage, BenefitCheckPage, ChildPage, ChildrenPage,
    CodeDecisionPage, DeliveryPage, DisputedLinePage, HandoverPage, KnownCasesPage, LeaversPage, LinkReviewPage,
    MeetingPage, ModelApprovalPage, ModelPage, NoticesPage, PersonalFilesPage, QualityTasksPage, RequestPage,
    StartPage, StatusCheckPage,
    StatusCheckReturnPage, StatusChecksPage, SupportPlanPage, UnclaimedBenefitsPage,
)  # fmt: skip


def add_views(appbuilder: Any) -> None:
    """Register every page of access.yml under its own permission, ``can_use on Entry <page>``."""
    special = {view.page: view for view in SPECIAL}
    for entry in read_access().entry_pages.values():
        base = special.get(entry.name, FormPage)
        view = type(
            f"Entry{entry.name.title().replace('_', '')}",
            (base,),
            {
                "page": entry.name,
                "title": entry.label_ja,
                "route_base": url_of(entry.name).rstrip("/"),
                "class_permission_name": f"Entry {entry.name}",
                "default_view": "index",
            },
        )
        appbuilder.add_view(
            view, entry.label_ja, label=entry.label_ja, href=url_of(entry.name), category=ENTRY_MENU,
            category_label=ENTRY_MENU,
        )  # fmt: skip

    appbuilder.add_view(FactorsPage, FACTORS_JA, label=FACTORS_JA, category="Security")


class _Pages(Blueprint):
    """The templates of the pages, as ``entry/<name>``."""

    jinja_loader = jinja2.PrefixLoader({"entry": jinja2.FileSystemLoader(TEMPLATES)})


blueprint = _Pages("kodomo_pages", __name__)
for _name, _filter in FILTERS.items():
    blueprint.add_app_template_filter(_filter, _name)


def install(app: Any) -> None:
    """Add the pages to Superset, and refusals that explain themselves. ``blueprint`` brings what they are made of."""
    app.after_request(explain_refusal)
    add_views(current_app.appbuilder)
