"""納品: files that stewards send, check and hand over; the state of each delivery, and what is decided about it.

What holds or shows the content of a file (an upload, its rejects) is for the stewards of its holder alone; the
overseeing department sees the states of all deliveries, and may decide on them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from flask import Response, abort, flash, redirect, request

from kodomo.contract import Contract, load_contracts
from kodomo.determination.service import in_service
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.store import ConflictError, Version
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.ingest.consequences import Consequences, consequences
from kodomo.ingest.decisions import TRANSITIONS
from kodomo.ingest.inspection import ENCODINGS_JA
from kodomo.ingest.landing import landing_of
from kodomo.ingest.rehearsal import Earlier, read_earlier
from kodomo.ingest.reject_files import People, rejects_of_original
from kodomo.ingest.uploads import (
    HANDED_OVER,
    KEPT_HOURS,
    MOST_BYTES,
    MOST_FILES,
    WAITING,
    TwiceError,
    UnknownUploadError,
    Upload,
    UploadError,
    Uploads,
)
from kodomo.messages import JAPANESE, in_language
from kodomo.specification import (
    HEADINGS,
    WORKBOOK_TYPE,
    codes,
    data_contract_yaml,
    delivered_contracts,
    items,
    summary,
    workbook,
)
from kodomo.warehouse import records
from superset_config.pages.base import (
    EntryPage,
    a_record_id,
    audit,
    page_number,
    route,
    store,
    typed,
    typed_date,
    username,
)
from superset_config.pages.reach import Reach
from superset_config.pages.words import TWICE_JA

FORM = "delivery_decision"
ON_A_PAGE = 50
MOST_REJECTS = 100
"""Rejects that a page lists one by one."""
REFRESH_SECONDS = 5
DELIVERIES, REJECTS, FACTS, PEOPLE = (
    f"warehouse.marts.{name}" for name in ("fct_delivery", "fct_reject", "fct_observation", "dim_person")
)
RAW = "warehouse.raw"
HELD, LOADED, WITHDRAWN = "held", "loaded", "withdrawn"
NEXT_JA = {
    HELD: "理由を確かめ、正しければ「使う」、誤りなら「取り下げる」。正しいファイルがあれば、それを送ってください。",
    "refused": "理由のところを直したファイルを送ってください。",
    "duplicate": "することはありません。",
    WITHDRAWN: "使うことにするときは「使う」。",
    "expired": "することはありません。保存期間が終わり、消えています。",
    LOADED: "することはありません。",
}
"""What to do about a delivery, by its status."""
MEND_JA = "不受理の行を受け取り、直して送ってください。"
PENDING_JA = "この納品には、まだ実行されていない判断があります。先に取り消してください。"
TAKEN_BACK_JA = "判断を取り消しました。"
TOO_LATE_JA = "もう実行されています。戻すときは、あらためて判断してください。"
PROTECTED_JA = "支援措置の対象の世帯の行です。取扱いを認められた職員が受け取ってください。"
UNKNOWN_JA = "公開中のデータを読めないため、変わる件数は分かりません。"


@dataclass(frozen=True)
class Decided:
    """The last decision about a delivery, and its outcome (None: the next run carries it out)."""

    version: Version
    outcome: str | None


class DeliveryPage(EntryPage):
    """納品."""

    page, title = "delivery_decision", "納品"

    @property
    def uploads(self) -> Uploads:
        """The uploads of this home."""
        return Uploads(Home.from_environment())

    @route("/")
    def index(self, reach: Reach) -> str:
        """The form for files, what was sent, and the deliveries, those on hold first."""
        store().note_access(username(), "delivery_decision_list")
        audit("delivery_decision_list")
        number = page_number(request.args.get("page", ""))
        return self._index(reach, number)

    def _index(self, reach: Reach, number: int = 1, **context: Any) -> str:
        rows = _rows(reach)
        decisions = _decisions()
        pages = range(1, max(1, -(-len(rows) // ON_A_PAGE)) + 1)
        number = min(number, len(pages))
        sent = self._sent(reach)
        return self.show(
            "deliveries.html",
            reach,
            sources=_own_sources(reach),
            specifications={name: one.label for name, one in _specified(reach).items()},
            sent=[upload for upload in sent if upload.state != HANDED_OVER],
            waiting=_not_taken_yet(sent, rows),
            labels=_labels(),
            rows=[
                {**row, "decided": decisions.get(row["delivery_id"]), "next": next_step(row, reach)}
                for row in rows[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
            ],
            held=sum(row["status"] == HELD for row in rows),
            numbers=[(page, f"page={page}") for page in pages],
            page=number,
            on_a_page=ON_A_PAGE,
            new_id=str(uuid.uuid4()),
            form=forms()[FORM],
            **self._limits(),
            **context,
        )

    def _limits(self) -> dict[str, Any]:
        return {"most_mb": MOST_BYTES // 2**20, "most_files": MOST_FILES, "kept_hours": KEPT_HOURS}

    def _sent(self, reach: Reach) -> list[Upload]:
        sent = self.uploads.of(reach.scope.departments)
        if any(upload.state == WAITING for upload in sent):
            # A check that was broken off is begun again.
            self.uploads.start_checking()
        return sent

    @route("/upload", "POST")
    def upload(self, reach: Reach) -> Any:
        """Take files to be checked; nothing of them counts yet."""
        files = [file for file in request.files.getlist("files") if file.filename]
        form_id = uuid.UUID(a_record_id())
        mends = typed("mends") or None
        if mends and mends not in {row["delivery_id"] for row in _own_rows(reach)}:
            abort(404)
        source_id = typed("source_id") or None
        if source_id and source_id not in _own_sources(reach):
            abort(404)
        back = f"{self.route_base}/of/{mends}" if mends else f"{self.route_base}/"
        if not files or len(files) > MOST_FILES:
            flash(f"ファイルを選んでください（一度に{MOST_FILES}個まで）。", "error")
            return redirect(back)
        uploads, earlier, taken = self.uploads, _earlier(reach), 0
        uploads.forget_expired()
        for number, file in enumerate(files):
            file.stream.flush()
            try:
                upload = uploads.receive(
                    str(uuid.uuid5(form_id, str(number))), Path(file.stream.name), file.filename or "",
                    by=username(), departments=reach.scope.departments, earlier=earlier, source_id=source_id,
                    delivered_on=typed_date("delivered_on"), mends=mends,
                )  # fmt: skip
            except TwiceError:
                flash(TWICE_JA, "warning")
            except UploadError as error:
                flash(in_language(error, JAPANESE), "error")
            else:
                taken += 1
                self._note("sent", upload)
        if not taken:
            return redirect(back)
        uploads.start_checking()
        return redirect(f"{self.route_base}/files")

    @route("/files")
    def files(self, reach: Reach) -> Any:
        """What was sent and is not handed over; the page looks again by itself while something is being checked."""
        sent = [upload for upload in self._sent(reach) if upload.state != HANDED_OVER]
        page = self.show("delivery_files.html", reach, sent=sent, labels=_labels(), **self._limits())
        return self._refreshed(page, sent)

    @route("/file/<uuid:upload_id>")
    def file(self, reach: Reach, upload_id: uuid.UUID) -> Any:
        """What the check of a file has shown."""
        upload = self._upload(reach, upload_id)
        if upload.state == WAITING:
            self.uploads.start_checking()
        page = self.show(
            "delivery_file.html",
            reach,
            upload=upload,
            sources=_own_sources(reach),
            labels=_labels(),
            **self._limits(),
        )
        return self._refreshed(page, [upload])

    def _refreshed(self, page: str, sent: Iterable[Upload]) -> Any:
        is_waiting = any(upload.state == WAITING for upload in sent)
        return Response(page, headers={"Refresh": str(REFRESH_SECONDS)} if is_waiting else {})

    def _upload(self, reach: Reach, upload_id: uuid.UUID) -> Upload:
        try:
            return self.uploads.get(str(upload_id), reach.scope.departments)
        except UnknownUploadError:
            abort(404)

    @route("/file/<uuid:upload_id>/hand_over", "POST")
    def hand_over(self, reach: Reach, upload_id: uuid.UUID) -> Any:
        """Put a checked file into the landing folder."""
        self._upload(reach, upload_id)
        home = Home.from_environment()
        try:
            upload = self.uploads.hand_over(str(upload_id), reach.scope.departments, landing_of(home), username())
        except TwiceError as error:
            flash(in_language(error, JAPANESE), "warning")
        except UploadError as error:
            flash(in_language(error, JAPANESE), "error")
            return redirect(f"{self.route_base}/file/{upload_id}")
        else:
            self._note("handed_over", upload)
            flash("引き渡しました。次の一括処理で取り込みます。", "success")
        return self.back()

    @route("/file/<uuid:upload_id>/throw_away", "POST")
    def throw_away(self, reach: Reach, upload_id: uuid.UUID) -> Any:
        """Delete a file that was sent."""
        self._upload(reach, upload_id)
        try:
            upload = self.uploads.throw_away(str(upload_id), reach.scope.departments)
        except UploadError as error:
            flash(in_language(error, JAPANESE), "error")
        else:
            self._note("thrown_away", upload)
            flash("ファイルを捨てました。", "success")
        return self.back()

    @route("/file/<uuid:upload_id>/again", "POST")
    def again(self, reach: Reach, upload_id: uuid.UUID) -> Any:
        """Check a file once more, for another source or date."""
        self._upload(reach, upload_id)
        source_id = typed("source_id") or None
        if source_id and source_id not in _own_sources(reach):
            abort(404)
        try:
            self.uploads.check_again(str(upload_id), reach.scope.departments, source_id, typed_date("delivered_on"))
        except UploadError as error:
            flash(in_language(error, JAPANESE), "error")
        else:
            self.uploads.start_checking()
        return redirect(f"{self.route_base}/file/{upload_id}")

    def _note(self, what: str, upload: Upload) -> None:
        """Who did what with which file and when: neither its name nor anything in it."""
        action = f"{self.page}_{what}"
        store().note_access(
            username(), action, delivery=upload.landed_name or upload.source_id or "", upload_id=upload.upload_id,
            sha256=upload.sha256, size=upload.size,
        )  # fmt: skip
        audit(action)

    @route("/of/<string:delivery_id>")
    def delivery(self, reach: Reach, delivery_id: str) -> str:
        """One delivery: its state with the reason, its rejects, and what can be decided."""
        return self._delivery(reach, _found(_rows(reach), delivery_id))

    def _delivery(self, reach: Reach, row: dict[str, Any], **context: Any) -> str:
        delivery_id = row["delivery_id"]
        rejects = _rejects(reach, delivery_id)
        reasons: dict[tuple[str, str, str], int] = {}
        for reject in rejects:
            place = (reject["heading"] or "（行全体）", reject["reason_label"], reject["state_label"])
            reasons[place] = reasons.get(place, 0) + 1
        given = {"mistakes": {}, "typed_reason": ""}
        return self.show(
            "delivery.html",
            reach,
            row=row,
            next=next_step(row, reach),
            is_own=row["holder"] in reach.scope.departments,
            handed=_handed_over_as(row["file_name"], self.uploads.of(reach.scope.departments)),
            decided=_decisions().get(delivery_id),
            choices=possible(row),
            encoding=ENCODINGS_JA.get(row["encoding"], row["encoding"]),
            form=forms()[FORM],
            reasons=[(*place, count) for place, count in reasons.items()],
            rejects=rejects[:MOST_REJECTS],
            reject_count=len(rejects),
            unmended=len(_unmended(rejects)),
            what=_consequences(delivery_id) if row["status"] in {HELD, WITHDRAWN} else None,
            record_id=str(uuid.uuid4()),
            **self._limits(),
            **{**given, **context},
        )

    @route("/of/<string:delivery_id>/rejects", "POST")
    def rejects(self, reach: Reach, delivery_id: str) -> Any:
        """The records to mend, as the holder's own file: in its encoding, under its headings.

        Those of people whose place is hidden from the steward are left out.
        """
        _found(_own_rows(reach), delivery_id)
        lines = _unmended(_rejects(reach, delivery_id))
        with in_service(Home.from_environment()) as (connection, _):
            query = f"select sha256, source_id from {DELIVERIES} where delivery_id = ?"  # noqa: S608  # a name of this file
            found = records(connection, query, [delivery_id])
            withheld = records(
                connection,
                f"select atena_no, display_name, kana from {PEOPLE} where list_contains(?, person_id)",  # noqa: S608  # as above
                [[*reach.withheld]],
            )
        if not found or not lines:
            abort(404)
        names = [row[column] for row in withheld for column in ("display_name", "kana")]
        without = People.of([row["atena_no"] for row in withheld], names)
        try:
            rejects = rejects_of_original(
                Home.from_environment(), found[0]["sha256"], found[0]["source_id"], lines, without
            )
        except KodomoError as error:
            flash(in_language(error, JAPANESE), "error")
            return redirect(f"{self.route_base}/of/{delivery_id}")
        if rejects.left_out == len(lines):
            flash(PROTECTED_JA, "error")
            return redirect(f"{self.route_base}/of/{delivery_id}")
        store().note_access(
            username(), f"{self.page}_rejects", delivery=delivery_id, rows=len(lines) - rejects.left_out
        )  # fmt: skip
        audit(f"{self.page}_rejects")
        # No text to the browser, which would be given a mark of another encoding on its way.
        return _as_file(rejects.content, "application/octet-stream", f"{delivery_id}_mended.csv")

    @route("/specification/<string:source_id>")
    def specification(self, reach: Reach, source_id: str) -> str:
        """納品仕様書: what the files of a source have to be."""
        contract = _specified(reach).get(source_id) or abort(404)
        return self.show(
            "delivery_specification.html",
            reach,
            label=contract.label,
            source_id=source_id,
            summary=summary(contract),
            headings=HEADINGS,
            rows=list(items(contract)),
            codes=list(codes(contract)),
        )

    @route("/specification/<string:source_id>/excel")
    def specification_workbook(self, reach: Reach, source_id: str) -> Response:
        """The same as a workbook."""
        contract = _specified(reach).get(source_id) or abort(404)
        audit(f"{self.page}_specification")
        return _as_file(workbook(contract), WORKBOOK_TYPE, f"{source_id}.xlsx")

    @route("/specification/<string:source_id>/odcs")
    def specification_contract(self, reach: Reach, source_id: str) -> Response:
        """The same as an open data contract (ODCS)."""
        contract = _specified(reach).get(source_id) or abort(404)
        audit(f"{self.page}_specification")
        return _as_file(
            data_contract_yaml(contract).encode("utf-8"), "application/octet-stream", f"{source_id}.odcs.yaml"
        )

    @route("/decide", "POST")
    def decide(self, reach: Reach) -> Any:
        """Keep a decision; the next run carries it out. A withdrawal is asked for twice, with what it changes."""
        form = forms()[FORM]
        content = clean(form, request.form)
        row = _found(_rows(reach), content.get("delivery_id", ""))
        wrong = mistakes(form, content)
        if not wrong and content["decision"] not in possible(row):
            wrong = {"decision": "この納品には、その判断はできません。"}
        earlier = _decisions().get(row["delivery_id"])
        is_sent_again = earlier is not None and earlier.version.record_id == typed("record_id")
        if not wrong and earlier is not None and earlier.outcome is None and not is_sent_again:
            wrong = {"decision": PENDING_JA}
        if wrong:
            return self._delivery(reach, row, mistakes=wrong, typed_reason=content.get("reason", "")), 422
        if content["decision"] == "withdraw" and typed("confirmed") != "yes":
            return self.show(
                "delivery_withdraw.html",
                reach,
                row=row,
                reason=content["reason"],
                record_id=a_record_id(),
                what=_consequences(row["delivery_id"]),
                unknown=UNKNOWN_JA,
            )
        self.keep(
            reach, FORM, content,
            saved="保存しました。次の一括処理で実行されます。それまでは取り消せます。",
        )  # fmt: skip
        return redirect(f"{self.route_base}/of/{row['delivery_id']}")

    @route("/undo", "POST")
    def undo(self, reach: Reach) -> Any:
        """Take back a decision that no run has carried out yet."""
        version = store().newest(a_record_id())
        if version.form != FORM or version.is_deleted:
            abort(404)
        row = _found(_rows(reach), version.content["delivery_id"])
        back = redirect(f"{self.route_base}/of/{row['delivery_id']}")
        if store().effect(version.record_id, version.version) is not None:
            flash(TOO_LATE_JA, "error")
            return back
        try:
            store().delete(version.record_id, version.version, by=username(), reason="実行の前に取り消した")
        except ConflictError:
            flash(TWICE_JA, "warning")
        else:
            flash(TAKEN_BACK_JA, "success")
        return back


def next_step(row: dict[str, Any], reach: Reach) -> str:
    """What a steward does next about a delivery, in Japanese."""
    if row["status"] == LOADED and row["open_rejects"]:
        is_own = row["holder"] in reach.scope.departments
        return MEND_JA if is_own else f"{row['holder_label']}のデータ管理担当が、不受理の行を直します。"
    return NEXT_JA.get(row["status"], "")


def possible(row: dict[str, Any]) -> list[str]:
    """The decisions that a delivery's status allows. What was typed into forms is no file to decide on."""
    if row["kind_label"] == "入力画面":
        return []
    choices = [decision for decision, (before, _) in TRANSITIONS.items() if row["status"] in before]
    if not row.get("finding_count"):
        # Nothing was found in a column of it: there is nothing to accept.
        choices = [decision for decision in choices if decision != "accept"]
    return [*choices, "replay"] if row["status"] in {HELD, LOADED, WITHDRAWN, "refused"} else choices


