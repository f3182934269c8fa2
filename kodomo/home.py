"""Where kodomo keeps its state: every path below KODOMO_HOME, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """The folders of one city's state. Nothing is created until it is asked for with ``ensure``."""

    root: Path

    @classmethod
    def from_environment(cls) -> Home:
        """The home that KODOMO_HOME names (default: ``./var``), as an absolute path."""
        return cls(Path(os.environ.get("KODOMO_HOME", "var")).absolute())

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that only a run writes."""
        return self.root / "warehouse.duckdb"

    @property
    def store(self) -> Path:
        """Delivered files as received, read-only, named by their SHA-256."""
        return self.root / "store"

    @property
    def published(self) -> Path:
        """A folder per publication, and the link ``current``."""
        return self.root / "published"

    @property
    def dbt(self) -> Path:
        """dbt's target and logs."""
        return self.root / "dbt"

    @property
    def superset(self) -> Path:
        """Superset's metadata (by default SQLite), secret key and logs."""
        return self.root / "superset"

    @property
    def entries(self) -> Path:
        """What people type, where no other database is set."""
        return self.root / "entries.db"

    @property
    def entry_landing(self) -> Path:
        """Entries as files, as a run takes them."""
        return self.root / "entry_landing"

    @property
    def dagster(self) -> Path:
        """Dagster's instance folder."""
        return self.root / "dagster"

    @property
    def staff(self) -> Path:
        """The staff list, from which accounts and scopes are made."""
        return self.root / "staff.csv"

    @property
    def demo_accounts(self) -> Path:
        """Initial passwords of the demo's accounts, mode 0600."""
        return self.root / "demo-accounts.csv"

    def original(self, sha256: str) -> Path:
        """Where the original of a delivery is kept, whether it is there or not."""
        return self.store / sha256[:2] / sha256

    def ensure(self) -> Home:
        """Create the root, readable by its owner only, and say where it is."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = self.root.stat()
        # A folder that was there before, made by whoever put the extracts into it, is open to others.
        if status.st_mode & 0o077 and status.st_uid == os.getuid():
            self.root.chmod(0o700)
        return self
