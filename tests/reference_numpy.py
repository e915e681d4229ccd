"""The predictor a second time: slow, in NumPy, one layer and one operator after the other.

Written from the published equations and the definitions of terms alone, without the package's
laws. It takes a model's specification and plain numbers, and knows the exact reading only.

    T = max(T_compute, T_mem) + i T_TP S L + T_PP P        i = P ceil(L/P) / L

with every layer in T_compute and T_mem taken i times, because the largest stage sets the pace;
embedding and head are not part of a stage and are taken once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from liminal_jax.workload.feedforward.mixture import MixtureOfExperts
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from liminal_jax.workload.mixer.latent import LatentAttention
from liminal_jax.workload.spec import LayerGroup, ModelSpec


@dataclass(frozen=True)
class Machine:
    """One chip: rates by width of the operands [FLOP/s], memory [B, B/s]."""

    tensor: dict[int, float]
    vector: float
    bandwidth: float
    capacity: float
    exponential: float = float("inf")


@dataclass(frozen=True)
class SwitchedLinks:
    """A switched domain and what joins domains: bandwidths [B/s], latencies a collective [s]."""

    domain: int
    bandwidth: float
    efficiency: float
    latency: float
    out_bandwidth: float
    out_latency: float


@dataclass(frozen=True)
class Work:
    """What is asked, and how it is spread."""

    context: int
    batch: int
    tp: int = 1
    cp: int = 1
    pp: int = 1
    ep: int = 1
    weight_bits: int = 8
    kv_bits: int = 8
    activation_bits: int = 16
    attention: str = "split-sequence"
    attention_ranks: int | None = None
    shared_expert_ranks: int | None = None

    @property
    def ranks(self) -> int:
        return self.tp * self.cp

    @property
    def group(self) -> int:
        """Ranks that share one user's attention."""
        if self.attention == "data-parallel":
            return 1
        return self.attention_ranks or self.ranks

    @property
    def group_users(self) -> int:
        """Users of the fullest group."""
        return int(np.ceil(self.batch * self.group / self.ranks))

    @property
    def shared(self) -> int:
        """Ranks over which a shared expert is split."""
        return self.shared_expert_ranks or self.group

    @property
    def shared_users(self) -> int:
        """Users of the fullest ranks that share one."""
        return int(np.ceil(self.batch * self.shared / self.ranks))


@dataclass(frozen=True)
class Answer:
    """Times [s], bytes [B], rates [1/s]."""

    compute_time: float
    memory_time: float
    exposed_time: float
    step_time: float
    utps: float
    stps: float
    memory_required: float
    memory_capacity: float


# ------------------------------------------------------------------------------- elements


def _merged_attention_elements(hidden: int, attention: LatentAttention) -> int:
    latent = attention.kv_rank + attention.rope_dim
    q_rank = attention.q_rank or 0
    down = hidden * q_rank + hidden * latent
    return down + q_rank * attention.heads * latent + attention.heads * attention.kv_rank * hidden


def _latent_elements(hidden: int, attention: LatentAttention) -> int:
    heads, wide = attention.heads, attention.nope_dim + attention.rope_dim
    if attention.q_rank is None:
        query = hidden * heads * wide
    else:
        query = hidden * attention.q_rank + attention.q_rank * heads * wide
    key_value = hidden * (attention.kv_rank + attention.rope_dim)
    up = attention.kv_rank * heads * (attention.nope_dim + attention.value_dim)
    return query + key_value + up + heads * attention.value_dim * hidden


def _grouped_elements(hidden: int, attention: GroupedQueryAttention) -> int:
    query = hidden * attention.heads * attention.head_dim
    key = hidden * attention.kv_heads * attention.head_dim
    value = 0 if attention.keys_are_values else key
    output = attention.heads * attention.head_dim * hidden
    return query + key + value + output


def _cache_elements(attention: GroupedQueryAttention | LatentAttention) -> int:
    if isinstance(attention, LatentAttention):
        return attention.kv_rank + attention.rope_dim
    return 2 * attention.kv_heads * attention.head_dim