def _rows(reach: Reach) -> list[dict[str, Any]]:
    """The deliveries within reach, those on hold first, then the newest, with how many rejects are open."""
    # The overseeing department has a row per holder's form; one delivery is one row here.
    unique = {row["delivery_id"]: row for row in reach.rows("bi_delivery")}
    rejects = reach.rows("bi_reject", "state = 'open'", columns=("delivery_id", "line_number"))
    open_rejects: dict[str, int] = {}
    for reject in rejects:
        open_rejects[reject["delivery_id"]] = open_rejects.get(reject["delivery_id"], 0) + 1
    newest = sorted(unique.values(), key=lambda row: (row["delivered_on"], row["delivery_id"]), reverse=True)
    return [
        {**row, "open_rejects": open_rejects.get(row["delivery_id"], 0)}
        for row in sorted(newest, key=lambda row: row["status"] != HELD)
    ]


def _own_rows(reach: Reach) -> list[dict[str, Any]]:
    """Those of the steward's own departments."""
    return [row for row in _rows(reach) if row["holder"] in reach.scope.departments]


def _found(rows: Iterable[dict[str, Any]], delivery_id: str) -> dict[str, Any]:
    row = next((row for row in rows if row["delivery_id"] == delivery_id), None)
    if row is None:
        abort(404)
    return row


