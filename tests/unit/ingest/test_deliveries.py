"""Deliveries, one after another: full and delta, late, twice, withdrawn, replayed, held, mended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.ingest.decisions import decide, list_rejects
from kodomo.ingest.deliveries import Delivery, ingest_landing, replay
from kodomo.ingest.reject_files import export_rejects
from kodomo.macros import load_macros
from kodomo.warehouse import connect

FULL, DELTA = "national_health_insurance", "vaccinations"
HEADINGS = {
    FULL: "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分",
    DELTA: "宛名番号,ワクチン種別,回数,接種年月日",
}


class City:
    """A landing folder and a home; each file is taken by a run of its own."""

    def __init__(self, folder: Path) -> None:
        self.landing = folder / "landing"
        self.home = Home(folder / "var")
        self.runs = 0

    def deliver(self, source: str, name: str, rows: list[str] | bytes, encoding: str = "cp932") -> Delivery:
        """Put a file there and take it."""
        data = rows if isinstance(rows, bytes) else "\r\n".join([HEADINGS[source], *rows, ""]).encode(encoding)
        path = self.landing / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        deliveries = self.run()
        assert [delivery.file_name for delivery in deliveries] == [name]
        assert deliveries[0].rows_read == deliveries[0].rows_loaded + deliveries[0].rows_rejected
        return deliveries[0]

    def run(self) -> list[Delivery]:
        """What a run takes."""
        self.runs += 1
        return ingest_landing(self.home, self.landing, f"run-{self.runs}")

    def present(self, source: str) -> list[tuple]:
        """The 宛名番号 of the source's present state, as the staging model reads it, with the delivery's date."""
        from jinja2 import Environment

        from kodomo.home import PROJECT

        text = (PROJECT / "macros" / "current_rows.sql").read_text(encoding="utf-8")
        macro = Environment().from_string(text, globals={"source": lambda _, table: f"raw.{table}"}).module
        with connect(self.home, read_only=True) as connection:
            return connection.execute(
                f"select {load_macros()['normalise_id']('atena_no', 15)}::bigint, left(delivery_id, 8) "
                f"from ({macro.current_rows(source)}) order by all"
            ).fetchall()

    def states(self) -> list[tuple]:
        """Line, state and mending delivery of each reject."""
        return [
            (reject["delivery_id"][:8], reject["line_number"], reject["state"], reject["resolved_by_delivery_id"])
            for reject in list_rejects(self.home)
        ]


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def insured(*numbers: int | str) -> list[str]:
    """Good rows of national_health_insurance, but for what is wrong with a number."""
    return [f"{number},R5.4.1,転入,,,一般" for number in numbers]


def test_a_full_delivery_replaces_and_a_late_one_does_not(city: City) -> None:
    city.deliver(FULL, "n_20260401.csv", insured(1, 2))
    city.deliver(FULL, "n_20260601.csv", insured(2, 3))
    late = city.deliver(FULL, "n_20260501.csv", insured(1, 2, 9))
    assert late.status == "loaded"
    assert city.present(FULL) == [(2, "20260601"), (3, "20260601")]


def test_deltas_add_up(city: City) -> None:
    city.deliver(DELTA, "v_20260401.csv", ["1,MR,1,R5.4.1", "2,MR,1,R5.4.1"])
    city.deliver(DELTA, "v_20260501.csv", ["1,MR,1,R5.4.1", "3,MR,1,R5.4.1"])
    # The same key twice: the staging model keeps the later one.
    assert city.present(DELTA) == [(1, "20260401"), (1, "20260501"), (2, "20260401"), (3, "20260501")]


def test_two_files_of_one_source_on_one_day(city: City) -> None:
    first = city.deliver(FULL, "a_20260401.csv", insured(1, 2))
    second = city.deliver(FULL, "b_20260401.csv", insured(3, 4))
    assert (first.delivery_id, second.delivery_id) == (f"20260401-{FULL}-01", f"20260401-{FULL}-02")
    assert city.present(FULL) == [(3, "20260401"), (4, "20260401")]


def test_the_same_bytes_under_another_name_change_nothing(city: City) -> None:
    city.deliver(FULL, "n_20260401.csv", insured(1, 2))
    city.deliver(FULL, "n_20260501.csv", insured(2, 3))
    again = city.deliver(FULL, "n_20260601.csv", insured(1, 2))
    assert (again.status, again.rows_read) == ("duplicate", 0)
    assert city.present(FULL) == [(2, "20260501"), (3, "20260501")]
    assert city.run() == []


def test_a_name_used_again_for_other_bytes_is_a_delivery(city: City) -> None:
    city.deliver(FULL, "n.csv", insured(1))
    path = city.landing / FULL / "n.csv"
    path.write_bytes("\n".join([HEADINGS[FULL], *insured(1, 2)]).encode("cp932"))
    os.utime(path, (path.stat().st_mtime + 86400 * 2,) * 2)
    (delivery,) = city.run()
    assert delivery.status == "loaded"
    assert [number for number, _ in city.present(FULL)] == [1, 2]


@pytest.mark.parametrize(("rows", "status"), [(70, "loaded"), (69, "held")])
def test_a_full_delivery_under_seventy_percent_is_held_until_it_is_released(city: City, rows: int, status: str) -> None:
    city.deliver(FULL, "n_20260401.csv", insured(*range(1, 101)))
    delivery = city.deliver(FULL, "n_20260501.csv", insured(*range(1, rows + 1)))
    assert delivery.status == status
    assert len(city.present(FULL)) == (70 if status == "loaded" else 100)
    if status == "held":
        decide(city.home, delivery.delivery_id, "release", "an office has moved out", "steward")
        assert len(city.present(FULL)) == 69


def test_a_withdrawn_delivery_gives_way_to_the_one_before(city: City) -> None:
    city.deliver(FULL, "n_20260401.csv", insured(1, 2))
    second = city.deliver(FULL, "n_20260501.csv", insured(3, 4))
    decide(city.home, second.delivery_id, "withdraw", "of another city", "steward")
    assert city.present(FULL) == [(1, "20260401"), (2, "20260401")]
    assert city.run() == []
    decide(city.home, second.delivery_id, "release", "it was ours", "steward")
    assert city.present(FULL) == [(3, "20260501"), (4, "20260501")]


@pytest.mark.parametrize(
    ("heading", "status"),
    [("証区分,備考", "loaded"), ("区分", "refused"), ("証区分,証区分", "refused"), (None, "refused")],
)
def test_columns_that_are_new_renamed_or_gone(city: City, heading: str | None, status: str) -> None:
    headings = HEADINGS[FULL].removesuffix(",証区分") + (f",{heading}" if heading else "")
    line = "1,R5.4.1,転入,," + ",x" * headings.count(",")
    delivery = city.deliver(FULL, "n_20260401.csv", f"{headings}\n{line}".encode("cp932"))
    assert delivery.status == status
    assert ("備考" if heading == "証区分,備考" else "証区分") in (delivery.reason or "")


def test_originals_are_kept_read_only(city: City) -> None:
    delivery = city.deliver(FULL, "n_20260401.csv", insured(1))
    kept = city.home.store / delivery.sha256[:2] / delivery.sha256
    assert kept.read_bytes() == (city.landing / FULL / "n_20260401.csv").read_bytes()
    assert not kept.stat().st_mode & 0o222


BROKEN = {
    2: ("1.23E+10,R5.4.1,転入,,,一般", "12345678901,R5.4.1,転入,,,一般"),
    3: ("2,R5.2.29,出生,,,一般", "2,R5.2.28,出生,,,一般"),
    4: (",R5.4.1,社保離脱,,,一般", "3,R5.4.1,社保離脱,,,一般"),
    5: ("4,R5.4.1,転入,,", "4,R5.4.1,転入,,,一般"),
    6: ('5,"R5.4.1,転入,,,退職', "5,R5.4.1,転入,,,退職"),
}


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig", "utf-16"])
def test_mended_rows_take_the_place_of_their_rejects(city: City, encoding: str) -> None:
    good = insured(*range(100, 140))
    first = city.deliver(FULL, "n_20260401.csv", [bad for bad, _ in BROKEN.values()] + good, encoding)
    assert (first.rows_loaded, first.rows_rejected) == (40, 5)
    exported = export_rejects(city.home, first.delivery_id)
    text = exported.decode(encoding)
    assert text.splitlines() == [HEADINGS[FULL], *(bad for bad, _ in BROKEN.values())]
    for bad, mended in BROKEN.values():
        text = text.replace(bad, mended)
    mended = city.deliver(FULL, "n_20260410.csv", text.encode(encoding))
    assert (mended.status, mended.kind, mended.rows_loaded) == ("loaded", "delta", 5)
    assert len(city.present(FULL)) == 45
    assert city.states() == [("20260401", line, "mended", mended.delivery_id) for line in BROKEN]
    with pytest.raises(UsageError):
        export_rejects(city.home, first.delivery_id)
    # Taken back, the rejects are open again; replaced as a whole, they are past.
    decide(city.home, mended.delivery_id, "withdraw", "wrong", "steward")
    assert {state for _, _, state, _ in city.states()} == {"open"}
    city.deliver(FULL, "n_20260501.csv", insured(*range(100, 145)))
    assert {state for _, _, state, _ in city.states()} == {"superseded"}


def test_some_of_the_rejects_mended_in_a_delta_with_other_rows(city: City) -> None:
    city.deliver(DELTA, "v_20260401.csv", ["1.23E+10,MR,1,R5.4.1", "2,MR,1,R5.2.29", "3,MR,1,R5.4.1"])
    # The vaccine and day of a damaged number are those of many: only a number that it shows mends it.
    other = city.deliver(DELTA, "v_20260501.csv", ["7,MR,1,R5.4.1", "8,MR,1,R5.4.1", "9,MR,1,R5.4.1"])
    assert other.reason is None
    mended = city.deliver(DELTA, "v_20260601.csv", ["12345678901,MR,1,R5.4.1", "2,MR,1,R5.2.28", "10,MR,1,R5.4.1"])
    assert city.states() == [
        ("20260401", 2, "mended", mended.delivery_id),
        ("20260401", 3, "mended", mended.delivery_id),
    ]


def test_a_name_that_says_what_it_mends(city: City) -> None:
    first = city.deliver(FULL, "n_20260401.csv", ["1.23E+10,R5.4.1,転入,,,一般", *insured(*range(100, 110))])
    mended = city.deliver(FULL, f"{first.delivery_id}_mended.csv", ["1,R5.4.2,転入,,,一般"])
    assert (mended.status, mended.kind) == ("loaded", "delta")
    assert city.states() == [("20260401", 2, "mended", mended.delivery_id)]
    assert len(city.present(FULL)) == 11


def test_a_replay_reads_the_original_by_the_rules_of_today(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from kodomo.ingest import deliveries as ingest

    contracts = ingest.load_contracts()
    renamed = b"\r\n".join(
        line.encode("cp932") for line in [HEADINGS[FULL].replace("証区分", "証の区分"), *insured(1, 2)]
    )
    refused = city.deliver(FULL, "n_20260401.csv", renamed)
    assert refused.status == "refused"
    rules = ingest.load_heading_rules()
    patched = type(rules)(aliases={**rules.aliases, "証の区分": "証区分"}, forbidden=rules.forbidden)
    monkeypatch.setattr(ingest, "load_heading_rules", lambda: patched)
    delivery = replay(city.home, refused.delivery_id, "an alias was missing", "steward")
    assert (delivery.status, delivery.rows_loaded, delivery.delivery_id) == ("loaded", 2, refused.delivery_id)
    assert [number for number, _ in city.present(FULL)] == [1, 2]
    again = replay(city.home, refused.delivery_id, "once more", "steward")
    assert again == delivery
    assert [number for number, _ in city.present(FULL)] == [1, 2]
    decide(city.home, refused.delivery_id, "withdraw", "wrong month", "steward")
    assert replay(city.home, refused.delivery_id, "once more", "steward").status == "withdrawn"
    with connect(city.home, read_only=True) as connection:
        events = connection.execute("select status from raw.delivery_events order by decided_at").fetchall()
    assert events == [("replayed",), ("replayed",), ("withdrawn",), ("replayed",)]
    assert contracts is ingest.load_contracts()


def test_unknown_or_rejected_delivery_is_not_replayed(city: City) -> None:
    forbidden = city.deliver(FULL, "n_20260401.csv", f"{HEADINGS[FULL]},課税区分\n1,R5.4.1,,,,,1".encode("cp932"))
    with pytest.raises(KodomoError):
        replay(city.home, forbidden.delivery_id, "again", "steward")
    with pytest.raises(UsageError):
        replay(city.home, "20260401-unknown-01", "again", "steward")
    with pytest.raises(UsageError):
        replay(city.home, forbidden.delivery_id, " ", "steward")
