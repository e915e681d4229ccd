"""Ctrl-C waits for the end of a block, and then does what it does."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from liminal_jax._interrupts import uninterrupted


def test_a_block_is_interrupted_at_its_end():
    done = []

    def block():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["all of it"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_nothing_is_raised_where_nothing_came_or_in_another_thread():
    with uninterrupted():
        pass

    def run():
        with uninterrupted():
            return 3

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run).result() == 3
