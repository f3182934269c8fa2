"""A few prints at once; the others keep a place that they are shown."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from kodomo.home import Home
from superset_config.pages import print_queue
from superset_config.pages.print_queue import AT_ONCE, MOST_TICKETS, WaitingError, turn


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "var").ensure()


def place(home: Home, key: str) -> int:
    """The place in the queue; 0 for one that prints (and is done)."""
    try:
        with turn(home, key):
            return 0
    except WaitingError as error:
        return error.place


def test_only_so_many_print_at_once(home: Home) -> None:
    with ExitStack() as stack:
        for number in range(AT_ONCE):
            stack.enter_context(turn(home, f"user {number}"))
        assert place(home, "third") == 1
        assert place(home, "fourth") == 2
        assert place(home, "third") == 1
    assert place(home, "fourth") == 0
    assert place(home, "third") == 0


def test_place_moves_up_when_a_print_ends(home: Home) -> None:
    with ExitStack() as stack:
        first = ExitStack()
        first.enter_context(turn(home, "a"))
        stack.enter_context(turn(home, "b"))
        assert [place(home, "c"), place(home, "d")] == [1, 2]
        first.close()
        assert place(home, "d") == 1
        assert place(home, "c") == 0
        assert place(home, "d") == 0


def test_ticket_that_is_not_asked_for_is_given_up(home: Home) -> None:
    with ExitStack() as stack:
        for number in range(AT_ONCE):
            stack.enter_context(turn(home, f"user {number}"))
        assert place(home, "gone") == 1
        assert place(home, "patient") == 2
        gone = sorted(path for path in home.printing.iterdir() if path.name != ".lock")[AT_ONCE]
        past = time.time() - print_queue.TICKET_SECONDS - 1
        os.utime(gone, (past, past))
        assert place(home, "patient") == 1


def test_print_that_takes_long_keeps_its_place(home: Home) -> None:
    with ExitStack() as stack:
        for number in range(AT_ONCE):
            stack.enter_context(turn(home, f"user {number}"))
        past = time.time() - 10 * print_queue.TICKET_SECONDS
        for ticket in home.printing.iterdir():
            os.utime(ticket, (past, past))
        assert place(home, "next") == 1


def test_ticket_of_a_killed_process_is_given_up(home: Home) -> None:
    home.printing.mkdir()
    past = time.time() - print_queue.TICKET_SECONDS - 1
    for number in range(AT_ONCE):
        ticket = home.printing / f"{number:020d}-0123456789abcdef"
        ticket.touch()
        os.utime(ticket, (past, past))
    assert place(home, "next") == 0


def test_one_key_pressed_twice_prints_twice(home: Home) -> None:
    with turn(home, "same"):
        assert place(home, "same") == 0


def test_full_queue_takes_no_more(home: Home) -> None:
    with ExitStack() as stack:
        for number in range(AT_ONCE):
            stack.enter_context(turn(home, f"user {number}"))
        places = [place(home, f"waiting {number}") for number in range(MOST_TICKETS + 10)]
        assert places[:3] == [1, 2, 3]
        assert len(list(home.printing.iterdir())) == MOST_TICKETS + 1
        assert set(places[MOST_TICKETS - AT_ONCE :]) == {MOST_TICKETS - AT_ONCE + 1}
