"""How the command line sets JAX up: float64, a compilation cache, no grabbing of GPU memory.

LAPACK gets one thread: matrices are of a few hundred rows, and where cores are shared its threads
wait for each other some ten times longer than they compute.
"""

import os
from pathlib import Path


def usable_cores() -> int:
    """Cores that this process may run on; one where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def prepare_jax() -> None:
    """Set JAX up before the first computation; the environment of the user has precedence."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import jax

    jax.config.update("jax_enable_x64", True)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        jax.config.update("jax_compilation_cache_dir", str(home / "liminal_jax" / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
