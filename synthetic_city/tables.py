"""Growing tables of numpy columns."""

from __future__ import annotations

from typing import Any

import numpy as np


class Table:
    """Rows of typed columns that grow at the end. ``table.name`` is a view of the rows there are now."""

    def __init__(self, defaults: dict[str, tuple[Any, Any]]) -> None:
        """``defaults``: column name → (dtype, value of a row that does not say)."""
        object.__setattr__(self, "_defaults", defaults)
        object.__setattr__(self, "_size", 0)
        object.__setattr__(self, "_columns", {name: np.empty(1024, dtype) for name, (dtype, _) in defaults.items()})

    def __len__(self) -> int:
        return self._size

    def __getattr__(self, name: str) -> np.ndarray:
        try:
            return self._columns[name][: self._size]
        except KeyError as error:
            raise AttributeError(name) from error

    def append(self, count: int, **values: Any) -> np.ndarray:
        """Add rows; a value is one for all or an array. Returns the numbers of the new rows."""
        start, stop = self._size, self._size + count
        capacity = len(next(iter(self._columns.values())))
        if stop > capacity:
            grown = max(stop, capacity * 3 // 2)
            for name, column in self._columns.items():
                larger = np.empty(grown, column.dtype)
                larger[:start] = column[:start]
                self._columns[name] = larger
        for name, (_, default) in self._defaults.items():
            self._columns[name][start:stop] = values.get(name, default)
        unknown = values.keys() - self._defaults.keys()
        if unknown:
            raise KeyError(f"no such columns: {sorted(unknown)}")
        object.__setattr__(self, "_size", stop)
        return np.arange(start, stop, dtype=np.int64)

    def keep(self, chosen: np.ndarray) -> None:
        """Keep only the rows that a boolean array chooses."""
        for name, column in self._columns.items():
            self._columns[name] = column[: self._size][chosen].copy()
        object.__setattr__(self, "_size", int(chosen.sum()))