def _score_flop(attention: GroupedQueryAttention | LatentAttention) -> int:
    """FLOP of one new token on one kept token: scores, then the weighted sum."""
    if isinstance(attention, LatentAttention):
        scores = 2 * attention.heads * (attention.kv_rank + attention.rope_dim)
        return scores + 2 * attention.heads * attention.kv_rank
    return 2 * attention.heads * attention.head_dim + 2 * attention.heads * attention.head_dim


def _distinct(experts: int, top_k: int, batch: int) -> float:
    untouched = 1.0
    for _ in range(batch):
        untouched *= 1.0 - top_k / experts
    return experts * (1.0 - untouched)


def _kept(attention: GroupedQueryAttention | LatentAttention, context: int) -> int:
    window = getattr(attention, "window", None)
    return context if window is None else min(context, window)


# ---------------------------------------------------------------------------- collectives


def talk_latency(ranks: int) -> float:
    """0.44 us at 8, 1.0 us at 128, a line in log2 between, 0.16 us at least, none at 1 [s]."""
    if ranks == 1:
        return 0.0
    return max(0.16e-6, 0.44e-6 + 0.14e-6 * float(np.log2(ranks / 8)))


def _all_reduce(links: SwitchedLinks, message: float, ranks: float) -> float:
    if ranks == 1:
        return 0.0
    near = min(ranks, links.domain)
    reached = links.bandwidth * links.efficiency
    one_shot = links.latency + (near - 1) * message / reached
    two_shot = 2 * links.latency + 2 * (near - 1) / near * message / reached
    time = min(one_shot, two_shot)
    if ranks > links.domain:
        domains = ranks / near
        part = message / near
        time += 2 * links.out_latency + 2 * (domains - 1) / domains * part / links.out_bandwidth
    return time


def _all_to_all(links: SwitchedLinks, message: float, ranks: float) -> float:
    """Each rank sends 1/ranks of its message to every rank: near ones by switch."""
    if ranks == 1:
        return 0.0
    near = min(ranks, links.domain)
    each = message / ranks
    time = links.latency + each * (near - 1) / (links.bandwidth * links.efficiency)
    if ranks > links.domain:
        time += links.out_latency + each * (ranks - near) / links.out_bandwidth
    return time


def _send(links: SwitchedLinks, message: float, chips: int) -> float:
    if chips > links.domain:
        return links.out_latency + message / links.out_bandwidth
    return links.latency + message / (links.bandwidth * links.efficiency)


def _layer_wait(links: SwitchedLinks, spec: ModelSpec, group: LayerGroup, work: Work) -> float:
    element = work.activation_bits / 8
    mine = work.group_users * element  # what the fullest group holds of each element of a token
    residual = _all_reduce(links, mine * spec.hidden, work.group)
    time = residual + _sequence_wait(links, group, work)
    block = group.feedforward
    if not isinstance(block, MixtureOfExperts):
        return time + residual
    if work.attention == "copied-heads" and work.group == work.ranks:
        return time + residual
    fullest = work.group_users * work.ranks / work.group
    routed = fullest * element * spec.hidden * block.top_k / work.ranks
    time += 2 * _all_to_all(links, routed, work.ep)
    share = min(1.0, block.top_k / work.ep)
    whole = work.batch * element * spec.hidden
    time += _all_reduce(links, whole * share, work.ranks / work.ep)
    if block.shared_intermediate and work.ep > 1:
        time += _all_reduce(links, work.shared_users * element * spec.hidden, work.shared)
    return time


def _sequence_wait(links: SwitchedLinks, group: LayerGroup, work: Work) -> float:
    """Queries gathered, and sums merged with a maximum and a denominator for each head."""
    attention = group.attention
    latent = isinstance(attention, LatentAttention)
    kv_heads = 1 if latent else attention.kv_heads
    tensor = min(work.tp, work.group)
    if work.attention != "split-sequence" or work.group == min(tensor, kv_heads):
        return 0.0
    head_ranks = min(tensor, kv_heads)
    mine = work.group_users * work.activation_bits / 8 * attention.heads / head_ranks
    query = attention.kv_rank + attention.rope_dim if latent else attention.head_dim
    merged = attention.kv_rank if latent else attention.head_dim
    parts = work.group / head_ranks
    return _all_to_all(links, mine * query, parts) + _all_to_all(links, mine * (merged + 2), parts)


# ----------------------------------------------------------------------------- the step


