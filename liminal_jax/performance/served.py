"""What a way of serving gives: latencies, throughput, energy and cost of whole requests.

    e2e = TTFT + (OSL - 1) TPOT

Energy and cost are of the whole request. What decode alone would take for as many tokens is the
share of answers; all else is that of prompts.
"""

from typing import NamedTuple

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax._show import Shown
from liminal_jax.performance.capital import capital_shares
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.spending import spending_rate
from liminal_jax.performance.worked import Worked
from liminal_jax.workload.lengths import Lengths


class Served(Shown):
    """One way of serving.

    Attributes:
        ttft: Time to the first token [s].
        tpot: Mean time of a later token [s].
        e2e: Time of a whole request [s].
        tokens_per_second_per_chip: Output tokens, over all chips [1/s].
        users: Users that decode at once, in one instance.
        prefill_share: Share of the chips' time that prompts take; of the chips, where pools are
            apart.
        chip_power: Power of one chip in the step in which it draws most [W].
        power: Mean IT power of one instance [W].
        capital: Capital of one instance [USD].
        energy_per_token: Energy at the wall for an output token, prompts included [J].
        usd_per_million_tokens: Cost of a million output tokens, prompts included [USD].
        prompt_energy_share: Share of that energy that prompts take.
        prompt_cost_share: Share of that cost that prompts take.
    """

    ttft: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "time to the first token"))
    tpot: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "mean time of a later token"))
    e2e: Leaf = eqx.field(converter=as_leaf, metadata=quantity("s", "time of a whole request"))
    tokens_per_second_per_chip: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("1/s", "output tokens a second and chip")
    )
    users: Leaf = eqx.field(converter=as_leaf, metadata=quantity("", "users that decode at once"))
    prefill_share: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("", "share of the chips' time that prompts take", most=1.0),
    )
    chip_power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "power of one chip in its busiest step")
    )
    power: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("W", "mean IT power of one instance")
    )
    capital: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("USD", "capital of one instance")
    )
    energy_per_token: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("J", "energy at the wall for an output token, prompts included"),
    )
    usd_per_million_tokens: Leaf = eqx.field(
        converter=as_leaf,
        metadata=quantity("USD", "cost of a million output tokens, prompts included"),
    )
    prompt_energy_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of energy that prompts take", most=1.0)
    )
    prompt_cost_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of cost that prompts take", most=1.0)
    )


class Use(NamedTuple):
    """What some output tokens take of one instance.

    Attributes:
        time: Its time [s].
        power: Mean IT power [W].
    """

    time: Scalar
    power: Scalar

    @property
    def energy(self) -> Scalar:
        """IT energy [J]."""
        return self.time * self.power

    def plus(self, other: "Use") -> "Use":
        """Both."""
        time = self.time + other.time
        return Use(time, (self.energy + other.energy) / time)


def use_of(it: Worked, times: Scalar = 1.0) -> Use:
    """What a step takes, some times."""
    return Use(times * it.time, it.power)


class Latency(NamedTuple):
    """Times of a request [s]."""

    ttft: Scalar
    tpot: Scalar


def served(
    design: Design,
    lengths: Lengths,
    assumptions: Assumptions,
    latency: Latency,
    *,
    tokens: Scalar,
    use: Use,
    answers: Use,
    users: Scalar,
    chip_power: Scalar,
) -> Served:
    """One way of serving.

    Args:
        design: The design.
        lengths: Of requests.
        assumptions: Which laws are used.
        latency: Times of a request.
        tokens: Some output tokens.
        use: What they and their prompts take of an instance.
        answers: What decode alone takes for them.
        users: Users that decode at once.
        chip_power: Power of one chip in its busiest step [W].
    """
    facility = design.system.facility

    def capital(it: Use) -> Scalar:
        return capital_shares(design, it.power, assumptions.relaxation).total()

    def cost(it: Use) -> Scalar:
        return it.time * spending_rate(facility, capital(it), it.power)

    return Served(
        ttft=latency.ttft,
        tpot=latency.tpot,
        e2e=latency.ttft + (lengths.osl - 1) * latency.tpot,
        tokens_per_second_per_chip=tokens / use.time / design.mapping.chips(),
        users=users,
        prefill_share=1 - answers.time / use.time,
        chip_power=chip_power,
        power=use.power,
        capital=capital(use),
        energy_per_token=use.energy * facility.pue / tokens,
        usd_per_million_tokens=cost(use) / tokens * 1e6,
        prompt_energy_share=1 - answers.energy / use.energy,
        prompt_cost_share=1 - cost(answers) / cost(use),
    )
