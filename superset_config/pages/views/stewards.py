"""Pages for the decisions of stewards: links, codes."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import duckdb
from flask import abort, flash, request

from kodomo.contract import load_code_lists, load_contracts
from kodomo.determination.service import in_service
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.store import Version
from kodomo.home import Home
from kodomo.linkage.explain import ATTRIBUTE_LABELS
from kodomo.linkage.pairs import SIDES_JA, without_places
from kodomo.warehouse import records
from superset_config.pages.base import (
    EntryPage,
    route,
    store,
    username,
)
from superset_config.pages.reach import Reach


class LinkReviewPage(EntryPage):
    """突合の確認."""

    page, title = "link_review", "突合の確認"

    def _show(self, reach: Reach, **context: Any) -> str:
        form = forms()["link_review"]
        decided: dict[tuple[str, str], Version] = {}
        for version in store().current("link_review"):
            decided[(version.content["source_id"], version.content["source_key"])] = version
        pairs = [
            {**pair, "decided": decided.get((pair["source_id"], pair["source_key"]))}
            for pair in shown_pairs(pairs_in_service(), reach)
        ]
        given = {"mistakes": {}, "wrong_pair": None, "typed_reason": ""}
        return self.show(
            "links.html",
            reach,
            form=form,
            pairs=pairs,
            sides=SIDES_JA,
            attributes=ATTRIBUTE_LABELS,
            ids=[str(uuid.uuid4()) for _ in pairs],
            undo_ids=[str(uuid.uuid4()) for _ in decided],
            pair_decision=dataclasses.replace(
                form.field("decision"),
                choices={code: label for code, label in form.field("decision").choices.items() if code != "undo"},
            ),
            decisions=[v for v in reversed(list(decided.values())) if v.content["decision"] != "undo"],
            titles={name: contract.label for name, contract in load_contracts().items()},
            **{**given, **context},
        )

    @route("/")
    def index(self, reach: Reach) -> str:
        """The pairs that wait, side by side."""
        store().note_access(username(), "link_review_list")
        return self._show(reach)

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep a decision; the next run follows it."""
        form = forms()["link_review"]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        place = (content.get("source_id"), content.get("source_key"), content.get("person_id"))
        if content.get("decision") == "undo":
            return self._undo(reach, content)
        if place not in {(p["source_id"], p["source_key"], p["person_id"]) for p in pairs_in_service()}:
            abort(404)
        if wrong:
            return self._show(reach, mistakes=wrong, wrong_pair=place, typed_reason=content.get("reason", "")), 422
        return self._keep(reach, content)

    def _undo(self, reach: Reach, content: dict[str, str]) -> Any:
        """Take back the last decision about a record, also when the pair waits no more."""
        place = (content.get("source_id"), content.get("source_key"))
        if place not in {(v.content["source_id"], v.content["source_key"]) for v in store().current("link_review")}:
            abort(404)
        if "reason" not in content:
            flash("取り消す理由を入れてください。", "error")
            return self.back()
        return self._keep(reach, {name: content[name] for name in ("source_id", "source_key", "decision", "reason")})

    def _keep(self, reach: Reach, content: dict[str, str]) -> Any:
        self.keep(reach, "link_review", content)
        return self.back()


def shown_pairs(pairs: list[dict[str, Any]], reach: Reach) -> list[dict[str, Any]]:
    """The pairs as this scope may see them: without the places hidden from it."""
    return without_places(pairs, reach.hides_place)


def pairs_in_service() -> list[dict[str, Any]]:
    """The pairs between the thresholds, as the publication in service has them."""
    with in_service(Home.from_environment()) as (connection, _):
        try:
            return records(connection, "select * from warehouse.intermediate.link_pairs order by all")
        except duckdb.CatalogException:
            # Published without: nothing to review.
            return []


class CodeDecisionPage(EntryPage):
    """未知のコードの判断."""

    page, title = "code_decision", "未知のコードの判断"

    def _unknown(self, reach: Reach) -> list[dict[str, Any]]:
        oversees = reach.access.overseeing_department in reach.scope.departments
        with in_service(Home.from_environment()) as (connection, _):
            rows = records(
                connection,
                "select source_id, heading, code_list, delivered_code, sum(row_count)::bigint as row_count "
                "from warehouse.intermediate.int_quality__unknown_codes group by all order by all",
            )
        contracts = load_contracts()
        return [
            {**row, "source_label": contracts[row["source_id"]].label}
            for row in rows
            if oversees or contracts[row["source_id"]].holder in reach.scope.departments
        ]

    def _show(self, reach: Reach, **context: Any) -> str:
        decided = {(v.content["code_list"], v.content["spelling"]): v for v in store().current("code_decision")}
        rows = [
            {**row, "decided": decided.get((row["code_list"], row["delivered_code"]))} for row in self._unknown(reach)
        ]
        given = {"mistakes": {}, "wrong_place": None}
        return self.show(
            "codes.html", reach, form=forms()["code_decision"], rows=rows, lists=load_code_lists(),
            ids=[str(uuid.uuid4()) for _ in rows], **{**given, **context},
        )  # fmt: skip

    @route("/")
    def index(self, reach: Reach) -> str:
        """Codes outside their list."""
        return self._show(reach)

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep what a code means; the next run reads it so."""
        form = forms()["code_decision"]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        place = (content.get("code_list"), content.get("spelling"))
        if place not in {(row["code_list"], row["delivered_code"]) for row in self._unknown(reach)}:
            abort(404)
        if not wrong and content["code"] not in load_code_lists().get(content["code_list"], {}):
            wrong = {"code": "一覧から選んでください。"}
        if wrong:
            return self._show(reach, mistakes=wrong, wrong_place=place), 422
        earlier = [
            v for v in store().current("code_decision") if (v.content["code_list"], v.content["spelling"]) == place
        ]
        if earlier:
            with self.reported_outcome():
                store().change(earlier[-1].record_id, earlier[-1].version, content, by=username())
        else:
            # One record per code: the first steward's.
            record_id = str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, place))))
            self.keep(reach, "code_decision", content, record_id=record_id)
        return self.back()
