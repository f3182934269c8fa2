"""``kodomo demo``: everything up over a synthetic city."""

from __future__ import annotations

import csv
import datetime as dt
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from orchestration.options import AsOf

ACCOUNTS = {
    "child_all": "子ども若者課の統括。全地区の子どもを一覧・個票・会議で見て、決定を記録する",
    "child_ryotsu": "両津の担当。自分の地区の子どもだけが見える",
    "education_all": "教育委員会。福祉の詳細を除いた就学・出欠の面から見る",
    "steward_citizens": "市民課のデータ管理。自課の納品、エラー行、品質を見る",
    "analyst_all": "子ども相談センターの分析担当。氏名のない表でモデルを検討する",
}
"""Five accounts to try, and what each is for."""


def register(app: typer.Typer) -> None:
    """Add ``kodomo demo``."""

    @app.command()
    def demo(
        residents: Annotated[int, typer.Option(min=100, help="Residents of the synthetic city.")] = 51_492,
        seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same city.")] = 1,
        as_of: AsOf = dt.datetime(2026, 4, 1),
    ) -> None:
        """Make a synthetic city, run its batch, and start Superset and Dagster over it."""
        from kodomo.home import Home

        home = Home.from_environment()
        city = home.demo
        landing = city / "landing"
        synth = ["synth", str(city), "--residents", str(residents), "--seed", str(seed), "--as-of", f"{as_of:%Y-%m-%d}"]
        steps = [
            *([] if landing.exists() else [("架空の市を作る", synth)]),
            ("職員名簿を置く", ["superset", "staff", "--demo"]),
            ("取り込み・計算・公開", ["run", "--landing", str(landing), "--as-of", f"{as_of:%Y-%m-%d}"]),
            ("Superset に反映", ["superset", "apply"]),
            ("サーバを起動", ["serve", "--detach", "--landing", str(landing)]),
        ]
        _run_in_turn(steps)
        _print_accounts(home.demo_accounts)


def _run_in_turn(steps: list[tuple[str, list[str]]]) -> None:
    """Each step in a process of its own, with its own progress display; the first that fails ends the demo."""
    for number, (title, arguments) in enumerate(steps, start=1):
        typer.secho(f"[{number}/{len(steps)}] {title}", bold=True)
        started = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "orchestration.cli", *arguments], check=False)
        if done.returncode != 0:
            typer.secho(f"「{title}」で止まりました。上の表示を確かめてください。", fg="red", err=True)
            raise typer.Exit(done.returncode)
        typer.echo(f"      {time.monotonic() - started:.0f} 秒")


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
