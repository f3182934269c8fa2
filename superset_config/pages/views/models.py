"""モデル: drafts of the risk definition, changed in a meeting and tried on the children in service; counts only."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import abort, flash, redirect, request

from kodomo import clock
from kodomo.entries.store import ConflictError
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.messages import JAPANESE, in_language, render
from kodomo.scoring.definition import (
    AGGREGATES,
    CATEGORIES,
    PRIORITY_RULES,
    SCOPES,
    SUPPORT_RULES,
    Definition,
    Mistake,
)
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.seeds import read_seed
from kodomo.workshop.card import card_of
from kodomo.workshop.drafts import Draft, DraftMistakesError, DraftStore, KeptVersion, compare
from kodomo.workshop.figures import HIDDEN_JA, SMALLEST, hidden_cells, shown, tier_tables
from kodomo.workshop.proposals import KeptProposal, groups_that_cut, kept_proposals
from kodomo.workshop.rows import Place, PlacedMistake, Texts
from kodomo.workshop.trial import WITHHELD_ITEM, Mover, Trial, try_out, who_moves
from superset_config.pages.base import (
    EntryPage,
    a_record_id,
    as_pdf,
    audit,
    page_number,
    printed,
    route,
    store,
    typed,
    url_of,
    username,
)
from superset_config.pages.reach import Reach
from superset_config.pages.views.model_judgement import DraftKey, judgement_words
from superset_config.pages.views.model_rules import (
    CHAINS_JA,
    NEW_RULES,
    RULE_COLUMNS_JA,
    RULES_JA,
    YES_NO_JA,
    rule_fields,
    typed_rules,
)
from superset_config.pages.words import OTHER_CHANGED_JA, SAVED_NOW_JA, TWICE_JA

ON_A_PAGE = 100
"""How many children the page of names lists at once."""
WITHHELD_ITEM_JA = "表示の承認がない項目"
NEW_BANDS = 4
"""How many bands a new item may have on the page."""
NO_TYPE_JA = "提案を使う困難の種類を選んでください。"
NOTHING_CHANGED_JA = "変わったところはありません。"
DRAFT_MADE_JA = "案を作りました。係数を直して保存すると、下の試算が変わります。"
SCOPES_JA = {
    "self": "本人", "mother": "母", "father": "父", "parents": "父母", "siblings": "きょうだい", "household": "世帯",
    "family": "家族（2親等相当）",
}  # fmt: skip
AGGREGATES_JA = {
    "any": "あれば1", "count": "回数", "sum": "合計", "max": "最大", "min": "最小", "latest": "最新の値",
    "months_since": "最後からの月数", "in_force": "いま続いているか",
}  # fmt: skip
COMBINES_JA = {"sum": "足す", "max": "最大だけ"}
TABLES_JA = {
    "risk_items": "項目", "risk_item_members": "組合せの項目", "risk_bands": "区分", "risk_coefficients": "係数",
    "risk_groups": "グループ", "risk_tiers": "段階のしきい値", "risk_overrides": "強制引上げ",
    "risk_targets": "対象年齢", **RULES_JA,
}  # fmt: skip
ACTIONS_JA = {
    "created": "作成", "proposed": "提案から作成", "edited": "変更", "commented": "コメント", "submitted": "提出",
    "withdrawn": "取下げ", "returned": "差戻し", "approved": "承認",
}  # fmt: skip
STATES_JA = {"open": "案", "submitted": "承認待ち", "approved": "承認済み"}
STATUSES_JA = {"draft": "案", "trial": "試行", "active": "現行", "retired": "廃止"}
PENDING_JA = "開始前"
CANCELLED_JA = "承認の取消し"
SUBMITTED_JA = "提出しました。別の職員が承認するまで、判定には使いません。"
WITHDRAWN_JA = "提出を取り下げました。直してから、もう一度提出できます。"
COLUMNS_JA = {
    **RULE_COLUMNS_JA[PRIORITY_RULES], **RULE_COLUMNS_JA[SUPPORT_RULES],
    "coefficient": "係数", "min_score": "しきい値", "lower": "下限", "upper": "上限", "cap": "上限",
    "band_no": "区分の番号",
    "item_code": "記号", "group_code": "グループ", "lookback_months": "さかのぼる月数",
    "age_from_months": "年齢の下限", "age_to_months": "年齢の上限", "scope": "誰の", "aggregate": "数え方",
    "observation_code": "何を", "category": "分類", "label_ja": "表示", "kind": "種類", "reason_ja": "理由",
    "source_ja": "出典", "combine": "合わせ方", "at_least_tier": "この段階以上", "when_missing": "記録なしも含む",
    "member_item_code": "組み合わせる項目", "tier_rank": "順位", "tier": "段階", "difficulty_type": "困難の種類",
}  # fmt: skip
"""What the fields of the page are called, in a mistake that names its column."""
KINDS_JA = {"all": "全市", "area": "地区", "age": "年齢"}
ITEM_COLUMNS = (
    "item_code", "label_ja", "category", "observation_code", "scope", "lookback_months", "aggregate",
    "age_from_months", "age_to_months", "group_code", "reason_ja", "source_ja",
)  # fmt: skip
COEFFICIENT = "coefficient"
Fields = Mapping[str, tuple[Place, str]]
"""Name of a field of a form → the row and column that it is for."""


@lru_cache(maxsize=8)
def _tried(home: Home, _published: str, draft: DraftKey, withheld: frozenset[str]) -> Trial:
    return try_out(home, draft.draft, withheld)


@lru_cache(maxsize=2)
def _moved(home: Home, _published: str, draft: DraftKey) -> tuple[Mover, ...]:
    return who_moves(home, draft.draft)


def _moving(reach: Reach, draft: Draft) -> tuple[Mover, ...]:
    return _moved(reach.home, reach.publication, DraftKey(draft))


def may_see_names(reach: Reach) -> bool:
    """Whether the account sees every child of the city by name, with the items of its score.

    Its scope has the children of all areas. Analysts and experts have pseudonyms instead.
    """
    return (
        reach.scope.has_all_areas
        and reach.has_columns("bi_child", "display_name")
        and reach.has_columns("bi_contribution", "item_code", "item_label", "difficulty_type")
    )


def drafts() -> DraftStore:
    """The drafts of this home."""
    return DraftStore(store())


def cell_name(item: str, band: str) -> str:
    """Name of the field for a coefficient."""
    return f"{COEFFICIENT}|{item}|{band}"


class CardPage(EntryPage, ABC):
    """A page of the model, which has the cards of its versions, and says of its drafts how they would have done."""

    @abstractmethod
    def shown_draft(self, draft_id: uuid.UUID) -> Draft:
        """A draft that the page shows; 404 for any other."""

    @route("/<uuid:draft_id>/names")
    def names(self, reach: Reach, draft_id: uuid.UUID) -> str:
        """Whose tier a draft changes, and by which item: for those who see all children of the city by name."""
        draft = self.shown_draft(draft_id)
        if not may_see_names(reach):
            abort(403)
        types, chosen = _types_asked(draft)
        movers = [
            (mover, reach.child(mover.person_id)) for mover in _moving(reach, draft) if mover.difficulty_type == chosen
        ]
        mine = [(mover, child) for mover, child in movers if child is not None]
        page = min(page_number(request.args.get("page", "")), max(1, -(-len(mine) // ON_A_PAGE)))
        shown_here = mine[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        store().note_access(
            username(), "model_names", draft=draft.draft_id, version=draft.version, found=len(mine),
            shown=sorted({mover.person_id for mover, _ in shown_here}),
        )  # fmt: skip
        audit("model_names")
        return self.show(
            "model_names.html", reach, draft=draft, types=types, chosen=chosen, rows=shown_here, count=len(mine),
            graver=sum(mover.is_graver for mover, _ in mine), page=page, pages=max(1, -(-len(mine) // ON_A_PAGE)),
            tier_labels=_tier_labels(draft), may_open="child" in reach.pages(),
            item_labels={**_cap_labels(draft), **_item_labels(draft), WITHHELD_ITEM: WITHHELD_ITEM_JA},
        )  # fmt: skip

    @route("/<uuid:draft_id>/past")
    def past(self, reach: Reach, draft_id: uuid.UUID) -> str:
        """How a draft would have done on a past date, beside its base and two orders that need no model."""
        draft = self.shown_draft(draft_id)
        types, chosen = _types_asked(draft)
        words_of = judgement_words(reach, draft, types, chosen)
        return self.show("model_judgement.html", reach, tier_labels=_tier_labels(draft), **words_of)

    @route("/card/<string:version>.pdf")
    def card(self, reach: Reach, version: str) -> Any:
        """The card of a version as a PDF, or in its public form (``?form=public``)."""
        html = printed_card(reach.home, drafts(), version, is_public=request.args.get("form") == "public")
        audit("model_card")
        return as_pdf(html, "model-card.pdf")


class ModelPage(CardPage):
    """モデル."""

    page, title = "model", "モデル"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The versions and drafts there are, a form for a new draft, and one to compare two."""
        return self._start(reach)

    def _start(self, reach: Reach, **context: Any) -> str:
        given = {"record_id": str(uuid.uuid4()), "wrong": "", "content": {}, "failed": "", "types": ()}
        return self.show(
            "models.html",
            reach,
            drafts=drafts().current(),
            proposals=kept_proposals(reach.home),
            type_labels=difficulty_labels(),
            versions=versions_shown(),
            states=STATES_JA,
            actions=ACTIONS_JA,
            **{**given, **context},
        )

    @route("/new", "POST")
    def new(self, reach: Reach) -> Any:
        """Make a draft of a version."""
        return self._make(reach)

    def _make(self, reach: Reach, proposals: Sequence[KeptProposal] = (), types: Collection[str] | None = None) -> Any:
        """Make a draft, of proposals too where ``types`` of them were asked for."""
        record_id = a_record_id()
        content = {name: typed(name).strip() for name in ("name", "base", "comment")}
        again: dict[str, Any] = {
            "content": content, "record_id": record_id, "types": types or (),
            "failed": request.path.rpartition("/")[2],
        }  # fmt: skip
        if types is not None and not proposals:
            return self._start(reach, wrong=NO_TYPE_JA, **again), 422
        try:
            drafts().create(
                content["name"], content["base"], by=username(), comment=content["comment"], draft_id=record_id,
                proposals=proposals,
            )  # fmt: skip
        except ConflictError:
            flash(TWICE_JA, "warning")
        except UsageError as error:
            return self._start(reach, wrong=in_language(error, JAPANESE), **again), 422
        else:
            audit("model_draft")
            flash(DRAFT_MADE_JA, "success")
        first = f"?type={proposals[0].difficulty_type}" if proposals else ""
        return redirect(f"{self.route_base}/{record_id}{first}")

    @route("/proposal", "POST")
    def proposal(self, reach: Reach) -> Any:
        """Make a draft of a version with the proposed coefficients of the chosen types."""
        chosen = set(request.form.getlist("types"))
        return self._make(
            reach, [kept for kept in kept_proposals(reach.home) if kept.difficulty_type in chosen], chosen
        )

    @route("/compare")
    def compare(self, reach: Reach) -> str:
        """What two drafts or versions have differently."""
        one, other = (drafts().side(request.args.get(name, "")) for name in ("one", "other"))
        return self.show("model_compare.html", reach, **difference_words(one, other))

    @route("/<uuid:draft_id>")
    def draft(self, reach: Reach, draft_id: uuid.UUID) -> str:
        """A draft: its items with their figures and coefficients, and what it would do."""
        return self._show_draft(reach, self.shown_draft(draft_id))

    def shown_draft(self, draft_id: uuid.UUID) -> Draft:
        """A draft, whatever its state."""
        return self._draft(str(draft_id))

    def _draft(self, draft_id: str) -> Draft:
        return drafts().draft(draft_id)

    def _show_draft(self, reach: Reach, draft: Draft, **context: Any) -> str:
        figures = figures_of(reach, draft)
        chosen, trial = figures["chosen"], figures["trial"]
        given = {"mistakes": {}, "loose": [], "content": {}, "failed": ""}
        proposed = _proposed(draft, chosen)
        evidence = {
            (row["item_code"], row["band_no"]): row
            for row in reach.rows(
                "bi_item_evidence", "is_latest and second_item_code is null and difficulty_type = ?", [chosen]
            )
        }
        return self.show(
            "model_draft.html",
            reach,
            draft=draft,
            may_submit=username() in draft.writers,
            may_withdraw=username() in draft.authors,
            states=STATES_JA,
            in_force=next((row for row in versions_shown() if row["model_version"] == draft.model_version), None),
            groups=_table(draft, chosen, trial, evidence, proposed),
            is_proposed=bool(proposed),
            cut=groups_that_cut(draft.texts, draft.model_version, chosen) if proposed else [],
            tiers=_tiers(draft, chosen),
            overrides=[row for row in draft.own("risk_overrides") if row["difficulty_type"] == chosen],
            item_labels=_item_labels(draft),
            band_labels=_band_labels(draft),
            odd=[words(placed.mistake) for placed in draft.check() if placed.place in draft.rows],
            actions=ACTIONS_JA,
            observations=_observations(),
            category_options=[(name, name) for name in CATEGORIES],
            scopes={code: SCOPES_JA[code] for code in SCOPES_JA if code in SCOPES},
            aggregates={code: AGGREGATES_JA[code] for code in AGGREGATES_JA if code in AGGREGATES},
            group_options=list(_group_labels(draft).items()),
            group_rows=_groups(draft),
            combines=COMBINES_JA,
            new_bands=range(1, NEW_BANDS + 1),
            priority_rules=rule_fields(draft, PRIORITY_RULES, difficulty_labels()),
            support_rules=rule_fields(draft, SUPPORT_RULES, difficulty_labels()),
            new_rules=NEW_RULES,
            cell_name=cell_name,
            known_cases_at=url_of("known_cases"),
            **figures,
            **{**given, **context},
        )

    def _save(self, reach: Reach, draft: Draft, changes: Mapping[Place, Texts | None], fields: Fields) -> Any:
        """Write a version of a draft, or show the form again with each mistake at its field."""
        seen = seen_version()
        shown_again: dict[str, Any] = {"content": request.form, "failed": request.path.rpartition("/")[2]}
        try:
            if not changes and not typed("comment").strip():
                flash(NOTHING_CHANGED_JA, "warning")
            else:
                drafts().edit(draft.draft_id, seen, changes, by=username(), comment=typed("comment"))
                audit("model_draft")
                flash(SAVED_NOW_JA, "success")
        except ConflictError:
            return self._show_draft(reach, draft, **shown_again, loose=[OTHER_CHANGED_JA]), 409
        except DraftMistakesError as error:
            at, loose = placed_at_fields(error.mistakes, fields)
            return self._show_draft(reach, draft, **shown_again, mistakes=at, loose=loose), 422
        except UsageError as error:
            return self._show_draft(reach, draft, **shown_again, loose=[in_language(error, JAPANESE)]), 422
        return redirect(f"{self.route_base}/{draft.draft_id}?type={self._type(draft)}")

    def _type(self, draft: Draft) -> str:
        chosen = typed("type")
        if chosen not in _types_of(draft):
            abort(400)
        return chosen

    @route("/<uuid:draft_id>/coefficients", "POST")
    def coefficients(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Keep the coefficients of a type; an empty field takes the coefficient out."""
        draft = self._draft(str(draft_id))
        own = {"model_version": draft.model_version, "difficulty_type": self._type(draft)}
        changes: dict[Place, Texts | None] = {}
        fields: dict[str, tuple[Place, str]] = {}
        for place in [place for place in draft.texts if place.table == "risk_bands"]:
            name = cell_name(*place.key)
            if name not in request.form:
                continue
            row = {**own, "item_code": place.key[0], "band_no": place.key[1]}
            where = Place.of("risk_coefficients", row)
            fields[name] = (where, COEFFICIENT)
            _write(draft, changes, where, {**row, COEFFICIENT: typed(name).strip()}, COEFFICIENT)
        return self._save(reach, draft, changes, fields)

    @route("/<uuid:draft_id>/thresholds", "POST")
    def thresholds(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Keep where the tiers of a type begin."""
        draft = self._draft(str(draft_id))
        changes: dict[Place, Texts | None] = {}
        fields: dict[str, tuple[Place, str]] = {}
        for row in _tiers(draft, self._type(draft)):
            name = f"min_score|{row['tier']}"
            where = Place.of("risk_tiers", row)
            fields[name] = (where, "min_score")
            _write(draft, changes, where, {**row, "min_score": typed(name).strip()})
        return self._save(reach, draft, changes, fields)

    @route("/<uuid:draft_id>/override", "POST")
    def override(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Add a forced lower bound of the tier, or take one out (no tier)."""
        draft = self._draft(str(draft_id))
        item, _, band = typed("override_band").partition("|")
        row = {
            "model_version": draft.model_version, "difficulty_type": self._type(draft), "item_code": item,
            "band_no": band,
        }  # fmt: skip
        where = Place.of("risk_overrides", row)
        changes: dict[Place, Texts | None] = {}
        _write(draft, changes, where, {**row, "at_least_tier": typed("at_least_tier")}, "at_least_tier")
        fields = {"override_band": (where, "band_no"), "at_least_tier": (where, "at_least_tier")}
        return self._save(reach, draft, changes, fields)

    @route("/<uuid:draft_id>/group", "POST")
    def group(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Add a group, or change how it combines and its cap."""
        draft = self._draft(str(draft_id))
        self._type(draft)
        # One that is there already keeps its label where none is typed.
        code = typed("known_group") or typed("new_group").strip()
        label = typed("group_label").strip() or draft.texts.get(Place("risk_groups", (code,)), {}).get("label_ja", "")
        row = {"group_code": code, "combine": typed("combine"), "cap": typed("cap").strip(), "label_ja": label}
        where = Place.of("risk_groups", row)
        changes: dict[Place, Texts | None] = {}
        _write(draft, changes, where, row)
        fields = {
            "new_group": (where, "group_code"), "combine": (where, "combine"), "cap": (where, "cap"),
            "group_label": (where, "label_ja"),
        }  # fmt: skip
        return self._save(reach, draft, changes, fields)

    @route("/<uuid:draft_id>/support_priority_rules", "POST")
    def priority_rules(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Keep the rules of the priority, or give up the draft's own ones."""
        return self._keep_rules(reach, draft_id, PRIORITY_RULES)

    @route("/<uuid:draft_id>/support_rules", "POST")
    def support_rules(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Keep the rules of the support contents, or give up the draft's own ones."""
        return self._keep_rules(reach, draft_id, SUPPORT_RULES)

    def _keep_rules(self, reach: Reach, draft_id: uuid.UUID, table: str) -> Any:
        draft = self._draft(str(draft_id))
        self._type(draft)
        changes, fields = typed_rules(draft, table)
        return self._save(reach, draft, changes, fields)

    @route("/<uuid:draft_id>/item", "POST")
    def item(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Add an item made of observations, with its bands and their coefficients."""
        draft = self._draft(str(draft_id))
        row = {name: typed(name).strip() for name in ITEM_COLUMNS}
        return self._add_item(reach, draft, {**row, "kind": "observation"}, [])

    @route("/<uuid:draft_id>/combination", "POST")
    def combination(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Add a combination of items, with its bands and their coefficients."""
        draft = self._draft(str(draft_id))
        names = ("item_code", "label_ja", "category", "group_code", "reason_ja", "source_ja")
        row = {name: typed(name).strip() for name in names}
        members = [code for code in request.form.getlist("members") if code in _item_labels(draft)]
        return self._add_item(reach, draft, {**row, "kind": "combination"}, members)

    def _add_item(self, reach: Reach, draft: Draft, row: dict[str, str], members: Iterable[str]) -> Any:
        own = {"model_version": draft.model_version, "difficulty_type": self._type(draft)}
        code = row["item_code"]
        where = Place.of("risk_items", row)
        changes: dict[Place, Texts | None] = {where: row}
        fields: dict[str, tuple[Place, str]] = {name: (where, name) for name in row}
        for number in range(1, NEW_BANDS + 1):
            given = {name: typed(f"{name}_{number}").strip() for name in ("lower", "upper", "band_label", COEFFICIENT)}
            when_missing = "true" if typed(f"when_missing_{number}") else ""
            if not (any(given.values()) or when_missing):
                continue
            band = {
                "item_code": code, "band_no": str(number), "lower": given["lower"], "upper": given["upper"],
                "when_missing": when_missing, "label_ja": given["band_label"],
            }  # fmt: skip
            of_band = Place.of("risk_bands", band)
            changes[of_band] = band
            fields |= {f"{name}_{number}": (of_band, name) for name in ("lower", "upper", "when_missing")}
            coefficient = {**own, "item_code": code, "band_no": str(number), COEFFICIENT: given[COEFFICIENT]}
            of_coefficient = Place.of("risk_coefficients", coefficient)
            _write(draft, changes, of_coefficient, coefficient, COEFFICIENT)
            fields[f"{COEFFICIENT}_{number}"] = (of_coefficient, COEFFICIENT)
        for member in members:
            pair = {"item_code": code, "member_item_code": member}
            changes[Place.of("risk_item_members", pair)] = pair
        if where in draft.texts:
            return self._show_draft(
                reach,
                draft,
                content=request.form,
                failed=request.path.rpartition("/")[2],
                mistakes={"item_code": f"項目 {code} はすでにあります。別の記号にしてください。"},
            ), 422
        return self._save(reach, draft, changes, fields)

    @route("/<uuid:draft_id>/comment", "POST")
    def comment(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Keep a comment."""
        return self._save(reach, self._draft(str(draft_id)), {}, {})

    @route("/<uuid:draft_id>/submit", "POST")
    def submit(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Submit the draft for approval by another person."""
        return self._step(reach, str(draft_id), drafts().submit, SUBMITTED_JA)

    @route("/<uuid:draft_id>/withdraw", "POST")
    def withdraw(self, reach: Reach, draft_id: uuid.UUID) -> Any:
        """Take back a submitted draft, to change it."""
        return self._step(reach, str(draft_id), drafts().withdraw, WITHDRAWN_JA)

    def _step(self, reach: Reach, draft_id: str, take: Callable[..., None], done: str) -> Any:
        draft = self._draft(draft_id)
        shown_again: dict[str, Any] = {"content": request.form, "failed": request.path.rpartition("/")[2]}
        try:
            take(draft_id, seen_version(), by=username(), comment=typed("comment"))
        except ConflictError:
            return self._show_draft(reach, draft, **shown_again, loose=[OTHER_CHANGED_JA]), 409
        except DraftMistakesError as error:
            _, loose = placed_at_fields(error.mistakes, {})
            return self._show_draft(reach, draft, **shown_again, loose=loose), 422
        except UsageError as error:
            return self._show_draft(reach, draft, **shown_again, loose=[in_language(error, JAPANESE)]), 422
        store().note_access(username(), "model_submission", purpose=typed("comment").strip(), draft=draft_id)
        audit("model_submission")
        flash(done, "success")
        return redirect(f"{self.route_base}/{draft_id}")


def seen_version() -> int:
    """The version of the draft that the form was made of; 0 for what is none."""
    return int(typed("base")) if typed("base").isdecimal() else 0


def printed_card(home: Home, kept: DraftStore, version: str, *, is_public: bool) -> str:
    """The card of a version for printing, as HTML. Raises UnknownRecordError for one that is not in force or past."""
    card = card_of(home, kept, version, clock.today(), is_public=is_public)
    return printed(
        "print_model_card.html",
        card=card,
        status=status_label(card.version),
        actions=ACTIONS_JA,
        smallest=SMALLEST,
        on=clock.today(),
        **(difference_words(card.before, card.after) if card.before else {}),
    )


def status_label(row: Mapping[str, Any]) -> str:
    """The word for the status of a version today."""
    if row["is_cancelled"]:
        return CANCELLED_JA
    is_pending = row["status"] == "draft" and row["from_on"] is not None
    return PENDING_JA if is_pending else STATUSES_JA.get(row["status"], row["status"])


def versions_shown() -> list[dict[str, Any]]:
    """The versions of the definition in force, newest first, with the word for their status today."""
    return [{**row, "status_label": status_label(row)} for row in drafts().in_force.versions(clock.today())]


def difference_words(one: Draft | KeptVersion, other: Draft | KeptVersion) -> dict[str, Any]:
    """What a table of the differences of two drafts or versions needs."""
    return {
        "one": one,
        "other": other,
        "differences": compare(one, other),
        "table_labels": TABLES_JA,
        "columns": COLUMNS_JA,
        "item_labels": {**_item_labels(one), **_item_labels(other)},
        "band_labels": {**_band_labels(one), **_band_labels(other)},
        "group_labels": {**_group_labels(one), **_group_labels(other)},
        "tier_labels": {**_tier_labels(one), **_tier_labels(other)},
        "types": difficulty_labels(),
        "value_labels": {
            "scope": SCOPES_JA,
            "aggregate": AGGREGATES_JA,
            "combine": COMBINES_JA,
            "chain": CHAINS_JA,
            **dict.fromkeys(("vertical", "horizontal", "is_known"), YES_NO_JA),
            **{key: {**_tier_labels(one), **_tier_labels(other)} for key in ("min_tier", "max_tier", "tier")},
            "difficulty_type": difficulty_labels(),
        },
    }


def figures_of(reach: Reach, draft: Draft) -> dict[str, Any]:
    """What a draft would do: the trial, and the words and tables of the difficulty type asked for. Logged."""
    types, chosen = _types_asked(draft)
    trial = _tried(reach.home, reach.publication, DraftKey(draft), frozenset(reach.withheld))
    store().note_access(username(), "model_trial", draft=draft.draft_id, version=draft.version)
    audit("model_trial")
    return {
        "types": types,
        "chosen": chosen,
        "trial": trial,
        "tables": tier_tables(trial, draft.definition, draft.model_version),
        "tier_labels": _tier_labels(draft),
        "kinds": KINDS_JA,
        "causes": _causes(trial, _cap_labels(draft)),
        "totals": {name: shown(getattr(trial.comparison, name)) for name in ("rescored", "changed")},
        "workload": trial.workload,
        "classes": _classes(trial),
        "contents": [(row.code, shown(row.before), shown(row.after)) for row in trial.support if row.kind == "content"],
        "may_see_names": may_see_names(reach),
        "shown": shown,
        "smallest": SMALLEST,
    }


def _write(
    draft: Draft, changes: dict[Place, Texts | None], place: Place, row: Mapping[str, str], needed: str = ""
) -> None:
    """Note a row where it differs from the draft's; without a text in the column ``needed`` the row is taken out."""
    texts = {name: text for name, text in row.items() if text}
    if needed and needed not in texts:
        if place in draft.texts:
            changes[place] = None
    elif draft.texts.get(place) != texts:
        changes[place] = texts


def words(mistake: Mistake) -> str:
    """What is wrong, in Japanese, with the columns under the names of their fields."""
    details = {
        name: COLUMNS_JA.get(detail, detail) if name in ("name", "names") and isinstance(detail, str) else detail
        for name, detail in mistake.details.items()
    }
    return render(mistake.template, JAPANESE, **details)


def placed_at_fields(mistakes: Iterable[PlacedMistake], fields: Fields) -> tuple[dict[str, str], list[str]]:
    """What is said at which field, in Japanese, and what belongs to none of them."""
    names = {where: name for name, where in fields.items()}
    at: dict[str, str] = {}
    loose = []
    for placed in mistakes:
        text = words(placed.mistake)
        name = names.get((placed.place, placed.column))
        if name is None:
            loose.append(text)
        else:
            at[name] = " ".join(filter(None, [at.get(name), text]))
    return at, loose


def difficulty_labels() -> dict[str, str]:
    """The difficulty types with their labels."""
    return {row["difficulty_type"]: row["label_ja"] for row in read_seed("difficulty_types")}


def _types_asked(draft: Draft) -> tuple[dict[str, str], str]:
    """The difficulty types of a draft, and the one that the request is about: the first for what is none."""
    types, asked = _types_of(draft), request.values.get("type", "")
    return types, asked if asked in types else next(iter(types), "")


def _types_of(draft: Draft) -> dict[str, str]:
    mine = {row["difficulty_type"] for table in ("risk_tiers", "risk_coefficients") for row in draft.own(table)}
    return {code: label for code, label in difficulty_labels().items() if code in mine}


def _tiers(draft: Draft, difficulty: str) -> list[Texts]:
    rows = [row for row in draft.own("risk_tiers") if row["difficulty_type"] == difficulty]
    return sorted(rows, key=lambda row: -int(row.get("tier_rank", "0")))


def _group_labels(draft: Draft | KeptVersion) -> dict[str, str]:
    """Code of each group → its label. A definition from before groups had labels has those of the seeds."""
    of_seeds = {row["group_code"]: row["label_ja"] for row in read_seed("risk_groups")}
    return {
        place.key[0]: row.get("label_ja") or of_seeds.get(place.key[0]) or place.key[0]
        for place, row in draft.texts.items()
        if place.table == "risk_groups"
    }


def _groups(draft: Draft) -> list[dict[str, Any]]:
    """The groups with their labels, how they combine, their caps and the items in them."""
    items: dict[str, list[str]] = {}
    for place, row in draft.texts.items():
        if place.table == "risk_items" and row.get("group_code"):
            items.setdefault(row["group_code"], []).append(row.get("label_ja", place.key[0]))
    labels = _group_labels(draft)
    return [
        {**row, "label": labels[place.key[0]], "members": items.get(place.key[0], [])}
        for place, row in draft.texts.items()
        if place.table == "risk_groups"
    ]


def _cap_labels(draft: Draft) -> dict[str, str]:
    """Code of each group → what the cut of its cap is called."""
    return {group: f"グループ「{label}」の上限" for group, label in _group_labels(draft).items()}


def _tier_labels(draft: Draft | KeptVersion) -> dict[str, str]:
    rows = [row for place, row in draft.texts.items() if place.table == "risk_tiers"]
    return {
        row["tier"]: row.get("label_ja", row["tier"]) for row in rows if row["model_version"] == draft.model_version
    }


def _item_labels(draft: Draft | KeptVersion) -> dict[str, str]:
    return {
        place.key[0]: row.get("label_ja", place.key[0])
        for place, row in draft.texts.items()
        if place.table == "risk_items"
    }


def _band_labels(draft: Draft | KeptVersion) -> dict[tuple[str, str], str]:
    return {
        place.key: row.get("label_ja", "—") for place, row in draft.texts.items() if place.table == "risk_bands"
    }  # fmt: skip


def band_names(definition: Definition) -> dict[tuple[str, int], str]:
    """Item and band → what they are called together."""
    items = {row["item_code"]: row["label_ja"] or row["item_code"] for row in definition["risk_items"]}
    return {
        (row["item_code"], row["band_no"]): f"{items.get(row['item_code'], row['item_code'])}：{row['label_ja'] or '—'}"
        for row in definition["risk_bands"]
    }


def tier_names(definition: Definition, version: str, difficulty: str) -> dict[str, str]:
    """The tiers of a version in a type with their labels."""
    return {
        row["tier"]: row["label_ja"] or row["tier"]
        for row in definition["risk_tiers"]
        if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
    }


@lru_cache(maxsize=1)
def _observations() -> list[tuple[str, str]]:
    """Code and label of each observation that the register lets a score use, on the day of the process."""
    obstacles = observation_obstacles(clock.today())
    return [
        (row["observation_code"], row["label_ja"])
        for row in read_seed("observation_codes")
        if obstacles.get(row["observation_code"]) is None
    ]


def _coefficients(draft: Draft, version: str, difficulty: str) -> dict[tuple[str, str], str]:
    """Item and band → coefficient of a version in a type, as it is written."""
    rows = [row for place, row in draft.texts.items() if place.table == "risk_coefficients"]
    return {
        (row["item_code"], row["band_no"]): row[COEFFICIENT]
        for row in rows
        if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
    }


def _proposed(draft: Draft, difficulty: str) -> dict[tuple[str, str], str]:
    """Item and band → the coefficient that was proposed; none where the draft was not made from one for this type."""
    first = drafts().proposed(draft)
    if first is None:
        return {}
    proposed = _coefficients(first, draft.model_version, difficulty)
    return {} if proposed == _coefficients(first, draft.base_version, difficulty) else proposed


def _table(
    draft: Draft,
    difficulty: str,
    trial: Trial,
    evidence: Mapping[tuple[str, int], Mapping[str, Any]],
    proposed: Mapping[tuple[str, str], str],
) -> dict[str, list[dict[str, Any]]]:
    """The items by category, each with its bands and their figures, those that the type uses first."""
    own = _coefficients(draft, draft.model_version, difficulty)
    base = _coefficients(draft, draft.base_version, difficulty)
    bands: dict[str, list[dict[str, Any]]] = {}
    for place, row in draft.texts.items():
        if place.table == "risk_bands":
            key = place.key
            number = int(key[1])
            bands.setdefault(key[0], []).append(
                {
                    "band_no": key[1],
                    "label": row.get("label_ja", "—"),
                    "met": shown(trial.met.get((key[0], number), 0)),
                    "evidence": _evidence(evidence.get((key[0], number))),
                    "before": base.get(key, ""),
                    "proposed": proposed.get(key, ""),
                    COEFFICIENT: own.get(key, ""),
                    "is_changed": own.get(key, "") != base.get(key, ""),
                }
            )
    groups: dict[str, list[dict[str, Any]]] = {category: [] for category in CATEGORIES}
    for place, row in draft.texts.items():
        if place.table == "risk_items":
            of_item = bands.get(place.key[0], [])
            is_used = any(band[COEFFICIENT] or band["before"] or band["proposed"] for band in of_item)
            groups.setdefault(row.get("category", "—"), []).append(
                {**row, "code": place.key[0], "bands": of_item, "is_used": is_used, "is_new": place in draft.rows}
            )
    return {
        category: sorted(rows, key=lambda item: not (item["is_used"] or item["is_new"]))
        for category, rows in groups.items()
        if rows
    }


def _evidence(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The figures of a band: cases as they may be shown, odds ratio with its interval, whether they are few."""
    if row is None:
        return None
    return {
        "cases": shown(row["exposed_cases"]),
        "odds_ratio": row["odds_ratio"],
        "low": row["odds_ratio_low"],
        "high": row["odds_ratio_high"],
        "is_few": row["exposed_cases"] < SMALLEST,
    }


def _classes(trial: Trial) -> list[tuple[str, str, str]]:
    """Class of priority, children in service and with the draft; a hidden count says so."""
    rows = [row for row in trial.support if row.kind == "priority"]
    sides = [{("", row.code): getattr(row, side) for row in rows} for side in ("before", "after")]
    hidden = hidden_cells(sides)
    return [
        (row.code, *((HIDDEN_JA, HIDDEN_JA) if ("", row.code) in hidden else (f"{row.before:,}", f"{row.after:,}")))
        for row in sorted(rows, key=lambda row: row.code)
    ]


def _causes(trial: Trial, caps: Mapping[str, str]) -> list[dict[str, Any]]:
    """The items that make the difference for enough children; the cut of a cap stands under its group."""
    return [
        {
            **row,
            "label_ja": caps.get(row["item_code"], row["label_ja"]),
            "children": shown(row["children"]),
            "graver": shown(row["graver"]),
            "milder": shown(row["milder"]),
        }
        for row in trial.comparison.items
        if row["children"] >= SMALLEST
    ]
