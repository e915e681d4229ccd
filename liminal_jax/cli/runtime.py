"""How the command line sets JAX up: float64, a compilation cache, no grabbing of GPU memory."""

import os
from pathlib import Path


def prepare_jax() -> None:
    """Set JAX up before the first computation; what the user's environment says, wins."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    jax.config.update("jax_enable_x64", True)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        jax.config.update("jax_compilation_cache_dir", str(home / "liminal_jax" / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
