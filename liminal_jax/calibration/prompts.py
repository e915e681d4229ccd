"""What engines lose between a request and its first token, as named terms."""

import equinox as eqx
import jax.numpy as jnp

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._quantity import quantity
from liminal_jax.calibration.terms import Terms
from liminal_jax.laws.feedforward import expected_distinct_experts
from liminal_jax.laws.waiting import closed_loop_response, open_loop_wait

BUSIEST = 0.9
"""Most of its time that an open queue is taken to be busy: beyond, requests pile up."""

PROMPT_TERMS = (
    "request_time",
    "prompt_weight_share",
    "prompt_matrix_share",
    "prompt_core_share",
    "small_products",
    "launch_time",
    "mixture_launch_time",
    "prompt_overlap",
    "prompt_collective_factor",
    "waiting",
    "decode_steps",
    "together",
    "apart",
)
"""The losses, in the order of their fields."""


class Load(eqx.Module):
    """What else the chips do while a prompt passes.

    Attributes:
        users: Requests at once of one instance, at least 1.
        rate: Requests a second that come by themselves to one instance; 0 in a closed loop [1/s].
        answer: Time that an answer takes once its first token is there [s].
        step: Time of a decode step of the other users [s].
        others: 1 where others are served, else 0: a single request, or a batch whose prompts pass
            together.
        alike: 1 where all requests of a closed loop have the same lengths, so that they end, and
            come again, together; else 0.
    """

    users: Leaf = eqx.field(converter=as_leaf)
    rate: Leaf = eqx.field(converter=as_leaf)
    answer: Leaf = eqx.field(converter=as_leaf)
    step: Leaf = eqx.field(converter=as_leaf)
    others: Leaf = eqx.field(converter=as_leaf)
    alike: Leaf = eqx.field(converter=as_leaf)


class FirstToken(eqx.Module):
    """A prompt and the load that it meets.

    Attributes:
        prompt: Terms of a step that passes the prompt alone.
        load: What else the chips do.
    """

    prompt: Terms
    load: Load


class PromptLosses(eqx.Module):
    r"""Named losses of one engine on one family of chips, up to the first token.

        TTFT = f + (t_m^p + ((1 + w) t_c)^p + t_l^p)^{1/p} + (1 + w) kappa t_x + s T
        t_m = (t_w + (1 - (1 - e)^B) t_e) / b     t_l = L l + L_x l_x
        t_c = iota t_w* / a + t_a / a_k
        w = omega v + beta (n - 1) / (1 + n (t_c + kappa t_x) / (gamma Z))

    with the terms of a step that passes a prompt of B tokens alone, as `Fitted` has them, T the
    time of a decode step, and w the prompts that pass meanwhile: v those that a queue in steady
    state holds, of requests that come by themselves (`open_loop_wait`) or in a loop of n users
    (`closed_loop_response`). Where all lengths are alike, requests also come together, the more
    the shorter their prompts take beside the answers' time Z. Prompts that pass together share the
    reading of weights and the launches. s is 0 for a single request.

    Attributes:
        request_time: Time f of each request: network, tokens of the text, scheduling [s].
        prompt_weight_share: Share b of the memory bandwidth reached on weights.
        prompt_matrix_share: Share a of the tensor rate reached in matrix products.
        prompt_core_share: Share a_k of peak rates reached in attention.
        small_products: Factor iota on matrix products of models with experts.
        launch_time: Time l in which the host launches a layer, which is not captured [s].
        mixture_launch_time: Time l_x that routing adds in each layer with experts [s].
        prompt_overlap: Exponent p of how memory, arithmetic and host overlap; infinite is
            perfectly, 1 not.
        prompt_collective_factor: Factor kappa on the time of collectives.
        waiting: Factor omega on the prompts that a queue in steady state holds.
        decode_steps: Steps s of other users' decoding that a prompt waits for.
        together: Share beta of the others that send their prompts together.
        apart: Time gamma of all prompts over that of an answer at which half have come apart.
    """

    request_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time of each request")
    )
    prompt_weight_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of bandwidth reached while prompts pass")
    )
    prompt_matrix_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of the tensor rate reached on prompts")
    )
    prompt_core_share: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of peak rates in attention of prompts")
    )
    small_products: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "factor on products of models with experts")
    )
    launch_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time to launch a layer")
    )
    mixture_launch_time: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("s", "time to launch a mixture")
    )
    prompt_overlap: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "exponent of overlap while prompts pass")
    )
    prompt_collective_factor: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "factor on collectives of prompts")
    )
    waiting: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "factor on prompts that a queue holds")
    )
    decode_steps: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "decode steps that a prompt waits for")
    )
    together: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "share of prompts that come together")
    )
    apart: Leaf = eqx.field(
        converter=as_leaf, metadata=quantity("", "time of prompts at which half come apart")
    )

    def prompts_meanwhile(self, service: Scalar, load: Load) -> Scalar:
        """Prompts w that pass while one waits, each of which takes `service` [s]."""
        rate = jnp.minimum(load.rate, BUSIEST / service)
        queued = jnp.where(
            load.rate > 0,
            open_loop_wait(service=service, rate=rate) / service,
            closed_loop_response(service=service, away=load.answer, users=load.users) / service - 1,
        )
        gathered = (load.users - 1) / (1 + load.users * service / (self.apart * load.answer))
        return load.others * (self.waiting * queued + load.alike * self.together * gathered)

    def time(self, it: FirstToken) -> Scalar:
        """The equation above [s]."""
        prompt, load = it.prompt, it.load
        touched = expected_distinct_experts(experts=1.0, top_k=prompt.chosen, tokens=prompt.batch)
        memory = (prompt.weights + touched * prompt.experts) / self.prompt_weight_share
        small = jnp.where(prompt.mixtures > 0, self.small_products, 1.0)
        compute = small * prompt.matrix / self.prompt_matrix_share
        compute = compute + prompt.core / self.prompt_core_share
        launches = prompt.layers * self.launch_time + prompt.mixtures * self.mixture_launch_time
        exchanged = self.prompt_collective_factor * prompt.exchanged
        all_prompts = 1 + self.prompts_meanwhile(compute + exchanged, load)
        longest = jnp.maximum(jnp.maximum(memory, launches), all_prompts * compute)
        parts = jnp.stack([memory, launches, all_prompts * compute]) / longest
        busy = longest * jnp.sum(parts**self.prompt_overlap) ** (1 / self.prompt_overlap)
        return (
            self.request_time
            + busy
            + all_prompts * exchanged
            + load.others * self.decode_steps * load.step
        )