def _unevenness(spec: ModelSpec, work: Work) -> float:
    layers = sum(group.count for group in spec.layers)
    return work.pp * float(np.ceil(layers / work.pp)) / layers


def _copied_projections(hidden: int, attention: object, work: Work) -> float:
    """Elements of projections that a group holds beyond one of each."""
    if isinstance(attention, LatentAttention):
        rank = (attention.q_rank or 0) + attention.kv_rank + attention.rope_dim
        return (work.group - 1) * hidden * rank
    copies = _cache_copies(attention, work)
    made = 1 if attention.keys_are_values else 2  # matrices that make keys and values
    return (copies - 1) * made * hidden * attention.kv_heads * attention.head_dim


def _cache_copies(attention: object, work: Work) -> float:
    """Cache of the fullest rank of a group over an equal share of it."""
    if work.attention != "copied-heads":
        return 1.0
    heads = 1 if isinstance(attention, LatentAttention) else attention.kv_heads
    return float(np.ceil(heads / work.group)) * work.group / heads


def _largest_normal(count: int) -> float:
    return float(norm.ppf((count - 0.375) / (count + 0.25)))


def _busiest(block: MixtureOfExperts, work: Work) -> tuple[float, float]:
    """Experts read, and tokens worked on, by the busiest rank over the mean of them."""
    experts, top_k, ranks = block.experts, block.top_k, work.ep
    missed = (1 - top_k / experts) ** work.batch
    reads = (1 - missed) * experts / ranks
    weights = 1 + _largest_normal(ranks) * np.sqrt(missed * reads) / reads
    on_one = top_k / ranks * (1 - 1 / ranks) * (experts - top_k) / (experts - 1)
    tokens = work.batch * top_k / ranks
    return float(weights), 1 + _largest_normal(ranks) * float(np.sqrt(work.batch * on_one)) / tokens


def _held_experts(block: MixtureOfExperts, ranks: int) -> int:
    """Places for experts: every rank has as many as the fullest one."""
    return ranks * int(np.ceil(block.experts / ranks))


def _answer(
    compute: float,
    memory: float,
    exposed: float,
    required: float,
    machine: Machine,
    work: Work,
) -> Answer:
    step = max(compute, memory) + exposed
    return Answer(
        compute_time=compute,
        memory_time=memory,
        exposed_time=exposed,
        step_time=step,
        utps=1 / step,
        stps=work.pp * work.batch / step,
        memory_required=required,
        memory_capacity=work.ranks * work.pp * machine.capacity,
    )


def talk_answer(spec: ModelSpec, machine: Machine, work: Work) -> Answer:
    """The step as the talk counts it: layers only, full context, latents multiplied out."""
    rate, flow = work.ranks * machine.tensor[8], work.ranks * machine.bandwidth
    compute = memory = waits = held = 0.0
    for group in spec.layers:
        for _ in range(group.count):
            attention, block = group.attention, group.feedforward
            latent = isinstance(attention, LatentAttention)
            if latent:
                projections = _merged_attention_elements(spec.hidden, attention)
            else:
                projections = _grouped_elements(spec.hidden, attention)
            kv_bytes = _cache_elements(attention) * work.context * work.kv_bits / 8
            matrices = 3 if block.gated else 2
            expert = matrices * spec.hidden * block.intermediate
            if isinstance(block, MixtureOfExperts):
                shared = matrices * spec.hidden * block.shared_intermediate
                stored = shared + _held_experts(block, work.ep) * expert
                used = shared + block.top_k * expert
                read = shared + _distinct(block.experts, block.top_k, work.batch) * expert
            else:
                stored = used = read = expert
            weight_bytes = work.weight_bits / 8
            compute += 2 * work.batch * (projections + used) / rate
            compute += work.batch * _score_flop(attention) * work.context / rate
            memory += (projections + read) * weight_bytes / flow
            memory += work.batch * kv_bytes / flow
            split = work.tp > (8 if latent else attention.kv_heads) or work.cp > 1
            counted = 2 + isinstance(block, MixtureOfExperts) + 2 * split
            waits += counted * talk_latency(work.ranks)
            held += (projections + stored) * weight_bytes + work.pp * work.batch * kv_bytes
    uneven = _unevenness(spec, work)
    sends = talk_latency(work.ranks * work.pp) * work.pp if work.pp > 1 else 0.0
    exposed = uneven * waits + sends
    return _answer(uneven * compute, uneven * memory, exposed, held, machine, work)


