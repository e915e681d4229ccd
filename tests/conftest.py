"""The tests compare with hand counts to many digits, so they run in float64.

Commands that they interrupt inherit what Ctrl-C does from here: where the tests run in the
background of a shell, it would be nothing.
"""

import signal

import jax

jax.config.update("jax_enable_x64", True)
signal.signal(signal.SIGINT, signal.default_int_handler)
