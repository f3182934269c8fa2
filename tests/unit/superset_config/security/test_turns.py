"""Requests of a process are answered in the order in which they came."""

from __future__ import annotations

import threading
import time

import pytest

from superset_config.speed import Turns

LONG = 30


def test_whoever_came_first_goes_first() -> None:
    turns, done, threads = Turns(), [], []

    def go(number: int) -> None:
        with turns.turn(LONG):
            done.append(number)

    with turns.turn(LONG):
        for number in range(8):
            threads.append(threading.Thread(target=go, args=[number]))
            threads[-1].start()
            while len(turns._waiting) <= number:
                time.sleep(0.001)
        assert done == []
    for thread in threads:
        thread.join()
    assert done == list(range(8))


def test_one_that_takes_long_keeps_nobody_forever_and_takes_no_place_twice() -> None:
    turns, went = Turns(), threading.Event()
    with turns.turn(LONG):
        with turns.turn(0.01):
            went.set()
        assert not turns._waiting
    assert went.is_set()
    with turns.turn(LONG):
        assert not turns._is_free
    assert turns._is_free


def test_an_error_gives_the_place_free() -> None:
    turns = Turns()
    with pytest.raises(KeyError), turns.turn(LONG):
        raise KeyError
    assert turns._is_free
