"""個票: one child, who it is and why its score is what it is."""

from __future__ import annotations

from typing import Any

from kodomo.child_sheet.sheet import read_sheet
from superset_config.pages.base import EntryPage, audit, route, store, username
from superset_config.pages.child_keys import person_of
from superset_config.pages.reach import Reach


class ChildPage(EntryPage):
    """個票."""

    page, title = "child", "個票"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The search."""
        return self.show("child_search.html", reach, found=None, more=False)

    @route("/search", "POST")
    def find(self, reach: Reach) -> str:
        """Children to choose from."""
        terms, children, more = self.search(reach, "child")
        return self.show("child_search.html", reach, found=children, more=more, terms=terms)

    @route("/<key>")
    def sheet(self, reach: Reach, key: str) -> Any:
        """The sheet of the child that the key stands for in this session and publication."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        store().note_access(username(), "child_view", person_id=child["person_id"])
        audit("child_view")
        return self.show("child.html", reach, child=child, sheet=read_sheet(reach.rows, child))
