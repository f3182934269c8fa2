"""``kodomo demo``: everything up over a synthetic city that has a past."""

from __future__ import annotations

import csv
import datetime as dt
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.options import date_option, day

if TYPE_CHECKING:
    from kodomo.home import Home

ACCOUNTS = {
    "child_all": "子ども若者課の統括。全地区の子どもを一覧・個票・会議で見て、決定を記録する",
    "child_ryotsu": "両津の担当。自分の地区の子どもだけが見える",
    "education_all": "教育委員会。福祉の詳細を除いた就学・出欠の面から見る",
    "steward_citizens": "市民課のデータ管理。自課の納品、エラー行、品質を見る",
    "analyst_all": "子ども相談センターの分析担当。氏名のない表でモデルを検討する",
}
"""Five accounts to try, and what each is for."""
BATCH_JA = "取り込み・計算・公開"


def register(app: typer.Typer) -> None:
    """Add ``kodomo demo``."""

    @app.command()
    def demo(
        residents: Annotated[int, typer.Option(min=100, help="Residents of the synthetic city.")] = 51_492,
        seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same city.")] = 1,
        as_of: Annotated[
            dt.datetime | None, date_option("As-of date (基準日) of the last of three batches; today if not given.")
        ] = None,
    ) -> None:
        """Make a synthetic city, run three batches with entries between them, and start Superset and Dagster."""
        from kodomo import clock
        from kodomo.home import Home
        from kodomo.japanese import japanese_date
        from orchestration.operations.demo_city import enter_records

        home, today = Home.from_environment(), clock.today()
        *earlier, last = _landings(home, day(as_of) or today)
        steps = len(earlier) + 4
        if not home.demo.exists():
            _make_city(home, f"[1/{steps}] 架空の市を作る", residents, seed, earlier, last)
        for number, (on, landing) in enumerate(earlier, start=2):
            _run_batch(home, f"[{number}/{steps}] {BATCH_JA}（基準日 {japanese_date(on)}）", on, landing, today)
        # Not before: a publication makes a file for each scope of the list, and no one reads those of the past.
        _command(f"[{steps - 2}/{steps}] 職員名簿を置く", ["superset", "staff", "--demo"])
        # It needs the staff list alone, and has time until the last batch ends.
        superset = _start(home, ["superset", "apply"])
        try:
            on, landing = last
            _run_batch(home, f"[{steps - 1}/{steps}] {BATCH_JA}（基準日 {japanese_date(on)}）", on, landing, today)
            enter_records(home, today)
            with _step(f"[{steps}/{steps}] Superset に反映し、サーバを起動"):
                _wait_for(superset, home)
        finally:
            superset.kill()
        _command("", ["serve", "--detach", "--landing", str(landing)])
        _print_accounts(home.demo_accounts)


def _landings(home: Home, as_of_on: dt.date) -> list[tuple[dt.date, Path]]:
    """As-of dates, oldest first, each with its landing folder: those of the city that is there, or of a new one."""
    from orchestration.operations.demo_city import earlier_dates

    earlier, last = home.demo / "earlier", home.demo / "landing"
    there = [dt.date.fromisoformat(path.name) for path in sorted(earlier.glob("*"))]
    dates = (there or earlier_dates(as_of_on)) if not last.exists() or there else []
    return [*((on, earlier / on.isoformat()) for on in dates if on < as_of_on), (as_of_on, last)]


def _make_city(
    home: Home, title: str, residents: int, seed: int, earlier: list[tuple[dt.date, Path]], last: tuple[dt.date, Path]
) -> None:
    from orchestration.operations.demo_city import spoil_deliveries

    days = [text for on, _ in earlier for text in ("--earlier", on.isoformat())]
    city = ["--residents", str(residents), "--seed", str(seed), "--as-of", last[0].isoformat(), *days]
    _command(title, ["synth", str(home.demo), *city])
    spoil_deliveries(last[1], earlier[-1][1])


def _run_batch(home: Home, title: str, on: dt.date, landing: Path, today: dt.date) -> None:
    """A batch in this process, so that the next one finds dbt and Dagster started, and the meeting after it."""
    from orchestration.batch import Batch
    from orchestration.batch_display import run_with_progress
    from orchestration.operations.demo_city import enter_meeting

    with _step(title):
        batch = Batch(home, landing.resolve(), on)
        run_with_progress(batch)
    if batch.error is not None:
        raise batch.error
    if batch.exit_code != 0:
        _give_up(title, int(batch.exit_code))
    if decided := enter_meeting(home, on, today):
        typer.echo(f"      会議で {decided} 人を検討したことにしました。")


def _start(home: Home, arguments: list[str]) -> subprocess.Popen:
    """A command beside the others; what it says goes to a log."""
    home.logs.mkdir(parents=True, exist_ok=True)
    with _log(home).open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "orchestration.cli", *arguments], stdout=log, stderr=log)


def _log(home: Home) -> Path:
    return home.logs / "demo.log"


def _wait_for(process: subprocess.Popen, home: Home) -> None:
    if process.wait() != 0:
        typer.echo(_log(home).read_text(encoding="utf-8", errors="replace"), err=True)
        _give_up("Superset に反映", process.returncode)


def _command(title: str, arguments: list[str]) -> None:
    """A command in a process of its own, with its own progress display; one that fails ends the demo."""
    with _step(title):
        done = subprocess.run([sys.executable, "-m", "orchestration.cli", *arguments], check=False)
    if done.returncode != 0:
        _give_up(title or arguments[0], done.returncode)


@contextmanager
def _step(title: str) -> Iterator[None]:
    if title:
        typer.secho(title, bold=True)
    started = time.monotonic()
    yield
    typer.echo(f"      {time.monotonic() - started:.0f} 秒")


def _give_up(title: str, code: int) -> None:
    typer.secho(f"「{title}」で止まりました。上の表示を確かめてください。", fg="red", err=True)
    raise typer.Exit(code)


def _print_accounts(file: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    with file.open(encoding="utf-8", newline="") as rows:
        passwords = {row["username"]: row["password"] for row in csv.DictReader(rows)}
    table = Table("アカウント", "初期パスワード", "できること", title="試せるアカウント")
    for username, purpose in ACCOUNTS.items():
        table.add_row(username, passwords[username], purpose)
    Console().print(table)
    typer.echo(f"ほかのアカウント: {file}")
