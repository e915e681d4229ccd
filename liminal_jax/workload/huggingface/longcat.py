"""LongCat-Flash: two attentions and two dense blocks in a layer, and experts that may do nothing.

Meituan (2025), LongCat-Flash, arXiv:2509.01322. The mixture of a layer works beside its second
attention. Of the experts that a token is sent to, those without weights hand it back: routing is
taken as even, so that they get their share.
"""

from liminal_jax.workload.feedforward.dense import dense
from liminal_jax.workload.mixer.latent import latent
from liminal_jax.workload.reading.family import Family
from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table, activation, layer_count, model, stack


def longcat_flash(fields: Fields) -> Table:
    """LongCat-Flash: a layer is two of latent attention and a block, and one mixture."""
    activation(fields)
    fields.demand("attention_method", ["MLA"], "latent attention")
    fields.demand("zero_expert_type", ["identity"], "experts that hand a token back")
    fields.demand("router_bias", [False], "routers have no bias but a correction")
    for name in ("mla_scale_q_lora", "mla_scale_kv_lora", "scale_router"):
        fields.ignore(name, "scaling, has no weights")
    layers = layer_count(fields)
    attention = latent(fields)
    if attention["bias"]:
        fields.refuse("attention_bias", "true is not modelled here; modelled: false")
    mixers: list[Table | None] = [attention] * (2 * layers)
    blocks: list[Table] = [dense(fields)] * (2 * layers)
    halves = stack(mixers, blocks)
    experts = {"count": layers, "feedforward": _experts(fields), "norms": 0}
    return model(fields, (*halves, experts))


def _experts(fields: Fields) -> Table:
    total = fields.count("n_routed_experts", "num_experts", note="experts that have weights")
    zero = fields.count("zero_expert_num", note="experts that do nothing", default=0, least=0)
    used = fields.count("num_experts_per_tok", note="experts a token uses")
    if fields.sound("n_routed_experts", "num_experts_per_tok") and used > total:
        fields.refuse("num_experts_per_tok", f"{used} must not exceed n_routed_experts ({total})")
    working, left = divmod(used * total, total + zero)
    if left and fields.sound("zero_expert_num"):
        share = f"{used} x {total} / {total + zero}"
        fields.refuse("zero_expert_num", f"leaves {share} experts a token, no whole number")
    return {
        "kind": "mixture",
        "experts": total,
        "top_k": max(working, 1),
        "intermediate": fields.count("moe_intermediate_size", note="width of one expert"),
        "router_bias": True,
        "idle": zero,
    }


FAMILIES = {"longcat_flash": Family(longcat_flash, "LongcatFlashForCausalLM")}