def model_answer(
    spec: ModelSpec, machine: Machine, links: SwitchedLinks, work: Work, small: dict[int, int]
) -> Answer:
    """The step with everything the model does.

    Args:
        spec: The model.
        machine: The chip.
        links: What joins the chips.
        work: What is asked.
        small: Elements outside matrices (norms, biases, sinks) of one layer of each group by its
            index, without the biases of routed experts; of the end of the model at -1. They are
            read, and multiply nothing.
    """
    matrix_rate = work.ranks * machine.tensor[work.weight_bits]
    score_rate = work.ranks * machine.tensor.get(16, machine.tensor[8])
    vector_rate, flow = work.ranks * machine.vector, work.ranks * machine.bandwidth
    weight_bytes = work.weight_bits / 8
    groups, shared_groups = work.ranks / work.group, work.ranks / work.shared
    # The fullest group stands for all of them, as if there were as many users in each.
    users, shared_users = work.group_users * groups, work.shared_users * shared_groups
    compute = memory = waits = held = 0.0
    for index, group in enumerate(spec.layers):
        for _ in range(group.count):
            attention, block = group.attention, group.feedforward
            if isinstance(attention, LatentAttention):
                projections = _latent_elements(spec.hidden, attention)
            else:
                projections = _grouped_elements(spec.hidden, attention)
            projections += _copied_projections(spec.hidden, attention, work)
            kept = _kept(attention, work.context)
            kv_bytes = _cache_elements(attention) * kept * work.kv_bits / 8
            kv_bytes *= _cache_copies(attention, work)
            matrices = 3 if block.gated else 2
            expert = matrices * spec.hidden * block.intermediate
            if isinstance(block, MixtureOfExperts):
                always = matrices * spec.hidden * block.shared_intermediate
                always += spec.hidden * block.experts
                stored_expert = expert
                if block.bias:
                    # every matrix of an expert has one bias for each of its outputs
                    stored_expert += (matrices - 1) * block.intermediate + spec.hidden
                busiest_weights, busiest_tokens = _busiest(block, work)
                distinct = _distinct(block.experts, block.top_k, work.batch)
                work_on_block = shared_users * always
                work_on_block += work.batch * busiest_tokens * block.top_k * expert
                read = shared_groups * always + busiest_weights * distinct * stored_expert
                stored = shared_groups * always + _held_experts(block, work.ep) * stored_expert
                active = block.top_k * block.intermediate + block.shared_intermediate
            else:
                work_on_block, read = users * expert, groups * expert
                stored, active = groups * expert, block.intermediate
            compute += 2 * (users * projections + work_on_block) / matrix_rate
            scores = attention.heads * kept
            softmax = _score_flop(attention) * kept / score_rate + 5 * scores / vector_rate
            # exponentials are taken by a unit of their own, beside the other arithmetic
            compute += users * max(softmax, scores / (work.ranks * machine.exponential))
            scalar = 5 * active + 4 * group.norm_count() * spec.hidden
            compute += users * scalar / vector_rate
            memory += (groups * (projections + small[index]) + read) * weight_bytes / flow
            memory += users * kv_bytes / flow
            waits += _layer_wait(links, spec, group, work)
            held += (groups * (projections + small[index]) + stored) * weight_bytes
            held += work.pp * users * kv_bytes
    uneven = _unevenness(spec, work)
    compute, memory = uneven * compute, uneven * memory
    head = spec.vocabulary * spec.hidden
    compute += 2 * users * head / matrix_rate
    compute += users * 4 * spec.hidden / vector_rate
    rows = users * spec.hidden * (2 if spec.positions else 1)
    memory += (groups * (head + small[-1]) + rows) * weight_bytes / flow
    embeddings = (0 if spec.tied else head) + spec.positions * spec.hidden
    held += groups * (head + embeddings + small[-1]) * weight_bytes
    sends = 0.0
    if work.pp > 1:
        message = users * spec.hidden * work.activation_bits / 8 / work.ranks
        sends = work.pp * _send(links, message, work.ranks * work.pp)
    return _answer(compute, memory, uneven * waits + sends, held, machine, work)
