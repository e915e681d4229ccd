"""Designs of all classes, each as the tables of its file.

A system that is no shipped one is given by its rows, in the place of its name. The paper's
accounting, which no design file has, states its parameters, its collectives in a layer and their
latency.
"""

from typing import Any

PLANNED = {"execution": {"base": "planned-chip"}}
"""Dies joined by links, operators that wait for each other, a part of memory kept free."""

GB200_AND_LPDDR = {
    "name": "gb200-and-lpddr",
    "title": "GB200 that reads half of its Grace's memory",
    "vendor": "hand",
    "status": "hypothetical",
    "about": "Half of 480 GB of LPDDR5X, at a quarter of 900 GB/s.",
    "chip": {
        "tensor_16bit": "2500 TFLOP/s",
        "tensor_8bit": "5000 TFLOP/s",
        "tensor_4bit": "10000 TFLOP/s",
        "sustained_8bit": "3615.6 TFLOP/s",
        "vector": "80 TFLOP/s",
        "exponential": "5 1/ps",
        "dies": 2,
        "die_area": "1600 mm2",
        "process": "n4p",
        "tdp": "1200 W",
        "cost": "6400 USD",
        "market_price": {"unknown": "sold as racks only"},
        "memory": {
            "technology": "hbm3e",
            "stacks": 8,
            "capacity": "186 GiB",
            "bandwidth": "8 TB/s",
        },
        "capacity_tier": {
            "technology": "lpddr5x",
            "capacity": "240 GB",
            "bandwidth": "225 GB/s",
            "holds": ["cache", "experts"],
        },
    },
    "network": {
        "topology": "switched",
        "domain": 72,
        "bandwidth": "900 GB/s",
        "latency": "3 us",
    },
}
H200_AND_SRAM = {
    "name": "h200-and-sram",
    "title": "H200 with SRAM under control of software",
    "vendor": "hand",
    "status": "hypothetical",
    "about": "Weights and cache may stay in 200 MB of SRAM.",
    "chip": {
        "tensor_16bit": "989 TFLOP/s",
        "tensor_8bit": "1979 TFLOP/s",
        "tensor_4bit": {"unknown": "no such units"},
        "vector": "66.9 TFLOP/s",
        "dies": 1,
        "die_area": "814 mm2",
        "process": "n4",
        "tdp": "700 W",
        "idle_fraction": 0.1,
        "cost": {"unknown": "hypothetical"},
        "market_price": {"unknown": "hypothetical"},
        "memory": {
            "technology": "hbm3e",
            "stacks": 6,
            "capacity": "141 GiB",
            "bandwidth": "4.8 TB/s",
            "energy": "9 pJ/bit",
        },
        "sram": {"capacity": "200 MB", "bandwidth": "60 TB/s", "energy": "0.3 pJ/bit"},
    },
    "network": {
        "topology": "torus",
        "dimensions": 2,
        "domain": 16,
        "bandwidth": "300 GB/s",
        "latency": "0.5 us",
        "efficiency": 0.8,
        "switch_radix": 64,
        "copper_reach": 4,
        "tier_latency": "0.4 us",
        "scale_out_bandwidth": "50 GB/s",
        "scale_out_latency": "10 us",
    },
}


def _case(
    workload: dict[str, Any], design: dict[str, Any], assumptions: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"workload": workload, "design": design, "assumptions": assumptions or {}}


def _asks(model: str, context: int, **more: Any) -> dict[str, Any]:
    return {"model": model, "context": context, **more}


def _on(system: Any, **degrees: Any) -> dict[str, Any]:
    return {"system": system, **degrees}


def _plan(memory: str, stacks: int, dies: int, area: str, **more: Any) -> dict[str, Any]:
    usual = {"process": "n4p", "sram": "0 MB", "link_bandwidth": "900 GB/s", "domain": 72}
    return {"memory": memory, "stacks": stacks, "dies": dies, "compute_area": area, **usual, **more}


