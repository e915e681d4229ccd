"""What the layers of a model hold and do, counted from its config.

Every matrix is counted by its two sides. Symbols: d width of the residual stream, h query heads,
k KV heads, a width of a head; of latents: q and r the ranks of queries and of keys and values, n
and p the widths of a query without and with rotation, v that of a value.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Config = Mapping[str, Any]

LATENT_RANKS = 8
"""Ranks beyond which the talk's table charges latents for a split sequence."""


@dataclass(frozen=True)
class Mixer:
    """Attention, or linear attention, of one layer.

    Attributes:
        weights: Elements of all its matrices.
        key_value: Of these, what makes keys and values of KV heads, copied where heads are.
        down: Of these, down-projections whose outputs all heads share.
        small: Elements of biases, norms and sinks.
        heads: Query heads.
        cached: Heads of the cache; 0 where nothing is cached.
        entry: Elements that a token leaves in the cache.
        pair: FLOP of a new token on one kept token: score and weighted sum.
        query: Width of a head's query as it meets the cache.
        output: Width of a head's weighted sum.
        window: Tokens kept at most; 0 for all.
        state: Elements of a recurrent state.
        update: FLOP of updating and reading it.
    """

    weights: int
    small: int
    heads: int
    key_value: int = 0
    down: int = 0
    cached: int = 0
    entry: int = 0
    pair: int = 0
    query: int = 0
    output: int = 0
    window: int = 0
    state: int = 0
    update: int = 0

    def kept(self, context: float) -> float:
        """Tokens that are kept."""
        return min(context, self.window) if self.window else context


@dataclass(frozen=True)
class Block:
    """The feed-forward block of one layer.

    Attributes:
        always: Elements of the matrices that every token passes: all of a dense block; router and
            shared expert of a mixture.
        small: Elements of biases and gates beside them.
        activations: Activations of a token.
        experts: Routed experts; 0 in a dense block.
        top_k: Experts of a token.
        expert: Elements of the matrices of one.
        biases: Elements of its biases.
        shared: Whether there is a shared expert.
    """

    always: int
    small: int
    activations: int
    experts: int = 0
    top_k: int = 0
    expert: int = 0
    biases: int = 0
    shared: bool = False


@dataclass(frozen=True)
class Layer:
    """One layer: norms stand before its parts, or around them."""

    mixer: Mixer
    block: Block
    norms: int
    small: int


@dataclass(frozen=True)
class Paper:
    """A model as it is counted.

    Attributes:
        hidden: Width of the residual stream.
        layers: Each kind of layer, and how many there are.
        head: Elements of the head; 0 where layers alone are counted.
        embeddings: Elements of tables that a token looks a row up in, besides the head.
        rows: Rows that a token looks up.
        end: Elements of the norm before the head.
        tables: Whether embedding and head are two: the first stage holds one, the last the other.
        scalar: Whether work beside the tensor units is counted.
    """

    hidden: int
    layers: tuple[tuple[Layer, int], ...]
    head: int
    embeddings: int
    rows: int
    end: int
    tables: int
    scalar: bool = True

    def count(self) -> int:
        """Layers."""
        return sum(count for _, count in self.layers)


