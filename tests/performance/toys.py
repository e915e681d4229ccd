"""Models and machines small enough to count by hand."""

from liminal_jax.hardware.chip import ByPrecision, Chip, ChipCost, MemoryTier
from liminal_jax.hardware.network import (
    AbstractNetwork,
    FittedLatency,
    FullMesh,
    ScaleOut,
    Switched,
    Torus,
)
from liminal_jax.hardware.power import AbstractPower, ActivityPower
from liminal_jax.hardware.system import Facility, System
from liminal_jax.workload.feedforward.dense import DenseFeedForward
from liminal_jax.workload.feedforward.mixture import MixtureOfExperts
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from liminal_jax.workload.mixer.latent import LatentAttention
from liminal_jax.workload.spec import LayerGroup, ModelSpec

TWO_LAYERS = ModelSpec(
    name="two-layers",
    source="by hand",
    hidden=8,
    vocabulary=100,
    layers=(
        LayerGroup(
            count=1,
            attention=GroupedQueryAttention(heads=4, kv_heads=2, head_dim=2),
            feedforward=DenseFeedForward(intermediate=16),
        ),
        LayerGroup(
            count=1,
            attention=GroupedQueryAttention(
                heads=4, kv_heads=2, head_dim=2, scope="sliding", window=4
            ),
            feedforward=MixtureOfExperts(experts=4, top_k=2, intermediate=8, shared_intermediate=4),
        ),
    ),
)

LATENT_LAYER = ModelSpec(
    name="latent-layer",
    source="by hand",
    hidden=8,
    vocabulary=10,
    tied=True,
    layers=(
        LayerGroup(
            count=1,
            attention=LatentAttention(
                heads=2, q_rank=4, kv_rank=6, nope_dim=2, rope_dim=2, value_dim=4
            ),
            feedforward=DenseFeedForward(intermediate=4, gated=False),
        ),
    ),
)

SCALE_OUT = ScaleOut(bandwidth=8, latency=1)
SWITCHED = Switched(domain=8, bandwidth=32, efficiency=0.5, latency=0.25, scale_out=SCALE_OUT)
FULL_MESH = FullMesh(domain=8, bandwidth=32, efficiency=0.5, latency=0.25, scale_out=SCALE_OUT)
TORUS = Torus(
    domain=16, bandwidth=32, efficiency=0.5, latency=0.25, dimensions=2, scale_out=SCALE_OUT
)
TALK = FittedLatency(latency_at_8=0.5, latency_at_128=1.3, floor=0.2)
ACTIVITY = ActivityPower(idle=10, dynamic=90, flop_energy=0.001, link_energy=0.25)


def toy_system(network: AbstractNetwork = SWITCHED, power: AbstractPower = ACTIVITY) -> System:
    """A machine with round numbers."""
    return System(
        chip=Chip(
            tensor=ByPrecision(bits_16=500, bits_8=1000, bits_4=2000),
            vector=100,
            memory=MemoryTier(capacity=2000, bandwidth=100, energy=0.5),
            sram=MemoryTier(capacity=200, bandwidth=400, energy=0.125),
            power=power,
            cost=ChipCost(logic=4, memory=2, package=1),
            die_area=2,
        ),
        network=network,
        facility=Facility(
            selling_multiple=2,
            logic_margin=1,
            memory_margin=1,
            package_margin=1,
            one_time_cost=0,
            building_cost=0,
            host_price=3,
            board_price=4,
            rack_price=5,
            network_price=0.5,
            optics_price=0.25,
            scale_out_price=3,
            host_power=6,
            host_idle_fraction=1,
            switch_power=0.125,
            optics_power=0.5,
            scale_out_power=2,
            pue=1.5,
            energy_price=0.01,
            lifetime=1,
            discount_rate=1,
            threshold_voltage=0.5,
        ),
    )
