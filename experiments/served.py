"""Speed of a user and throughput of a chip, of one way to serve a workload or of many at once.

Two kinds are told apart, as measurements are:

* `served`, where prompts pass on the same chips or are counted with theirs, and
* `pool`, decode alone: chips to which others hand the prompts they have read.
"""

from dataclasses import dataclass
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp

import liminal_jax as ll
from experiments.listed import in_numpy
from liminal_jax.calibration.fitted import Fitted
from liminal_jax.data.calibrations import Calibration
from liminal_jax.data.names import chip_family
from liminal_jax.fit.rows import DRAWN_SHARE
from liminal_jax.mapping.attention import AbstractAttentionMapping
from liminal_jax.performance.serving import Serving

SERVED, POOL = "served", "pool"  # the two kinds of curves
THOUSAND = 1024  # tokens that a K of a workload's name stands for
CACHE_BITS = 8  # bits of a cached element
CALIBRATION = "measured"  # which losses engines have, those of a typical engine


@dataclass(frozen=True)
class Workload:
    """Requests of one kind.

    Attributes:
        model: Name of the model.
        isl: Nominal tokens of a prompt, in K.
        osl: Nominal tokens of an answer, in K.
        weight_bits: Bits of a weight.
    """

    model: str
    isl: int
    osl: int
    weight_bits: float

    def lengths(self) -> ll.Lengths:
        """Mean tokens of prompt and answer, as InferenceX draws them."""
        tokens = DRAWN_SHARE * THOUSAND
        return ll.Lengths(isl=tokens * self.isl, osl=tokens * self.osl)

    def request(self) -> ll.Request:
        """Mean context of decode, and precision."""
        context = self.lengths().mean_context()
        return ll.Request(context, weight_bits=self.weight_bits, kv_bits=CACHE_BITS)


class Asked(eqx.Module):
    """What every way is asked: who serves what, by which laws."""

    system: ll.System
    model: ll.Model
    request: ll.Request
    lengths: ll.Lengths
    attention: AbstractAttentionMapping
    assumptions: ll.Assumptions

    def design(self, way: jax.Array) -> ll.Design:
        """A design of some ranks, ranks over which experts are spread, and users."""
        ranks, spread, users = way
        mapping = ll.Mapping(tp=ranks, ep=spread, attention=self.attention)
        return ll.Design(self.system, mapping, ll.Placement(), users)

    def served(self, way: jax.Array) -> tuple[ll.Design, Serving]:
        """The design of a way, and how it serves."""
        design = self.design(way)
        given = (design, self.model, self.request, self.lengths, self.assumptions)
        return design, ll.serve(*given)


def _pool(design: ll.Design, tpot: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Speed of a user, and throughput of a chip that decodes only."""
    return 1 / tpot, design.batch / tpot / design.mapping.chips()


@in_numpy
def bounds(asked: Asked, ways: jax.Array, kind: str) -> tuple[jax.Array, jax.Array]:
    """Speed and throughput of each way, for every manner of sharing chips with prompts."""

    def one(way: jax.Array) -> tuple[jax.Array, jax.Array]:
        design, served = asked.served(way)
        if kind == POOL:
            return _pool(design, served.disaggregated.tpot)
        shared = (served.static, served.continuous, served.disaggregated)
        throughputs = jnp.stack([it.tokens_per_second_per_chip for it in shared])
        return 1 / jnp.stack([it.tpot for it in shared]), throughputs

    return jax.vmap(one, in_axes=1)(ways)


@in_numpy
def reached(
    asked: Asked, losses: Fitted, ways: jax.Array, kind: str
) -> tuple[jax.Array, jax.Array, Fitted]:
    """Speed, throughput, and the change of a time's logarithm for each logarithm of a loss."""

    def rates(losses: Fitted, way: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        lossy = eqx.tree_at(lambda it: it.assumptions.calibration, asked, losses)
        design, served = lossy.served(way)
        if kind == POOL:
            found = _pool(design, served.disaggregated.tpot)
        else:
            together = served.continuous
            found = 1 / together.tpot, together.tokens_per_second_per_chip
        return -jnp.log(found[0]), found

    def one(way: jax.Array) -> tuple[jax.Array, jax.Array, Fitted]:
        slopes, (speed, throughput) = jax.jacfwd(rates, has_aux=True)(losses, way)
        relative = jax.tree.map(lambda slope, loss: slope * loss, slopes, losses)
        return speed, throughput, relative

    return jax.vmap(one, in_axes=1)(ways)


@in_numpy
def fits(asked: Asked, ways: jax.Array) -> jax.Array:
    """Whether the chips hold the model and its users."""

    def one(way: jax.Array) -> jax.Array:
        return jnp.asarray(ll.predict(asked.design(way), asked.model, asked.request).fits)

    return jax.vmap(one, in_axes=1)(ways)


@in_numpy
def _speed(asked: Asked, way: jax.Array, kind: str) -> jax.Array:
    """Speed of a user [1/s] of one way."""
    _, served = asked.served(way)
    return 1 / (served.disaggregated.tpot if kind == POOL else served.continuous.tpot)


@cache
def calibration() -> Calibration:
    """The losses of engines."""
    return ll.load_calibration(CALIBRATION)


def asked_of(
    chip: str,
    workload: Workload,
    attention: AbstractAttentionMapping,
    assumptions: ll.Assumptions | None = None,
) -> Asked:
    """The question that a chip, a workload and a mapping of attention put to every way."""
    system, model = ll.load_system(chip), ll.load_model(workload.model)
    laws = ll.Assumptions() if assumptions is None else assumptions
    return Asked(system, model, workload.request(), workload.lengths(), attention, laws)


def engine_speed(
    chip: str,
    workload: Workload,
    kind: str,
    way: tuple[float, float, float],
    engine: str,
    *,
    apart: bool,
) -> float:
    """Calibrated speed of a user [1/s] of one way, with the losses of its engine.

    Args:
        chip: Name of a system.
        workload: What is served.
        kind: Which speed, `SERVED` or `POOL`.
        way: Ranks, ranks over which experts are spread, and users of an instance.
        engine: An engine; a typical one stands for those that were not measured.
        apart: Whether each rank attends to users of its own.
    """
    losses = calibration().fitted(engine, chip_family(chip))
    attention = ll.DataParallel() if apart else ll.CopiedHeads()
    asked = asked_of(chip, workload, attention, ll.Assumptions(calibration=losses))
    return float(_speed(asked, jnp.asarray(way), kind))
