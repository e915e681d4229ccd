"""The tests compare with hand counts to many digits, so they run in float64.

Commands that they interrupt inherit what Ctrl-C does from here: where the tests run in the
background of a shell, it would be nothing. What takes long to compile is compiled once for all
workers and for the processes that they start.
"""

import os
import shutil
import signal
import tempfile

import hypothesis
import jax

CACHE = "JAX_COMPILATION_CACHE_DIR"

jax.config.update("jax_enable_x64", True)
# What is compiled again takes long, on a busy machine longer than a property should.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        os.environ[CACHE] = tempfile.mkdtemp(prefix="compiled-")
    jax.config.update("jax_compilation_cache_dir", os.environ[CACHE])


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ[CACHE], ignore_errors=True)
