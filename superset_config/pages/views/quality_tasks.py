"""データ品質の課題: what is wrong with the data of one's holder, since when, and what to do about it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, redirect, request

from kodomo import clock
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.quality_tasks import ACCEPT, FORM, HARMS_JA, OPEN, REOPEN, STATES_JA, Task, decide, quality_tasks
from kodomo.errors import KodomoError
from kodomo.publication import list_publications
from superset_config.pages.base import EntryPage, audit, page_number, route, store, typed, url_of, username
from superset_config.pages.reach import Reach
from superset_config.pages.words import SAVED_NOW_JA

ON_A_PAGE = 50
PAGE = "quality_task"
FILTERS = ("state", "harm", "holder", "source", "new")


def tasks_in_reach(reach: Reach) -> list[Task]:
    """The tasks of the user's department, of the overseeing one all; those that do most harm first."""
    overseer = reach.access.overseeing_department
    # The overseeing department has a row per holder's form; one task is one row here.
    rows = {row["task_id"]: row for row in reach.rows("bi_quality_task")}
    sources = {row["source_id"]: row for row in reach.rows("bi_source")}
    return quality_tasks(
        rows.values(),
        sources.values(),
        published_on(reach) if overseer in reach.scope.departments else None,
        (overseer, reach.access.departments_ja[overseer]),
        clock.today(),
        store(),
    )


def published_on(reach: Reach) -> dt.date | None:
    """The day in Japan of the publication in service; None before the first."""
    for publication in list_publications(reach.home):
        if publication.is_current:
            return clock.today(dt.datetime.fromisoformat(publication.published_at))
    return None


def task_numbers(reach: Reach) -> list[tuple[str, int, str]] | None:
    """Label, number and address of the open tasks, for the start page; None for who has no such page.

    None also where the publication in service is older than the list: the start page does not fail for it.
    """
    if PAGE not in reach.pages():
        return None
    try:
        tasks = [task for task in tasks_in_reach(reach) if task.state == OPEN]
    except KodomoError:
        return None
    numbers = [
        ("未対応", len(tasks), {}),
        ("そのうち重いもの", sum(task.is_grave for task in tasks), {"harm": "grave"}),
        ("前回の一括処理で新しく出た", sum(task.is_new for task in tasks), {"new": "yes"}),
    ]
    return [(label, count, f"{url_of(PAGE)}?{urlencode(chosen)}") for label, count, chosen in numbers if count]


class QualityTasksPage(EntryPage):
    """データ品質の課題."""

    page, title = PAGE, "データ品質の課題"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The tasks of a state, by harm."""
        store().note_access(username(), "quality_task_list")
        audit("quality_task_list")
        return self._show(reach)

    def _show(self, reach: Reach, **context: Any) -> str:
        chosen = {name: request.values.get(name, "") for name in FILTERS}
        chosen["state"] = chosen["state"] if chosen["state"] in STATES_JA else OPEN
        everything = tasks_in_reach(reach)
        rows = _chosen(everything, chosen)
        pages = max(1, -(-len(rows) // ON_A_PAGE))
        number = min(page_number(request.args.get("page", "")), pages)
        given = {"mistakes": {}, "typed_reason": "", "marked": []}
        return self.show(
            "quality_tasks.html",
            reach,
            tasks=[
                (task, self._place(reach, task))
                for task in rows[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
            ],
            count=len(rows),
            chosen=chosen,
            states=self._tabs(everything, chosen, "state", STATES_JA),
            harms=self._tabs(
                everything, chosen, "harm",
                {"": "すべて", "grave": "重いもの", **{str(harm): label for harm, label in HARMS_JA.items()}},
            ),
            holders=_labels(everything, "holder"),
            sources=_labels(everything, "source_id", "source_label"),
            harms_ja=HARMS_JA,
            decision=REOPEN if chosen["state"] == "accepted" else ACCEPT,
            oversees=reach.access.overseeing_department in reach.scope.departments,
            published_on=published_on(reach),
            page=number,
            on_a_page=ON_A_PAGE,
            numbers=[(page, _address({**chosen, "page": str(page)})) for page in range(1, pages + 1)],
            **{**given, **context},
        )  # fmt: skip

    def _tabs(
        self, everything: list[Task], chosen: dict[str, str], name: str, labels: dict[str, str]
    ) -> list[tuple[str, int, str, bool]]:
        """Label, number and address of each value of a filter, as long as there is something, or it is chosen."""
        tabs = []
        for code, label in labels.items():
            count = len(_chosen(everything, {**chosen, name: code}))
            if count or code in {"", chosen[name]} or name == "state":
                tabs.append((label, count, _address({**chosen, name: code}), code == chosen[name]))
        return tabs

    def _place(self, reach: Reach, task: Task) -> tuple[str, str] | None:
        """Label and address of the page on which a task is done; None where the user may open none."""
        page = task.kind.page
        if page not in reach.pages() or page is None:
            return None
        label, address = reach.access.entry_pages[page].label_ja, url_of(page)
        if task.delivery_id:
            return f"{label}を開く", f"{address}of/{task.delivery_id}"
        if page in {"code_decision", "link_review"}:
            address = f"{address}?{urlencode({'source': task.source_id})}"
        return f"{label}を開く", address

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Accept the marked tasks for one reason, or open them again."""
        marked = set(request.form.getlist("task"))
        tasks = [task for task in tasks_in_reach(reach) if task.task_id in marked and task.done_on is None]
        if not marked:
            flash("課題を選んでください。", "error")
            return self._back_to_list()
        if len(tasks) != len(marked):
            abort(404)
        form = forms()[FORM]
        content = clean(form, request.form)
        if wrong := mistakes(form, content):
            return self._show(reach, mistakes=wrong, marked=marked), 422
        with self.reported_outcome(SAVED_NOW_JA):
            decide(store(), tasks, content, by=username(), department=self.department(reach))
        audit("quality_task_decided")
        return self._back_to_list()

    def _back_to_list(self) -> Any:
        return redirect(f"{self.route_base}/?{_address({name: typed(name) for name in FILTERS})}")


def _address(chosen: dict[str, str]) -> str:
    return urlencode({name: value for name, value in chosen.items() if value})


def _chosen(everything: list[Task], chosen: dict[str, str]) -> list[Task]:
    """The tasks that meet the filters; one that is empty asks for nothing."""
    return [
        task
        for task in everything
        if task.state == chosen["state"]
        and chosen["harm"] in {"", str(task.kind.harm), "grave" if task.is_grave else ""}
        and chosen["holder"] in {"", task.holder}
        and chosen["source"] in {"", task.source_id}
        and (not chosen["new"] or task.is_new)
    ]


def _labels(tasks: list[Task], code: str, label: str = "") -> dict[str, str]:
    """Code → label of what the tasks are about, in the order of the labels."""
    label = label or f"{code}_label"
    labels = {getattr(task, code): getattr(task, label) for task in tasks if getattr(task, code)}
    return dict(sorted(labels.items(), key=lambda item: item[1]))
