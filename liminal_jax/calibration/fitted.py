"""A calibration fitted to measurements: shares of peak rates that are reached, and times added."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from typing_extensions import override

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax.calibration.base import AbstractCalibration
from liminal_jax.calibration.terms import Terms
from liminal_jax.laws.feedforward import expected_distinct_experts

WIDEST = 16.0
"""Bits of weights at which the share of bandwidth is stated."""

TERMS = (
    "weight_share",
    "cache_share",
    "narrow_share",
    "matrix_share",
    "core_share",
    "imbalance",
    "spread",
    "overlap",
    "layer_time",
    "mixture_time",
    "collective_factor",
    "user_time",
    "step_time_fixed",
    "occupancy",
)
"""The losses, in the order of their fields."""


class Fitted(AbstractCalibration):
    r"""Named losses of one engine on one family of chips.

        T = (t_m^p + t_c^p)^{1/p} + L l + L_x l_x + o kappa t_x + o U u + f + t_p / a
        t_m = (t_w + iota^{1-1/B} (1 - (1 - e)^{B^s}) t_e) / (b n^h) + o t_k / b_k
        t_c = o (t_w* / a + t_a / a_k)

    with t_w, t_e, t_k the ideal times of weights, all experts and cache, t_w* and t_a those of
    matrix products and attention, h the halvings of weights from 16 bits, e the share of experts
    that a token uses, L layers, L_x those with experts, t_x the time of collectives as a library's
    kernels drive them, U users of one scheduler, B users of the micro-batch, and t_p the products
    of prompts that a measured time holds. All numbers are positive.

    Attributes:
        weight_share: Share b of the memory bandwidth reached on weights.
        cache_share: Share b_k of it reached on the cache.
        narrow_share: Factor n on b for each halving of weights: unpacking, shorter reads.
        matrix_share: Share a of the tensor rate reached in matrix products.
        core_share: Share a_k of peak rates reached in attention and scalar work.
        imbalance: Factor iota on the time of reading experts, of many users: small products.
        spread: Exponent s: B users touch as many experts as B^s would that choose independently.
        overlap: Exponent p of how memory and arithmetic overlap; infinite is perfectly, 1 not.
        layer_time: Time l that each layer adds: launches and small kernels [s].
        mixture_time: Time l_x that routing adds in each layer with experts [s].
        collective_factor: Factor kappa on the time of collectives: ranks that arrive late.
        user_time: Time u that each user adds: sampling and bookkeeping [s].
        step_time_fixed: Time f that each step adds: scheduling [s].
        occupancy: Share o of the stated users that decode at once; others wait or are in prefill.
    """

    weight_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of bandwidth reached on weights")
    )
    cache_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of bandwidth reached on the cache")
    )
    narrow_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "factor on bandwidth for each halving of weights")
    )
    matrix_share: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "share of the tensor rate reached in matrix products"),
    )
    core_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of peak rates reached in attention")
    )
    imbalance: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "factor on the time of reading experts")
    )
    spread: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "exponent of the users that choose experts")
    )
    overlap: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "exponent of overlap"))
    layer_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time that each layer adds")
    )
    mixture_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time that each mixture adds")
    )
    collective_factor: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "factor on the time of collectives")
    )
    user_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time that each user adds")
    )
    step_time_fixed: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time that each step adds")
    )
    occupancy: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of users that decode at once")
    )

    @override
    def step_time(self, ideal: Scalar, terms: Callable[[], Terms]) -> Scalar:
        del ideal
        return self.time(terms())

    def time(self, terms: Terms) -> Scalar:
        """The equation above [s]."""
        it, present = terms, self.occupancy
        share = self.weight_share * self.narrow_share ** jnp.log2(WIDEST / it.weight_bits)
        touched = expected_distinct_experts(
            experts=1.0, top_k=it.chosen, tokens=it.batch**self.spread
        )
        routed = self.imbalance ** (1 - 1 / it.batch) * touched * it.experts
        memory = (it.weights + routed) / share + present * it.cache / self.cache_share
        compute = present * (it.matrix / self.matrix_share + it.core / self.core_share)
        busy = memory * (1 + (compute / memory) ** self.overlap) ** (1 / self.overlap)
        return (
            busy
            + it.layers * self.layer_time
            + it.mixtures * self.mixture_time
            + present * it.exchanged * self.collective_factor
            + present * it.users * self.user_time
            + self.step_time_fixed
            + it.passed / self.matrix_share
        )
