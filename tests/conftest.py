"""The tests compare with hand counts to many digits, so they run in float64."""

import jax

jax.config.update("jax_enable_x64", True)
