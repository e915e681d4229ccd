"""The physical terms of one decode step, each as the ideal bound sees it but for collectives."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf


class Terms(eqx.Module):
    """The terms of a step, separately; each over all stages.

    Attributes:
        weights: Time to read the weights that every token uses, copies too, at full bandwidth [s].
        experts: Time to read all routed experts, at the pace of the busiest rank [s].
        chosen: Share of them that one token uses; 0 where there are none.
        cache: Time to read and write what is kept for users, copies too, at full bandwidth [s].
        matrix: Time of matrix products at the peak rate [s].
        core: Time of attention's products and of scalar work at peak rates [s].
        exchanged: Time of all collectives, driven by the kernels of a library [s].
        layers: Number of layers.
        mixtures: Number of layers with routed experts.
        batch: Tokens in the micro-batch: its users, and what passes of prompts.
        users: Users that decode, of those that one scheduler serves.
        weight_bits: Bits of a weight.
        passed: Time of the matrix products of prompts, at the peak rate, that a measured time of a
            token holds beside its step; 0 for a step alone [s].
    """

    weights: Leaf = eqx.field(converter=as_leaf)
    experts: Leaf = eqx.field(converter=as_leaf)
    chosen: Leaf = eqx.field(converter=as_leaf)
    cache: Leaf = eqx.field(converter=as_leaf)
    matrix: Leaf = eqx.field(converter=as_leaf)
    core: Leaf = eqx.field(converter=as_leaf)
    exchanged: Leaf = eqx.field(converter=as_leaf)
    layers: Leaf = eqx.field(converter=as_leaf)
    mixtures: Leaf = eqx.field(converter=as_leaf)
    batch: Leaf = eqx.field(converter=as_leaf)
    users: Leaf = eqx.field(converter=as_leaf)
    weight_bits: Leaf = eqx.field(converter=as_leaf)
    passed: Leaf = eqx.field(converter=as_leaf, default=0.0)
