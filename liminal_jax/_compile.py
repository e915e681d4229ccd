"""Compilation of functions that each study compiles afresh and then calls a few hundred times."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import jax

from liminal_jax._kept import kept

Inputs = ParamSpec("Inputs")
Output = TypeVar("Output")


def unfused(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """A function compiled without fusing its operations.

    The model is a long chain of operations on scalars. XLA's fusion for CPUs repeats shared parts
    of such a chain in each of its uses: the derivatives of the bundled study compile in 5 seconds
    without it and in 18 with it, the second derivatives in 11 and 215. A call takes two or three
    times as long, a millisecond or so.
    """
    return jax.jit(function, compiler_options={"xla_disable_hlo_passes": "fusion"})


def kept_unfused(function: Callable[Inputs, Output]) -> Callable[Inputs, Output]:
    """The same for a function of pytrees at the top of a module, kept between processes."""
    return kept(function, {"xla_disable_hlo_passes": "fusion"})
