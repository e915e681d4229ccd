"""Processes in which searches race: nothing has been traced or compiled in them before."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from tempfile import TemporaryDirectory

import jax


def fresh_processes(count: int) -> ProcessPoolExecutor:
    """Processes in double precision, so many at a time, each of which does one task."""
    return ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), max_tasks_per_child=1, initializer=_in_double
    )


def _in_double() -> None:
    jax.config.update("jax_enable_x64", True)


@contextmanager
def empty_cache() -> Iterator[None]:
    """Whatever is compiled meanwhile is kept, and nothing is known before."""
    with TemporaryDirectory() as cache:
        jax.config.update("jax_compilation_cache_dir", cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        yield
