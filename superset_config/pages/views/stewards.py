"""Pages for the decisions of stewards: links, codes."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import duckdb
from flask import abort, flash, redirect, request

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
    a_record_id,
    route,
    store,
    typed,
    username,
)
from superset_config.pages.reach import Reach

UNDO = "undo"
PLACE = ("source_id", "source_key", "person_id")
"""What names a pair."""
TWO_PEOPLE_JA = "一つの記録を、二人の住民と同じ人にすることはできません。"
CODE_FIELDS = ("code_list", "spelling", "code")
"""What a row of the page of codes sends."""


class LinkReviewPage(EntryPage):
    """突合の確認."""

    page, title = "link_review", "突合の確認"

    def _show(self, reach: Reach, **context: Any) -> str:
        form = forms()["link_review"]
        decided: dict[tuple[str, str], Version] = {}
        for version in store().current("link_review"):
            decided[(version.content["source_id"], version.content["source_key"])] = version
        decided = {place: version for place, version in decided.items() if version.content["decision"] != UNDO}
        everything = [
            {**pair, "decided": decided.get((pair["source_id"], pair["source_key"])), "mark": mark_of(pair)}
            for pair in shown_pairs(pairs_in_service(), reach)
        ]
        titles = {name: contract.label for name, contract in load_contracts().items()}
        source, sources = chosen_source(everything, titles)
        pairs = [pair for pair in everything if source in {"", pair["source_id"]}]
        # Those that wait come first.
        pairs.sort(key=lambda pair: pair["decided"] is not None)
        given = {
            "mistakes": {}, "several_mistakes": {}, "wrong_pair": None, "typed_reason": "", "chosen_decision": "",
            "marked": (),
        }  # fmt: skip
        return self.show(
            "links.html",
            reach,
            form=form,
            pairs=pairs,
            source=source,
            sources=sources,
            sides=SIDES_JA,
            attributes=ATTRIBUTE_LABELS,
            ids=[str(uuid.uuid4()) for _ in pairs],
            several_id=str(uuid.uuid4()),
            undo_ids=[str(uuid.uuid4()) for _ in decided],
            choices={code: label for code, label in form.field("decision").choices.items() if code != UNDO},
            decisions=[*reversed(decided.values())],
            titles=titles,
            **{**given, **context},
        )

    @route("/")
    def index(self, reach: Reach) -> str:
        """The pairs that wait, side by side."""
        store().note_access(username(), "link_review_list")
        return self._show(reach)

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep a decision; the next run follows it. Leads to the pair that is next."""
        form = forms()["link_review"]
        content = clean(form, request.form)
        wrong = mistakes(form, content)
        place = (content.get("source_id"), content.get("source_key"), content.get("person_id"))
        if content.get("decision") == UNDO:
            return self._undo(reach, content)
        if place not in {_place(pair) for pair in pairs_in_service()}:
            abort(404)
        if wrong:
            typed_in = {"typed_reason": content.get("reason", ""), "chosen_decision": content.get("decision", "")}
            return self._show(reach, mistakes=wrong, wrong_pair=place, **typed_in), 422
        self.keep(reach, "link_review", content)
        return self._next()

    @route("/decide_several", "POST")
    def decide_several(self, reach: Reach) -> Any:
        """Keep the same decision and reason about each of the marked pairs."""
        form = forms()["link_review"]
        marked = set(request.form.getlist("pair"))
        pairs = [pair for pair in pairs_in_service() if mark_of(pair) in marked]
        if not marked:
            flash("「まとめて判断」に印を付けてください。", "error")
            return self._next()
        if len(pairs) != len(marked) or typed("decision") == UNDO:
            abort(404)
        contents = [
            clean(form, {**request.form.to_dict(), **dict(zip(PLACE, _place(pair), strict=True))}) for pair in pairs
        ]
        for content in contents:
            if wrong := mistakes(form, content):
                typed_reason = content.get("reason", "")
                return self._show(reach, several_mistakes=wrong, typed_reason=typed_reason, marked=marked), 422
        if typed("decision") == "link" and len({_place(pair)[:2] for pair in pairs}) < len(pairs):
            return self._show(reach, several_mistakes={"decision": TWO_PEOPLE_JA}, marked=marked), 422
        sent, department = uuid.UUID(a_record_id()), self.department(reach)
        with self.reported_outcome():
            for pair, content in zip(pairs, contents, strict=True):
                record_id = str(uuid.uuid5(sent, mark_of(pair)))
                store().create("link_review", content, by=username(), department=department, record_id=record_id)
        return self._next()

    def _undo(self, reach: Reach, content: dict[str, str]) -> Any:
        """Take back the last decision about a record, also when the pair waits no more."""
        place = (content.get("source_id"), content.get("source_key"))
        if place not in {(v.content["source_id"], v.content["source_key"]) for v in store().current("link_review")}:
            abort(404)
        if "reason" not in content:
            flash("取り消す理由を入れてください。", "error")
            return self._next()
        kept = {name: content[name] for name in ("source_id", "source_key", "decision", "reason")}
        self.keep(reach, "link_review", kept)
        return self._next()

    def _next(self) -> Any:
        """Back to the list, at the pair that has moved to the place of the one answered."""
        at = typed("at")
        return redirect(f"{self.route_base}/{_query(typed('source'))}{f'#pair-{at}' if at.isdecimal() else ''}")


