"""Experts that stay in SRAM from step to step because they are popular."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax.laws.caching import hit_rate_of_many, popular_hit_rate, recent_hit_rate


class ExpertCache(Shown):
    """The experts in SRAM are the popular ones, so that more is read from it than its share.

    Where it is left out, experts are taken as equally popular. SRAM is that which the placement of
    data leaves to experts: none is promised twice.

    Attributes:
        one_user: Exponent of popularity among the tokens of one user, by Che's approximation: 1.32
            gives the hit rates of four caches of a model with 512 experts (llama.cpp, pull request
            27861, second-hand).
        lasting: That of popularity over a long time, which many users see: 0.8, between 0.64 and
            1.05 of OLMoE and gpt-oss-20b (public notes, read in a snippet).
    """

    one_user: Leaf = eqx.field(
        converter=as_leaf,
        default=1.32,
        metadata=quantity("", "popularity of experts for one user", least=0.0, most=3.0),
    )
    lasting: Leaf = eqx.field(
        converter=as_leaf,
        default=0.8,
        metadata=quantity("", "popularity of experts for many", least=0.0, most=3.0),
    )

    def hit_rate(self, *, share: Scalar, experts: Scalar, choices: Scalar, users: Scalar) -> Scalar:
        """Share of the experts' bytes of a step that SRAM has.

        Args:
            share: Share of the experts that lie in SRAM.
            experts: Routed experts of a layer.
            choices: Experts that the tokens of a step are sent to, repetitions counted.
            users: Users of a step.
        """
        held = share * experts
        return hit_rate_of_many(
            recent=recent_hit_rate(items=experts, exponent=self.one_user, cached=held),
            popular=popular_hit_rate(
                items=experts, exponent=self.lasting, cached=held, choices=choices
            ),
            users=users,
        )
