"""What goes on while chips wait for each other, and which waits are left out."""

import equinox as eqx

from liminal_jax._arrays import Leaf, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown


class Prefetch(Shown):
    """The next weights are read into SRAM while a chip waits.

    Routed experts are not known before routing, so they are read early only as far as they are
    predicted.

    Attributes:
        buffer: SRAM of a chip that is kept for it [B]. What a wait hides follows from it: 27 MB at
            3.35 TB/s cover 8 us.
        predicted: Share of the routed experts that is predicted right: 0.97 of those of the next
            layer in FATE (arXiv:2502.12224, read in a snippet).
    """

    buffer: Leaf = eqx.field(
        converter=as_leaf, default=0, metadata=quantity("B", "SRAM for prefetch", least=0.0)
    )
    predicted: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "routed experts that are predicted", least=0.0, most=1.0),
    )


class Overlap(Shown):
    """Communication that passes while a chip computes or reads.

    Attributes:
        micro_batches: 2 where two halves of a batch take turns, each of which reads the weights; 1
            leaves it out. Between them time is interpolated.
        fused: Share of the time of collectives beyond their latency that is hidden by fusing them
            with matrix products, tile by tile: 0.96 at most in FLUX (arXiv:2406.06858).
        norms: Share of the sums over ranks whose norm is part of the exchange, so that one
            dependent operation is saved (TokenWeave, microsoft/tokenweave).
    """

    micro_batches: Leaf = eqx.field(
        converter=as_leaf,
        default=1,
        metadata=quantity("", "micro-batches that overlap", least=1.0, most=2.0),
    )
    fused: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "share of messages hidden by fusion", least=0.0, most=0.97),
    )
    norms: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "sums whose norm is in the exchange", least=0.0, most=1.0),
    )


class Reductions(Shown):
    """Sums over the ranks of a layer that are left out, or that need not be waited for.

    Each changes the model: it must be trained so, or adapted.

    Attributes:
        parallel: Share of the layers whose mixer and feed-forward stand beside each other and are
            summed together, as in PaLM (arXiv:2204.02311).
        dropped: Share of the layers whose sum after the mixer is left out (sync-point drop).
        delay: Layers by which a sum may come late: 1/2 in a ladder residual (arXiv:2501.06589), in
            which it passes during the next part of a layer; 0 waits for it.
    """

    parallel: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "layers with parallel blocks", least=0.0, most=1.0),
    )
    dropped: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "layers without a sum after the mixer", least=0.0, most=1.0),
    )
    delay: Leaf = eqx.field(
        converter=as_leaf,
        default=0,
        metadata=quantity("", "layers by which sums are late", least=0.0, most=4.0),
    )
