"""子ども一覧: the children of one's scope, by search and by conditions."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, redirect, request, session

from kodomo import clock
from kodomo.entries.conditions import Condition, Conditions, by_priority
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.saved_conditions import FORM, LONGEST_NAME, as_text, saved, watch
from kodomo.entries.store import Version
from kodomo.parameters import labels
from superset_config.pages.base import (
    EntryPage,
    a_record_id,
    audit,
    page_number,
    route,
    store,
    typed,
    username,
)
from superset_config.pages.reach import Reach
from superset_config.pages.search_box import terms_of

ON_A_PAGE = 50
SEARCHES = "kodomo_searches"
MOST_SEARCHES = 10
LONGEST_CODE = 200
FORGOTTEN_JA = "検索の言葉はもう残っていません。もう一度検索してください。"
_OF_THE_PAGE = ("page", "search", "saved")
_OF_A_FORM = ("q", "csrf_token", "name", "record_id")


class ChildrenPage(EntryPage):
    """子ども一覧."""

    page, title = "children", "子ども一覧"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The children who meet the conditions in the address and the search of this session, most urgent first."""
        conditions = Conditions(reach, store(), clock.today())
        chosen = chosen_in(request.args)
        selection = conditions.find(chosen)
        children, text = selection.children, self._text()
        if text is not None:
            terms = terms_of(text)
            children = [child for child in children if terms.fit(child)]
        pages = max(1, -(-len(children) // ON_A_PAGE))
        page = min(page_number(request.args.get("page", "")), pages)
        shown = children[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        self._note(shown, len(children), chosen, text)
        return self.show(
            "children.html",
            reach,
            selection=selection,
            children=shown,
            count=len(children),
            everybody=len(reach.children()),
            as_of_on=next((child["as_of_on"] for child in reach.children().values()), None),
            groups=_grouped(conditions),
            chosen=chosen,
            chips=self._chips(conditions, chosen),
            columns={name for name in _COLUMNS if reach.has_columns("bi_child", name)},
            last_decisions={i.person_id: i.last_decision for i in conditions.meeting_items if i.last_decision},
            decision_labels=labels("decision"),
            sees_decisions=conditions.sees_decisions,
            last_seen=conditions.last_seen,
            moved=conditions.moved(chosen.get("moved", "")),
            text=text,
            page=page,
            on_a_page=ON_A_PAGE,
            numbers=[(number, self._address(page=str(number))) for number in range(1, pages + 1)],
            without_search=self._address(search=None, page=None),
            watch=self._watch(reach, conditions),
            record_id=str(uuid.uuid4()),
            longest_name=LONGEST_NAME,
        )

    def _saved(self, reach: Reach, record_id: str | None) -> Version | None:
        """A saved condition of one's own department; None for any other."""
        return next((v for v in saved(store(), reach.scope.departments) if v.record_id == record_id), None)

    def _watch(self, reach: Reach, conditions: Conditions) -> dict[str, Any] | None:
        """The saved condition in the address: its name, and who joined and left its list since the last time."""
        version = self._saved(reach, request.args.get("saved"))
        if version is None:
            return None
        seen = watch(version, conditions, store(), reach.scope.key, reach.publication)
        if seen.chosen != chosen_in(request.args):
            # Changed meanwhile: this is another list.
            return None
        return {
            "seen": seen,
            "joined": by_priority(reach.children()[person_id] for person_id in seen.joined),
            # Of those who are not in reach any more the number is known, and nothing else.
            "left": by_priority(child for p in seen.left if (child := reach.child(p))),
        }

    @route("/save", "POST")
    def save_condition(self, reach: Reach) -> Any:
        """Keep the conditions under a name, for the department."""
        chosen, name = chosen_in(request.form), typed("name").strip()
        address = f"{self.route_base}/?{urlencode(chosen)}"
        if not chosen or not Conditions(reach, store(), clock.today()).offers(chosen):
            abort(400)
        content = clean(forms()[FORM], {"name": name, "conditions": as_text(chosen)})
        wrong = mistakes(forms()[FORM], content)
        if wrong or len(name) > LONGEST_NAME:
            flash(wrong.get("name") or f"名前は{LONGEST_NAME}文字までです。", "error")
            return redirect(address)
        if name in {version.content["name"] for version in saved(store(), reach.scope.departments)}:
            flash("同じ名前の条件がすでにあります。別の名前を付けてください。", "error")
            return redirect(address)
        record_id = a_record_id()
        self.keep(
            reach,
            FORM,
            content,
            record_id=record_id,
            saved="条件を保存しました。はじめの画面から部署の全員が開けます。",
        )
        return redirect(f"{address}&saved={record_id}")

    @route("/saved/<uuid:record_id>/remove", "POST")
    def remove_condition(self, reach: Reach, record_id: uuid.UUID) -> Any:
        """Take a saved condition out of the department's list."""
        version = self._saved(reach, str(record_id))
        if version is None:
            abort(404)
        with self.reported_outcome(f"「{version.content['name']}」を保存した条件から外しました。"):
            store().delete(version.record_id, version.version, by=username(), reason="一覧から外した")
        return redirect(f"{self.route_base}/?{version.content['conditions']}")

    def _text(self) -> str | None:
        """What was typed into the search box for this address; None for a list without a search."""
        key = request.args.get("search")
        if not key:
            return None
        text = session.get(SEARCHES, {}).get(key)
        if text is None:
            flash(FORGOTTEN_JA, "warning")
        return text

    def _note(self, shown: list[Mapping[str, Any]], count: int, chosen: Mapping[str, str], text: str | None) -> None:
        action = "children_list" if text is None else "children_search"
        store().note_access(
            username(),
            action,
            fields=terms_of(text).used if text is not None else [],
            conditions=sorted(chosen),
            found=count,
            shown=[child["person_id"] for child in shown],
        )
        audit(action)

    def _address(self, **changes: str | None) -> str:
        """The address of this list with changes: codes of conditions, the page, the key of a search."""
        given = {**chosen_in(request.args), **{name: request.args.get(name) for name in _OF_THE_PAGE}, **changes}
        return urlencode({name: value for name, value in given.items() if value})

    def _chips(self, conditions: Conditions, chosen: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """Label, choice and the address without it, of each chosen condition."""
        chips = []
        for name, code in chosen.items():
            condition = conditions.offered.get(name)
            label = condition.label_ja if condition else name
            choice = condition.label_of(code) if condition else None
            chips.append(
                (label, choice or "（いまは使えない条件）", self._address(**{name: None, "page": None, "saved": None}))
            )
        return chips

    @route("/search", "POST")
    def search_for(self, _reach: Reach) -> Any:
        """Keep what was typed in the session, and lead to the list: what is typed stands in no address."""
        text = typed("q").strip()
        chosen = chosen_in(request.form)
        if not text:
            return redirect(f"{self.route_base}/?{urlencode(chosen)}")
        key = secrets.token_urlsafe(9)
        kept = list(session.get(SEARCHES, {}).items())[-MOST_SEARCHES + 1 :]
        session[SEARCHES] = {**dict(kept), key: text}
        return redirect(f"{self.route_base}/?{urlencode({**chosen, 'search': key})}")


# Columns of the list that not every audience has.
_COLUMNS = (
    "tier_label", "tiers_text", "priority_class", "priority_rank", "due_on", "known_label", "vertical_chains",
    "support_status_label", "difficulty_label",
)  # fmt: skip


def chosen_in(given: Mapping[str, str]) -> dict[str, str]:
    """The chosen conditions among the fields of an address or a form, in their order."""
    return {
        name: code
        for name, code in given.items()
        if code and name.isidentifier() and name not in (*_OF_THE_PAGE, *_OF_A_FORM) and len(code) <= LONGEST_CODE
    }


def _grouped(conditions: Conditions) -> dict[str, list[Condition]]:
    grouped: dict[str, list[Condition]] = {}
    for condition in conditions.offered.values():
        grouped.setdefault(condition.group_ja, []).append(condition)
    return grouped
