"""Pools as Python users hold them: a space of designs for each, and what they serve."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import jax

from liminal_jax._arrays import as_leaf
from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax.study.asked import Bound
from liminal_jax.study.domain import Grid, in_si
from liminal_jax.study.pools.file import serve_together
from liminal_jax.study.pools.problem import PoolsProblem
from liminal_jax.study.pools.quantities import QUANTITIES
from liminal_jax.study.pools.read import problem_of_regions, unjoined
from liminal_jax.study.pools.requests import SHARED, Pace, Requests
from liminal_jax.study.problem import Limit
from liminal_jax.study.region import Region, Variable
from liminal_jax.study.space import Space, with_precision
from liminal_jax.study.values import grid_of_values

SOURCE = "Pools"
"""What messages call them."""


class Pools:
    """Pools of different chips that serve the same requests.

    Attributes:
        pools: The designs of each pool, by what it does.
        isl: Tokens of a prompt.
        osl: Tokens of an answer.
        pace: Values of the rate, and of what attention and experts share where they are apart.
    """

    def __init__(
        self,
        pools: Mapping[str, Space],
        *,
        isl: int,
        osl: int,
        rate: Any,
        tpot: Any = None,
        micro_batches: Any = 1,
    ):
        """State the pools and what they serve.

        Args:
            pools: Designs of `prefill`, and of `decode` or both `attention` and `experts`; all with
                the same model, whole. The context of their requests follows from the lengths.
            isl: Tokens of a prompt.
            osl: Tokens of an answer.
            rate: Requests a second [1/s]; a value, or values.
            tpot: Time of a token where attention and experts are apart [s]; a value, or values.
            micro_batches: Micro-batches in flight between them; a value, or values.

        Raises:
            InputError: lengths below 1, pools that do not serve together, or what no network joins.
        """
        mistakes = [
            Mistake(name, f"must be at least 1, got {it}")
            for name, it in (("isl", isl), ("osl", osl))
            if not it >= 1
        ]
        try:
            serve_together(pools)
        except ValueError as error:
            mistakes.append(Mistake("pools", str(error)))
        if "attention" in pools and tpot is None:
            mistakes.append(Mistake("tpot", "is required with attention and experts apart"))
        mistakes += [
            Mistake(f"pools.{name}", "has alternatives of several structures; take some of them")
            for name, it in pools.items()
            if len(it.regions) > 1
        ]
        stated = {"rate": rate, "tpot": tpot, "micro_batches": micro_batches}
        self.pace: dict[str, Grid] = {}
        for name, it in stated.items():
            if it is None:
                continue
            try:
                self.pace[name] = grid_of_values(it, SHARED[name])
            except ValueError as error:
                mistakes.append(Mistake(name, str(error)))
        if len(pools) > 1:
            mistakes += [at for name, it in pools.items() for at in unjoined(name, it.regions[0])]
        if mistakes:
            raise InputError(SOURCE, mistakes)
        self.pools, self.isl, self.osl = dict(pools), isl, osl

    def problem(
        self,
        *,
        maximise: str | None = None,
        minimise: str | None = None,
        limits: Iterable[Any] = (),
    ) -> PoolsProblem:
        """The problem of an objective under limits, in float64.

        Raises:
            InputError: objectives or limits that pools do not have, or on the wrong side.
        """
        goal, mistakes = maximise or minimise or "", []
        if (maximise is None) == (minimise is None):
            mistakes.append(Mistake("", "give either maximise or minimise"))
        elif problem := _wrong(goal, more=maximise is not None):
            mistakes.append(Mistake("maximise" if maximise else "minimise", problem))
        found = []
        for it in limits:
            wrong = (
                _wrong(it.name, more=it.least)
                if isinstance(it, Bound)
                else f"must be at_most or at_least of a name, got {it!r}"
            )
            if wrong:
                mistakes.append(Mistake("limits", wrong))
                continue
            asked = QUANTITIES[it.name]
            bound = in_si(it.value, asked.unit)
            found.append(Limit(it.name, it.least, bound, asked.unit, asked.of))
        if mistakes:
            raise InputError(SOURCE, mistakes)
        with jax.enable_x64(True):
            first = {name: as_leaf(it.values[0]) for name, it in self.pace.items()}
            missing = {it: as_leaf(1.0) for it in Pace._fields if it not in first}
            free = tuple(name for name, it in self.pace.items() if it.free)
            requests = Requests(self.isl, self.osl, Pace(**first, **missing), free)
            shared = tuple(Variable(it, f"requests.{it}", self.pace[it]) for it in free)
            regions = {name: self._region(name) for name in self.pools}
            asked_for = goal, maximise is not None
            return problem_of_regions("pools", regions, requests, shared, asked_for, tuple(found))

    def _region(self, name: str) -> Region:
        """The designs of a pool, with the context of its requests."""
        (region,) = with_precision(self.pools[name]).regions
        context = self.isl if name == "prefill" else self.isl + self.osl / 2
        request = dataclasses.replace(
            region.case.request, context=as_leaf(context), isl=None, osl=None, prefix_hit_rate=None
        )
        return dataclasses.replace(region, case=dataclasses.replace(region.case, request=request))


def _wrong(name: str, *, more: bool) -> str:
    """What is wrong with a quantity on a side; nothing where it is right."""
    if name not in QUANTITIES:
        hint = did_you_mean(name, QUANTITIES) or f"; there are {', '.join(QUANTITIES)}"
        return f"pools have no quantity {name!r}{hint}"
    if QUANTITIES[name].more != more:
        return f"{name} is better where it is {'less' if more else 'more'}"
    return ""