def _rejects(reach: Reach, delivery_id: str) -> list[dict[str, Any]]:
    """The rejects of a delivery by line, without what is in them."""
    rows = {row["line_number"]: row for row in reach.rows("bi_reject", "delivery_id = ?", [delivery_id])}
    return [rows[line] for line in sorted(rows)]


def _unmended(rejects: Iterable[dict[str, Any]]) -> list[int]:
    return [reject["line_number"] for reject in rejects if reject["resolved_by_delivery_id"] is None]


def _own_contracts(reach: Reach) -> dict[str, Contract]:
    return {name: one for name, one in load_contracts().items() if one.holder in reach.scope.departments}


def _own_sources(reach: Reach) -> dict[str, str]:
    """The extracts that the steward's departments deliver as files: name → label."""
    return {one.source_id: one.label for one in delivered_contracts(tuple(reach.scope.departments))}


def _specified(reach: Reach) -> dict[str, Contract]:
    """The contracts of which the steward has the specification: those of its departments, an overseer's all."""
    departments = reach.scope.departments
    holders = None if reach.access.overseeing_department in departments else tuple(departments)
    return {one.source_id: one for one in delivered_contracts(holders)}


def _as_file(content: bytes, mimetype: str, name: str) -> Response:
    return Response(content, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _labels() -> dict[str, str]:
    return {name: contract.label for name, contract in load_contracts().items()}


def _decisions() -> dict[str, Decided]:
    """The last decision by delivery."""
    effects = store().effects()
    return {
        version.content["delivery_id"]: Decided(version, effects.get((version.record_id, version.version), (None,))[0])
        for version in store().current(FORM)
    }


def _handed_over_as(file_name: str, sent: Iterable[Upload]) -> Upload | None:
    """The upload that a delivery came from; None for one that came another way, or too long ago."""
    return next((upload for upload in sent if upload.state == HANDED_OVER and upload.landed_name == file_name), None)


def _not_taken_yet(sent: Iterable[Upload], rows: Iterable[dict[str, Any]]) -> list[Upload]:
    """What was handed over and is in no publication."""
    taken = {row["file_name"] for row in rows}
    return [upload for upload in sent if upload.state == HANDED_OVER and upload.landed_name not in taken]


def _earlier(reach: Reach) -> Earlier:
    """What was delivered before of the own sources, by the publication in service; nothing before the first one."""
    try:
        with in_service(Home.from_environment()) as (connection, _):
            return read_earlier(connection, DELIVERIES, REJECTS, RAW, [*_own_contracts(reach)])
    except (KodomoError, duckdb.CatalogException):
        return Earlier()


def _consequences(delivery_id: str) -> Consequences | None:
    """What depends on a delivery; None where the publication in service does not know."""
    try:
        with in_service(Home.from_environment()) as (connection, _):
            return consequences(connection, delivery_id, deliveries=DELIVERIES, rejects=REJECTS, facts=FACTS)
    except (KodomoError, duckdb.CatalogException, LookupError):
        return None