def _place(pair: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(pair[name] for name in PLACE)


def mark_of(pair: Mapping[str, Any]) -> str:
    """What a form sends for a pair, in place of its numbers."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(_place(pair))))


def chosen_source(
    rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str]
) -> tuple[str, list[tuple[str, int, str, bool]]]:
    """The source that is asked for, and a tab for each source: label, how many wait, address, whether chosen."""
    waiting = Counter(row["source_id"] for row in rows if row["decided"] is None)
    names = sorted({row["source_id"] for row in rows}, key=lambda name: titles.get(name, name))
    asked = request.values.get("source", "")
    source = asked if asked in names else ""
    tabs = [("すべて", waiting.total(), "", not source)]
    tabs += [(titles.get(name, name), waiting[name], urlencode({"source": name}), name == source) for name in names]
    return source, tabs if len(names) > 1 else []


def _query(source: str) -> str:
    return f"?{urlencode({'source': source})}" if source else ""


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
        everything = [
            {**row, "decided": decided.get((row["code_list"], row["delivered_code"]))} for row in self._unknown(reach)
        ]
        source, sources = chosen_source(everything, {row["source_id"]: row["source_label"] for row in everything})
        given = {"mistakes": {}, "typed_reason": "", "typed_codes": {}}
        return self.show(
            "codes.html",
            reach,
            rows=[row for row in everything if source in {"", row["source_id"]}],
            source=source,
            sources=sources,
            lists=load_code_lists(),
            **{**given, **context},
        )

    @route("/")
    def index(self, reach: Reach) -> str:
        """Codes outside their list."""
        return self._show(reach)

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep what codes mean, for one reason; the next run reads them so. Rows without a meaning stay as they are."""
        form, sent = forms()["code_decision"], request.form
        fields = [sent.getlist(name) for name in CODE_FIELDS]
        if len({len(values) for values in fields}) != 1:
            abort(400)
        rows = [dict(zip(CODE_FIELDS, values, strict=True)) for values in zip(*fields, strict=True)]
        unknown = {(row["code_list"], row["delivered_code"]) for row in self._unknown(reach)}
        if not rows or any((row["code_list"], row["spelling"]) not in unknown for row in rows):
            abort(404)
        # Where no meaning was chosen, the first row says that one is missing.
        meant = [row for row in rows if row["code"]] or rows[:1]
        contents = {
            (row["code_list"], row["spelling"]): clean(form, {**row, "reason": sent.get("reason", "")}) for row in meant
        }
        for content in contents.values():
            wrong = mistakes(form, content)
            if not wrong and content["code"] not in load_code_lists().get(content["code_list"], {}):
                wrong = {"code": "一覧から選んでください。"}
            if wrong:
                codes = {(row["code_list"], row["spelling"]): row["code"] for row in rows}
                return self._show(reach, mistakes=wrong, typed_reason=sent.get("reason", ""), typed_codes=codes), 422
        earlier = {(v.content["code_list"], v.content["spelling"]): v for v in store().current("code_decision")}
        department = self.department(reach)
        with self.reported_outcome():
            for place, content in contents.items():
                if known := earlier.get(place):
                    store().change(known.record_id, known.version, content, by=username())
                    continue
                # One record per code: the first steward's.
                record_id = str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(place)))
                store().create("code_decision", content, by=username(), department=department, record_id=record_id)
        return redirect(f"{self.route_base}/{_query(typed('source'))}")
