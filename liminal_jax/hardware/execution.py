"""How far the use of a chip falls short of its peaks."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf


class Execution(eqx.Module):
    """What is reached of a chip's peaks; by default all, which is LIMINAL's bound.

    A calibration has losses of its own, which stand for these.

    Attributes:
        compute_share: Share of the peak rates of arithmetic that is sustained. It lengthens time;
            the energy of an operation stays what it is.
        bandwidth_share: Share of the peak bandwidth of main memory and SRAM that is sustained.
        overlap_between_operators: Share of a step in which the arithmetic of one operator passes
            during the traffic of others: 1 over the whole step, 0 within operators only.
        overlap_within_operators: Share of the shorter of an operator's arithmetic and traffic that
            is hidden behind the longer, where operators do not overlap: 0 is one after the other.
    """

    compute_share: Leaf = eqx.field(converter=as_leaf, default=1)
    bandwidth_share: Leaf = eqx.field(converter=as_leaf, default=1)
    overlap_between_operators: Leaf = eqx.field(converter=as_leaf, default=1)
    overlap_within_operators: Leaf = eqx.field(converter=as_leaf, default=1)