DESIGNS = {
    # dense models
    "dense-one-chip": _case(_asks("qwen3-8b", 8192), _on("h200")),
    "dense-tp": _case(_asks("llama-3-70b", 8192), _on("h200", tp=8, batch=32)),
    "dense-split-sequence": _case(_asks("llama-3-70b", 131072), _on("gb200", tp=16, batch=8)),
    "dense-context-parallel": _case(
        _asks("llama-3-405b", 131072, weight_bits=4), _on("gb200", tp=8, cp=4, batch=4)
    ),
    "dense-copied-heads": _case(
        _asks("qwen2.5-72b", 16384), _on("b200", tp=16, batch=24, attention="copied-heads")
    ),
    "dense-pipeline": _case(
        _asks("llama-3-405b", 8192, weight_bits=16, kv_bits=16),
        _on("b200", tp=8, pp=4, batch=16),
    ),
    "dense-padded-heads": _case(
        _asks("opt-66b", 2048, weight_bits=16, kv_bits=16),
        _on("h200", tp=16, batch=16, attention="padded-heads"),
    ),
    "windows-mesh": _case(_asks("gemma-3-27b", 32768), _on("mi300x", tp=4, batch=16)),
    "windows-torus": _case(_asks("gemma-3-27b", 8192), _on("tpu-v5p", tp=16, batch=8)),
    # mixtures of experts
    "mixture-random": _case(_asks("qwen3-235b-a22b", 8192), _on("h200", tp=8, ep=8, batch=64)),
    "mixture-balanced": _case(
        _asks("qwen3-235b-a22b", 8192, routing="balanced"), _on("h200", tp=8, ep=8, batch=64)
    ),
    "mixture-split-experts": _case(
        _asks("mixtral-8x7b", 4096), _on("mi300x", tp=8, ep=4, batch=12)
    ),
    "mixture-shared-summed": _case(
        _asks("glm-4.5", 8192), _on("h200", tp=8, ep=8, batch=128, attention="copied-heads")
    ),
    "mixture-data-parallel": _case(
        _asks("glm-4.5", 8192),
        _on("gb200", tp=32, ep=32, batch=1000, attention="data-parallel"),
    ),
    "mixture-chunks": _case(_asks("llama-4-maverick", 131072), _on("b200", tp=8, ep=8, batch=20)),
    "mixture-groups": _case(
        _asks("gpt-oss-120b", 8192, weight_bits=4),
        _on("b200", tp=8, ep=8, attention_ranks=2, batch=30),
    ),
    "hybrid-states": _case(
        _asks("qwen3.5-397b-a17b", 65536),
        _on("gb200", tp=8, ep=8, batch=48, attention="copied-heads"),
    ),
    # latent attention
    "latent-split-sequence": _case(_asks("deepseek-v3", 8192), _on("h200", tp=8, ep=8, batch=64)),
    "latent-data-parallel": _case(
        _asks("deepseek-v3", 4096),
        _on("gb200", tp=64, ep=64, batch=1500, attention="data-parallel"),
    ),
    "latent-groups": _case(
        _asks("deepseek-v3", 4096),
        _on(
            "h200",
            tp=32,
            ep=32,
            pp=2,
            batch=99,
            attention="copied-heads",
            attention_ranks=4,
            shared_expert_ranks=2,
        ),
    ),
    "latent-context-parallel": _case(
        _asks("kimi-k2", 131072), _on("b200", tp=8, cp=2, ep=16, pp=2, batch=10)
    ),
    "latent-capacity-tier": _case(
        _asks("deepseek-v3", 16384),
        _on(GB200_AND_LPDDR, tp=4, ep=4, batch=64, attention="copied-heads"),
    ),
    "dense-capacity-tier": _case(_asks("llama-3-70b", 65536), _on(GB200_AND_LPDDR, tp=1, batch=20)),
    "software-managed-sram": _case(
        _asks("mixtral-8x7b", 8192), _on(H200_AND_SRAM, tp=32, ep=8, batch=32)
    ),
    # the talk's and the paper's accounting
    "talk-dense": _case(_asks("llama-3-70b", 131072, accounting="talk"), _on("xpu-hbm3", tp=8)),
    "talk-latent": _case(
        _asks("deepseek-v3", 131072, accounting="talk"), _on("xpu-hbm4", tp=128, batch=64)
    ),
    "talk-pipeline": _case(
        _asks("gpt-oss-120b", 131072, accounting="talk"), _on("xpu-3d-dram", tp=8, pp=5, batch=4)
    ),
    "talk-sram": _case(_asks("llama-3-70b", 4096, accounting="talk"), _on("xpu-sram", tp=128)),
    "talk-real-network": _case(
        _asks("glm-4.5", 32768, accounting="talk"), _on("h200", tp=8, ep=8, pp=3, batch=16)
    ),
    "paper-version-1": _case(
        _asks("llama-3-405b", 131072, accounting="paper", parameters=405e9, collectives=3),
        _on("xpu-hbm3", tp=32, latency="1.5 us"),
    ),
    # chips that are planned
    "sram-chip": _case(_asks("qwen3-8b", 2048), _on("groq-lp30", tp=32, cp=2, pp=9, batch=4)),
    "planned-sram": _case(
        _asks("qwen3-8b", 4096),
        _plan("sram", 4, 4, "200 mm2", process="n3p", tp=8, pp=3, batch=4),
        PLANNED,
    ),
    "planned-hbm": _case(
        _asks("gpt-oss-120b", 8192, weight_bits=4),
        _plan("hbm4", 8, 2, "500 mm2", tp=4, ep=4, batch=128),
        {**PLANNED, "network": {"latency": "1 us"}, "facility": {"selling_multiple": 6.3}},
    ),
    "planned-3d-dram": _case(
        _asks("gpt-oss-120b", 16384, weight_bits=4),
        _plan("3d-dram", 4, 4, "300 mm2", tp=8, ep=8, batch=100, attention="data-parallel"),
        PLANNED,
    ),
    "planned-modules": _case(
        _asks("qwen3-235b-a22b", 32768),
        _plan(
            "hbm4",
            4,
            2,
            "400 mm2",
            tier="lpddr5x",
            tier_units=4,
            tier_holds=["experts"],
            tp=2,
            ep=2,
            batch=32,
            attention="copied-heads",
        ),
        {**PLANNED, "tier": {"price": "3 USD/GB"}},
    ),
    "planned-flash": _case(
        _asks("llama-3-405b", 131072),
        _plan("hbm4", 6, 2, "400 mm2", tier="hbf", tier_units=2, tp=4, pp=2, batch=24),
        PLANNED,
    ),
    "planned-slow-clock": _case(
        _asks("deepseek-v3", 32768),
        _plan(
            "3d-dram-raptor",
            2,
            2,
            "250 mm2",
            sram="128 MB",
            tp=128,
            ep=128,
            batch=300,
            clock=0.8,
            attention_ranks=2,
            domain=128,
        ),
        {**PLANNED, "facility": {"design_cost": "500000000 USD", "volume": 200000}},
    ),
    "planned-tiers-of-switches": _case(
        _asks("deepseek-v3", 4096),
        _plan(
            "hbm3e",
            8,
            2,
            "500 mm2",
            domain=576,
            tp=256,
            ep=256,
            pp=3,
            batch=5000,
            attention="data-parallel",
        ),
        {**PLANNED, "facility": {"building_cost": 12.0}},
    ),
    "planned-mesh-no-overlap": _case(
        _asks("qwen3-235b-a22b", 8192),
        _plan(
            "hbm4",
            4,
            1,
            "450 mm2",
            domain=16,
            tp=32,
            ep=32,
            batch=70,
            attention_ranks=8,
            link_bandwidth="600 GB/s",
        ),
        {
            "network": {"topology": "full-mesh", "copper_reach": 8},
            "execution": {
                "base": "planned-chip",
                "compute_share": 0.8,
                "bandwidth_share": 0.85,
                "overlap_between_operators": 0.25,
                "overlap_within_operators": 0.5,
            },
        },
    ),
}
"""Designs by name."""
