"""The paths of kodomo's state below KODOMO_HOME, each with the way a backup treats it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self, overload

PROJECT = Path(__file__).resolve().parent.parent

DATABASE_SUFFIXES = (".wal", "-wal", "-shm", "-journal")
"""Suffixes of the files that an open database keeps beside its own."""


class Kept(Enum):
    """How a backup takes a part of the home."""

    NO = "no"
    """It is made anew, or only means something while a process runs."""
    COPY = "copy"
    """A file or a folder, as it lies there."""
    WAREHOUSE = "warehouse"
    """A DuckDB file, copied between two runs."""
    SQLITE = "sqlite"
    """A SQLite file, copied as of one moment while others write."""
    BY_PARTS = "by parts"
    """A folder of which each part is in the list by itself."""


class Part:
    """A file or folder of the home: read from a home, it is its path."""

    def __init__(self, path: str, kept: Kept) -> None:
        self.path = path
        self.kept = kept

    @overload
    def __get__(self, home: None, owner: type) -> Self: ...
    @overload
    def __get__(self, home: Home, owner: type) -> Path: ...
    def __get__(self, home: Home | None, owner: type) -> Self | Path:
        return self if home is None else home.root / self.path


@dataclass(frozen=True)
class Home:
    """The folders of one city's state. Nothing is created until it is asked for with ``ensure``."""

    root: Path

    warehouse = Part("warehouse.duckdb", Kept.WAREHOUSE)
    """The DuckDB file that only a run writes."""
    version = Part("version.json", Kept.COPY)
    """The version of kodomo that has written the home."""
    last_upgrade = Part("upgrade.json", Kept.NO)
    """The last upgrade: from which version, and the backup taken before."""
    run_lock = Part("run.lock", Kept.NO)
    """The lock that a run holds from its first step to the switch of its publication."""
    store = Part("store", Kept.COPY)
    """Delivered files as received, read-only, named by their SHA-256."""
    published = Part("published", Kept.COPY)
    """A folder per publication, and the link ``current``."""
    definitions = Part("definitions", Kept.COPY)
    """Definitions by their hash: of each run, of the base of each draft, and after each approval."""
    proposals = Part("proposals", Kept.COPY)
    """The last proposal of coefficients of each difficulty type: a definition with its report."""
    pseudonym_key = Part("pseudonym.key", Kept.COPY)
    """The key of the pseudonyms of those who see no names."""
    link_decisions = Part("link_decisions.csv", Kept.COPY)
    """Decisions about record linkage made with the command."""
    data_docs = Part("data_docs", Kept.COPY)
    """The site of the last checks."""

    entries = Part("entries.db", Kept.SQLITE)
    """The entries database, where no other database is set."""
    entries_lock = Part(".entries.lock", Kept.NO)
    """Held while the tables of the entries are brought to their version."""
    entry_landing = Part("entry_landing", Kept.NO)
    """Entries as files, as a run takes them; the store keeps them."""

    staff = Part("staff.csv", Kept.COPY)
    """The staff list, from which accounts and scopes are made."""
    audit_key = Part("audit.key", Kept.COPY)
    """The key of the digests that chain the audit log."""
    audit_anchors = Part("audit_anchors.csv", Kept.COPY)
    """The last digests of the audit log at each publication and backup."""
    accounts = Part("accounts.yml", Kept.COPY)
    """Which grants need renewal, and who logs in with a second factor."""
    demo_accounts = Part("demo-accounts.csv", Kept.COPY)
    """Initial passwords of the demo's accounts, mode 0600."""
    notifications = Part("notifications.yml", Kept.COPY)
    """The channels that are notified of a run."""

    superset = Part("superset", Kept.BY_PARTS)
    """Superset's own folder."""
    superset_metadata = Part("superset/superset.db", Kept.SQLITE)
    """Superset's metadata, where no other database is set."""
    secret_key = Part("superset/secret.key", Kept.COPY)
    """Signs the sessions and encrypts what Superset keeps secret."""
    guest_key = Part("superset/guest.key", Kept.COPY)
    """Signs the tokens of embedded dashboards."""
    async_key = Part("superset/async.key", Kept.COPY)
    """Signs the tokens of asynchronous queries."""
    factor_key = Part("superset/factor.key", Kept.COPY)
    """Encrypts the secrets of second factors."""
    local_settings = Part("superset/local_settings.py", Kept.COPY)
    """The city's own settings of log-in."""
    metadata_mark = Part("superset/migrated", Kept.NO)
    """The version that the metadata were brought to."""
    applied = Part("superset/applied.json", Kept.COPY)
    """Which files `kodomo superset apply` applied last."""
    attempts = Part("superset/attempts.db", Kept.NO)
    """Counters of the limits on log-in."""
    sessions = Part("superset/sessions", Kept.NO)
    """The sessions of logged-in users."""

    printing = Part("printing", Kept.NO)
    """Tickets of the queue of prints."""

    dbt = Part("dbt", Kept.NO)
    """dbt's target and logs."""
    compiled = Part("dbt/target/compiled", Kept.COPY)
    """The compiled SQL: a score is computed again with it before the next run."""
    scoring = Part("scoring", Kept.NO)
    """Compiled SQL of definitions that were tried out."""
    dagster = Part("dagster", Kept.NO)
    """Dagster's instance folder."""
    dagster_viewer_key = Part("dagster-viewer.key", Kept.COPY)
    """The secret of those who look at Dagster's pages."""
    dagster_operator_key = Part("dagster-operator.key", Kept.COPY)
    """The secret of operators, who start and stop runs there."""
    landing = Part("landing", Kept.NO)
    """Where a schedule looks for extracts, if no other folder is set: the holders have them."""
    uploads = Part("uploads", Kept.NO)
    """Files that stewards have sent and not yet handed over: what counts is in the landing folder."""
    servers = Part("serve.json", Kept.NO)
    """Process ids of what `kodomo serve` started."""
    logs = Part("logs", Kept.NO)
    """The output of the servers."""
    screenshots = Part("screenshots", Kept.NO)
    """Pictures of the dashboards."""
    backups = Part("backups.json", Kept.NO)
    """Place and time of the last backup of this home."""
    demo = Part("demo", Kept.NO)
    """The synthetic city of the demo."""

    @classmethod
    def from_environment(cls) -> Home:
        """The home that KODOMO_HOME names (default: ``./var``), as an absolute path."""
        return cls(Path(os.environ.get("KODOMO_HOME", "var")).absolute())

    @classmethod
    def parts(cls) -> list[Part]:
        """All that a home may hold, in the order of this list."""
        return [value for value in vars(cls).values() if isinstance(value, Part)]

    def original(self, sha256: str) -> Path:
        """Where the original of a delivery is kept, whether it is there or not."""
        return self.store / sha256[:2] / sha256

    def ensure(self) -> Home:
        """Create the root, readable by its owner only, and say where it is."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = self.root.stat()
        # A folder that existed before, made by those who deliver the extracts, is open to others.
        if status.st_mode & 0o077 and status.st_uid == os.getuid():
            self.root.chmod(0o700)
        return self


def unknown_paths(root: Path) -> list[str]:
    """What lies below a home, or a copy of one, and is no part of it: the topmost paths, relative, sorted."""
    parts = {part.path: part.kept for part in Home.parts()}
    unknown: list[str] = []

    def look(folder: Path) -> None:
        for path in folder.iterdir():
            name = path.relative_to(root).as_posix()
            kept = parts.get(name)
            if kept is Kept.BY_PARTS or (kept is None and any(part.startswith(f"{name}/") for part in parts)):
                look(path)
            elif kept is None and not any(name == part + suffix for part in parts for suffix in DATABASE_SUFFIXES):
                unknown.append(name)

    look(root)
    return sorted(unknown)
