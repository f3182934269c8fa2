"""The pages of staff: p50 and p95 of the start page, the list, the agenda of a meeting and the sheets of children, for
one user, and the paper of an agenda of twenty children.

.venv/bin/python -m benchmarks.pages HOME [account] [requests per page]

HOME has been published and applied (`kodomo run`, `kodomo superset apply`). The agenda is one of the day, drawn up on a
copy of HOME.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path

from benchmarks.bi import percentiles_text
from kodomo import clock
from kodomo.home import Home
from tests.security.servers import Person, serve

ON_THE_AGENDA = 20
_SHEET = re.compile(r'href="(/entry/child/[^"/?#]+)"')
_ON_AGENDA = re.compile(r'name="person_id" value="([^"]+)"[^>]* checked')


def measured(person: Person, addresses: list[str]) -> list[float]:
    """Seconds of each answer, asked for one after another. Raises requests.HTTPError for a refusal."""
    seconds = []
    for address in addresses:
        began = time.perf_counter()
        person.get(address).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return seconds


def sheets_of(person: Person, count: int) -> list[str]:
    """Addresses of sheets of different children, from the list."""
    found: dict[str, None] = {}
    page = 1
    while len(found) < count:
        shown = _SHEET.findall(person.get(f"/kodomo/children/?page={page}").text)
        if not set(shown) - found.keys():
            break
        found |= dict.fromkeys(shown)
        page += 1
    return list(found)[:count]


def draw_up(person: Person, agenda: str) -> int:
    """Keep the proposed agenda; how many children are on it."""
    chosen = _ON_AGENDA.findall(person.get(agenda).text)[:ON_THE_AGENDA]
    form = {"person_id": chosen, "record_id": str(uuid.uuid4()), "base": "0", "csrf_token": person.token}
    person.send("POST", agenda, data=form).raise_for_status()
    return len(chosen)


def main(root: str, account: str = "child_all", requests: int = 60) -> None:
    """Print one line for each page."""
    agenda = f"/entry/meeting/agenda?on={clock.today()}"
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(shutil.copytree(root, Path(folder) / "var", symlinks=True)))
        with serve(home) as server:
            person = server.log_in(account)
            pages = {
                "start page": ["/kodomo/"] * requests,
                "list of children": ["/kodomo/children/"] * requests,
                "agenda": [agenda] * requests,
                "sheet of a child": sheets_of(person, requests),
            }
            print(f"{'ms':24}{'first':>9}{'p50':>9}{'p95':>9}")
            for name, addresses in pages.items():
                first, *others = measured(person, addresses)
                print(f"{name:24}{first * 1000:9.0f}{percentiles_text(others)}", flush=True)
            count = draw_up(person, agenda)
            (paper,) = measured(person, [agenda.replace("/agenda?", "/agenda.pdf?")])
            print(f"paper of {count} children: {paper:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1], *sys.argv[2:3], *(int(number) for number in sys.argv[3:4]))