def _heads(config: Config) -> tuple[int, int, int, int]:
    d, h = config["hidden_size"], config["num_attention_heads"]
    return d, h, config.get("num_key_value_heads", h), config.get("head_dim", d // h)


def _grouped(config: Config, window: int) -> Mixer:
    """Query and output of h heads, key and value of k, each d wide on one side."""
    family, (d, h, k, a) = config["model_type"], _heads(config)
    gate = d * h * a if family == "qwen3_5_moe_text" else 0
    small = 0
    if family in ("qwen2", "gpt_oss", "glm4_moe", "opt"):
        small += (h + 2 * k) * a  # a bias for each query, key and value
    if family in ("gpt_oss", "opt"):
        small += d  # and for each output
    if family == "gpt_oss":
        small += h  # a sink for each head
    if family in ("qwen3", "qwen3_moe", "qwen3_5_moe_text", "glm4_moe", "gemma3_text"):
        small += 2 * a  # norms of queries and of keys
    return Mixer(
        weights=d * h * a + d * k * a + d * k * a + h * a * d + gate,
        key_value=d * k * a + d * k * a,
        small=small,
        heads=h,
        cached=k,
        entry=2 * k * a,
        pair=2 * h * a + 2 * h * a,
        query=a,
        output=a,
        window=window,
    )


def _latent(config: Config) -> Mixer:
    """Latents, with the projections from and to them absorbed into queries and outputs."""
    d, h, *_ = _heads(config)
    q, r = config["q_lora_rank"], config["kv_lora_rank"]
    n, p, v = (config[f"{name}_head_dim"] for name in ("qk_nope", "qk_rope", "v"))
    down = d * q + d * (r + p)
    up = q * h * (n + p) + r * h * n + r * h * v
    return Mixer(
        weights=down + up + h * v * d,
        down=down,
        small=q + r,  # a norm of each latent
        heads=h,
        cached=1,
        entry=r + p,
        pair=2 * h * (r + p) + 2 * h * r,
        query=r + p,
        output=r,
    )


def _delta(config: Config) -> Mixer:
    """Gated delta rule: a matrix of keys by values for each head of values."""
    d, span = config["hidden_size"], config["linear_conv_kernel_dim"]
    g, h = config["linear_num_key_heads"], config["linear_num_value_heads"]
    k, v = config["linear_key_head_dim"], config["linear_value_head_dim"]
    channels = 2 * g * k + h * v
    gate_and_output = d * h * v + h * v * d
    decay_and_strength = d * h + d * h
    return Mixer(
        weights=d * channels + gate_and_output + decay_and_strength + channels * span,
        small=h + h + v,
        heads=h,
        state=h * k * v + channels * (span - 1),
        update=h * (1 + 2 + 2 + 2) * k * v,  # decay; recall, correction, answer
    )


def _mixer(config: Config, layer: int) -> Mixer:
    family = config["model_type"]
    if "kv_lora_rank" in config:
        return _latent(config)
    if "full_attention_interval" in config and (layer + 1) % config["full_attention_interval"]:
        return _delta(config)
    if family == "llama4_text":
        inside = (layer + 1) % config["no_rope_layer_interval"]
        return _grouped(config, config["attention_chunk_size"] if inside else 0)
    if "layer_types" in config:
        slides = config["layer_types"][layer] == "sliding_attention"
    else:
        slides = (layer + 1) % config.get("sliding_window_pattern", 1) > 0
    return _grouped(config, config["sliding_window"] if slides else 0)


def _is_mixture(config: Config, layer: int) -> bool:
    if "num_experts_per_tok" not in config:
        return False
    if "interleave_moe_layer_step" in config:
        return (layer + 1) % config["interleave_moe_layer_step"] == 0
    return layer >= config.get("first_k_dense_replace", 0)


def _mixture(config: Config) -> Block:
    family, d = config["model_type"], config["hidden_size"]
    names = ("n_routed_experts", "num_local_experts", "num_experts")
    experts = next(config[name] for name in names if name in config)
    width = config.get("moe_intermediate_size") or config["intermediate_size"]
    shared = config.get("n_shared_experts", 0) * width
    shared = config.get("shared_expert_intermediate_size", shared)
    shared = width if family == "llama4_text" else shared
    corrected = family in ("gpt_oss", "glm4_moe", "deepseek_v3", "kimi_k2")
    return Block(
        always=d * experts + 3 * d * shared,
        small=(experts if corrected else 0) + (d if family == "qwen3_5_moe_text" else 0),
        activations=config["num_experts_per_tok"] * width + shared,
        experts=experts,
        top_k=config["num_experts_per_tok"],
        expert=3 * d * width,
        biases=width + width + d if family == "gpt_oss" else 0,
        shared=shared > 0,
    )


def _dense(config: Config) -> Block:
    d = config["hidden_size"]
    if config["model_type"] == "opt":
        f = config["ffn_dim"]
        return Block(always=2 * d * f, small=f + d, activations=f)
    f = config.get("intermediate_size_mlp", config["intermediate_size"])
    return Block(always=3 * d * f, small=0, activations=f)


def model_of(config: Config) -> Paper:
    """A model with everything that it does.

    Examples:
        >>> from experiments.hand.configs import QWEN3_8B
        >>> model = model_of(QWEN3_8B)
        >>> (layer, count), = model.layers
        >>> count, layer.mixer.weights, layer.block.always
        (36, 41943040, 150994944)
    """
    family, d = config["model_type"], config["hidden_size"]
    vectors = 2 if family == "opt" else 1  # a norm with a bias, or without
    norms = 4 if family == "gemma3_text" else 2
    kinds: Counter[Layer] = Counter()
    for index in range(config["num_hidden_layers"]):
        mixer = _mixer(config, index)
        block = _mixture(config) if _is_mixture(config, index) else _dense(config)
        small = norms * d * vectors + mixer.small + block.small
        kinds[Layer(mixer=mixer, block=block, norms=norms, small=small)] += 1
    tied = config.get("tie_word_embeddings", False)
    positions = config["max_position_embeddings"] + 2 if family == "opt" else 0
    head = config["vocab_size"] * d
    return Paper(
        hidden=d,
        layers=tuple(kinds.items()),
        head=head,
        embeddings=(0 if tied else head) + positions * d,
        rows=2 if positions else 1,
        end=d * vectors,
        tables=1 if tied else 2,
    )


def _as_talk_counts(config: Config, layer: Layer) -> Layer:
    """No norms, biases or routers; all tokens kept; latents with their projections multiplied out.

    Key and query projections become one matrix of q by h (r + p), values and output one of h r by
    d.
    """
    mixer, block = replace(layer.mixer, small=0, window=0), layer.block
    if "kv_lora_rank" in config:
        d, h, *_ = _heads(config)
        q, r, p = config["q_lora_rank"], config["kv_lora_rank"], config["qk_rope_head_dim"]
        merged = d * q + q * h * (r + p) + d * (r + p) + h * r * d
        mixer = replace(mixer, weights=merged, down=0, cached=LATENT_RANKS)
    router = config["hidden_size"] * block.experts
    counted = replace(block, always=block.always - router, small=0, biases=0)
    return Layer(mixer=mixer, block=counted, norms=layer.norms, small=0)


def talk_model_of(config: Config, nominal: float = 0.0) -> Paper:
    """A model as the talk and the paper count it: layers alone.

    Args:
        config: Its config.
        nominal: Parameters in its name, which the paper's first version reads whatever the layers
            hold; 0 for those of the layers.
    """
    model = model_of(config)
    kinds: Counter[Layer] = Counter()
    for layer, count in model.layers:
        kinds[_as_talk_counts(config, layer)] += count
    if nominal:
        ((layer, count),) = kinds.items()
        counted = count * (layer.mixer.weights + layer.block.always)
        # Elements that are read and multiply nothing; a fraction of one is of no matter here.
        kinds = Counter({replace(layer, small=(nominal - counted) / count): count})
    return replace(
        model,
        layers=tuple(kinds.items()),
        head=0,
        embeddings=0,
        rows=0,
        end=0,
        tables=0,
        scalar=False,
    )
