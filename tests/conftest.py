"""The tests compare with hand counts to many digits, so they run in float64.

Commands that they interrupt inherit what Ctrl-C does from here: where the tests run in the
background of a shell, it would be nothing. Each program is compiled once for all workers and for
the processes that they start, in the folder of JAX_COMPILATION_CACHE_DIR if that is set, and else
in one of their own.
"""

import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path

import hypothesis
import jax
import pytest

from tests.checked import check_again, check_shapes

CACHE = "JAX_COMPILATION_CACHE_DIR"
MAPS = Path("/proc/self/maps")
MOST_MAPS = 20_000
"""Regions of memory of a process, of the 65,530 that Linux allows; each program takes some ten."""

check_shapes()
jax.config.update("jax_enable_x64", True)
# Traces make many objects; to look for cycles at every 700 takes a tenth of the time.
gc.set_threshold(200_000)
# What is compiled again takes long, on a busy machine longer than a property should.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    if not (hasattr(config, "workerinput") or CACHE in os.environ):
        os.environ[CACHE] = tempfile.mkdtemp(prefix="compiled-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(CACHE), ignore_errors=True))
    jax.config.update("jax_compilation_cache_dir", os.environ[CACHE])
    # Many small programs are compiled by several files of tests.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


@pytest.fixture(autouse=True, scope="module")
def _checked_again():
    """Each file of tests has its first calls checked, whatever others have called."""
    check_again()


@pytest.fixture(autouse=True, scope="module")
def _room_for_programs():
    """A process that compiles for thousands of tests runs out of regions of memory, and dies."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        jax.clear_caches()
