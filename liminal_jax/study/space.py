"""The space of designs that a user states in Python: a design of which some leaves are free."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from liminal_jax._arrays import as_leaf
from liminal_jax._display import in_units
from liminal_jax._files import InputError, did_you_mean
from liminal_jax._files import Problem as Mistake
from liminal_jax.data.build import load_model
from liminal_jax.mapping.attention import (
    ATTENTION_MAPPINGS,
    AbstractAttentionMapping,
    attention_name,
)
from liminal_jax.mapping.choice import AttentionChoice
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.study.absent import absent_paths
from liminal_jax.study.case import Case
from liminal_jax.study.chosen import (
    HARDWARE,
    LOADED,
    MEMORY,
    PROCESS,
    ChosenRows,
    Option,
    replaced,
    with_all,
    with_options,
)
from liminal_jax.study.domain import Grid
from liminal_jax.study.file import DesignFile
from liminal_jax.study.paths import found_path
from liminal_jax.study.quality import Quality
from liminal_jax.study.region import Region, Variable, paths_of
from liminal_jax.study.values import (
    Between,
    Choice,
    Spaced,
    grid_of_values,
    is_number,
    is_several,
)
from liminal_jax.study.variables import PATHS, names_of, stated_at
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request

_ABSENT = ("chips", "replicas", "mapping.shared_expert_ranks")
"""Numbers that a design may leave out, and a space state."""

_SHORT = {
    "memory": MEMORY,
    "process": PROCESS,
    "mapping.attention": "attention",
}


class Space:
    """Designs between which an optimiser chooses.

    Attributes:
        regions: Their grids, one for each structure that a choice of objects may have; each is
            compiled by itself, and one answer speaks of all.
    """

    def __init__(
        self,
        design: Design,
        free: Mapping[str, Any] | None = None,
        *,
        model: Model | str,
        request: Request | None = None,
        assumptions: Assumptions | None = None,
        chips: int | float | None = None,
        replicas: int | float | None = None,
        quality: Quality | None = None,
    ):
        """A design with all that goes with it, and what of it is free.

        Args:
            design: The design; its system may be planned.
            free: For each path the values that it may take: a sequence, `ll.grid`, `ll.between` or
                `ll.choice`. A path starts at the design or at what goes with it
                (`system.chip.memory.bandwidth`, `mapping.tp`, `batch`, `request.kv_bits`,
                `model.layers.0.count`, `chips`, `clock`); what is unambiguous may be left out, so
                that `tp` or `kv_bits` will do. A path that only some of the systems of a choice
                have is free in these.
            model: What is served, or its name.
            request: How; the context of 8,192 tokens by default.
            assumptions: Which laws are used.
            chips: Chips of the whole system; as many as its instances need where left out.
            replicas: Instances, where chips are not stated; one where left out.
            quality: What levers cost in quality, if `quality_loss` is limited.

        Raises:
            InputError: everything that is wrong with the paths and their values.
        """
        base = Case(
            system=design.system,
            mapping=design.mapping,
            batch=design.batch,
            model=load_model(model) if isinstance(model, str) else model,
            request=Request(context=8192) if request is None else request,
            assumptions=Assumptions() if assumptions is None else assumptions,
            placement=design.placement,
            algorithm=design.algorithm,
            chips=chips,
            replicas=replicas,
            quality=quality,
        )
        self.regions: tuple[Region, ...] = _regions(base, dict(free or {}))
        self.source: DesignFile | None = None

    @classmethod
    def of(cls, regions: Sequence[Region], source: DesignFile | None) -> "Space":
        """The space of some regions, and the file that they were read from."""
        space = cls.__new__(cls)
        space.regions, space.source = tuple(regions), source
        return space

    def only(self, *names: str) -> "Space":
        """The space with some of its alternatives.

        Raises:
            InputError: there is none of a name.
        """
        unknown = [it for it in names if it not in self.names]
        if unknown:
            message = f"there is no alternative {unknown[0]!r}; there are {', '.join(self.names)}"
            raise InputError("Space", [Mistake("only", message)])
        regions = [it.only(names) for it in self.regions if set(names) & set(it.categories)]
        return Space.of(regions, self.source)

    @property
    def size(self) -> int:
        """Designs in the space."""
        return sum(it.size for it in self.regions)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the alternatives."""
        return tuple(name for it in self.regions for name in it.categories)

    def __repr__(self) -> str:
        """What is free, and how many designs there are."""
        lines = [f"Space of {self.size:,} designs"]
        if len(self.names) > 1:
            lines.append(f"  {self.regions[0].kind}: {', '.join(self.names)}")
        seen = {it.name: it for at in self.regions for it in at.variables}
        lines += [f"  {name}: {_values_words(it.path, it.grid)}" for name, it in seen.items()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, in SI units."""
        variables = {it.name: list(it.grid.values) for at in self.regions for it in at.variables}
        return {"size": self.size, "alternatives": list(self.names), "variables": variables}


def value_words(path: str, value: float) -> str:
    """A value of a number of a case, in the unit that people use for it."""
    if path == PATHS["attention"]:
        return attention_name(value)
    unit = stated_at(path).dimension
    return in_units(value, unit) if unit else f"{value:g}"


def _values_words(path: str, grid: Grid) -> str:
    values = [value_words(path, it) for it in grid.values]
    shown = values if len(values) <= 8 else [*values[:2], "...", values[-1]]
    return f"{', '.join(shown)}" + (f" ({len(values)} values)" if len(values) > 8 else "")


def _regions(base: Case, free: dict[str, Any]) -> tuple[Region, ...]:
    mistakes: list[Mistake] = []
    choices, numbers = _split(base, free, mistakes)
    kinds: dict[Any, list[tuple[str, Case]]] = {}
    options: dict[str, tuple[Option, ...]] = {}
    for chosen in itertools.product(*choices.values()):
        case = with_options(base, chosen)
        name = ", ".join(it.name for it in chosen if it.name) or "design"
        options[name] = chosen
        kinds.setdefault(jax.tree.structure(case), []).append((name, case))
    named = [path for path, (first, *_) in choices.items() if first.name]
    kind = named[0].rpartition(".")[2] if len(named) == 1 else "choice"
    regions = [_region(kind, cases, numbers, mistakes) for cases in kinds.values()]
    known = {name for it in regions for name in it[1]}
    mistakes += [_unknown(name, kinds) for name in numbers if name not in known]
    if mistakes:
        raise InputError("Space", list(dict.fromkeys(mistakes)))
    return tuple(_with_rows(region, base, options, stated) for region, _, stated in regions)


def _with_rows(
    region: Region,
    base: Case,
    options: Mapping[str, tuple[Option, ...]],
    stated: Mapping[str, Grid],
) -> Region:
    """The region with the data files behind its hardware, if it takes any of it by name."""
    mine = {name: options[name] for name in region.categories}
    named = any(it.loaded and it.path in HARDWARE for them in mine.values() for it in them)
    return dataclasses.replace(region, rows=ChosenRows(base, mine, stated)) if named else region


def _unknown(written: str, kinds: Mapping[Any, list[tuple[str, Case]]]) -> Mistake:
    known = dict.fromkeys(
        path for ((_, case), *_) in kinds.values() for path in (*paths_of(case), *_absent(case))
    )
    try:
        found_path(written, known)
    except ValueError as error:
        return Mistake(written, str(error))
    return Mistake(written, "is a number of none of the alternatives")


def _split(
    base: Case, free: Mapping[str, Any], mistakes: list[Mistake]
) -> tuple[dict[str, list[Option]], dict[str, Any]]:
    """The choices of objects by path, and the values of numbers by what the user calls them."""
    choices: dict[str, list[Option]] = {}
    numbers: dict[str, Any] = {}
    for written, values in free.items():
        try:
            options = _options(base, written, values)
        except (InputError, ValueError, AttributeError) as error:
            lines = error.lines() if isinstance(error, InputError) else [str(error)]
            mistakes += [Mistake(written, line) for line in lines]
            continue
        if options is None:
            numbers[written] = values
        else:
            choices[options[0].path] = options
    return choices, numbers


def _options(base: Case, written: str, values: Any) -> list[Option] | None:
    """The objects of a choice; none where the values are numbers."""
    path = _SHORT.get(written, written)
    path = path.removeprefix("design.")
    spaced = isinstance(values, Spaced | Between)
    if spaced or (not isinstance(values, Choice) and _all_numbers(values)):
        return None
    if not isinstance(values, Choice):
        values = Choice({_name_of(it): it for it in (values if is_several(values) else [values])})
    if all(map(is_number, values.options.values())):
        return None
    if path == "attention":
        return [Option(path, "", _attention(values))]
    found = []
    for name, it in values.options.items():
        loaded = it if isinstance(it, str) else ""
        if loaded:
            if path not in LOADED:
                raise ValueError(
                    f"{it!r} is a name, and names stand for {', '.join(LOADED)}; give objects here"
                )
            it = LOADED[path](loaded)
        replaced(base, path, it)
        found.append(Option(path, name, it, loaded))
    return found


def _all_numbers(values: Any) -> bool:
    return all(map(is_number, values)) if is_several(values) else is_number(values)


def _name_of(it: Any) -> str:
    return it if isinstance(it, str) else type(it).__name__


def _attention(values: Choice) -> AttentionChoice:
    """Attention mappings by their places among all, whose numbers of ranks are the same."""
    names = tuple(ATTENTION_MAPPINGS)
    kinds = {kind: place for place, kind in enumerate(ATTENTION_MAPPINGS.values())}
    places, ranks = [], set()
    for it in values.options.values():
        if isinstance(it, str) and it in names:
            places.append(names.index(it))
        elif isinstance(it, AbstractAttentionMapping) and type(it) in kinds:
            places.append(kinds[type(it)])
            stated = getattr(it, "ranks", None)
            ranks.add(None if stated is None else float(stated))
        else:
            hint = did_you_mean(it, names) if isinstance(it, str) else ""
            raise ValueError(f"must be attention mappings ({', '.join(names)}), got {it!r}{hint}")
    if len(ranks) > 1:
        raise ValueError("mappings of one choice share their ranks; free attention_ranks instead")
    order = tuple(sorted(set(map(float, places))))
    return AttentionChoice(order, order[0], next(iter(ranks), None))


def _region(
    kind: str,
    named: list[tuple[str, Case]],
    numbers: Mapping[str, Any],
    mistakes: list[Mistake],
) -> tuple[Region, set[str], dict[str, Grid]]:
    """The grid of alternatives of one structure, which of the numbers it has, and their values."""
    cases = [case for _, case in named]
    first, known, variables = cases[0], set(), []
    stated: dict[str, Grid] = {}
    called: dict[str, str] = {}
    for written, values in numbers.items():
        try:
            path = found_path(written.removeprefix("design."), [*paths_of(first), *_absent(first)])
        except ValueError:
            continue
        known.add(written)
        called[path] = written
        try:
            stated[path] = _grid(path, values)
        except ValueError as error:
            mistakes.append(Mistake(written, str(error)))
    if first.attention is not None and len(first.attention.choices) > 1:
        stated["attention.place"] = Grid(first.attention.choices, logarithmic=False)
    case = jax.tree.map(_stacked, *(with_all(it, stated) for it in cases))
    names = names_of(case)
    fixed = {path: jnp.asarray(it.value) for path, it in stated.items() if not it.free}
    for path, grid in _ordered(stated).items():
        if grid.free:
            variables.append(Variable(names.get(path) or called[path], path, grid))
    region = Region(case, tuple(name for name, _ in named), tuple(variables), kind)
    return (region.with_numbers(fixed) if fixed else region), known, stated


def _absent(case: Case) -> tuple[str, ...]:
    """Numbers that a case may leave out; ranks that share attention where that is chosen."""
    ranks = () if case.attention is None else ("attention.ranks",)
    return (*_ABSENT, *ranks, *absent_paths(case))


def _ordered(stated: Mapping[str, Grid]) -> dict[str, Grid]:
    """Numbers with short names in their order, then the others."""
    order = [*PATHS.values()]
    places = {path: order.index(path) if path in order else len(order) for path in stated}
    return dict(sorted(stated.items(), key=lambda it: places[it[0]]))


def _stacked(*leaves: Any) -> Any:
    """One number where all alternatives have the same, else a row."""
    first = leaves[0]
    same = all(np.array_equal(first, it, equal_nan=True) for it in leaves[1:])
    return first if same else jnp.stack(leaves)


def _grid(path: str, values: Any) -> Grid:
    if isinstance(values, Choice):
        values = list(values.options.values())
    return grid_of_values(values, stated_at(path))


def with_precision(space: Space) -> Space:
    """The space with its numbers at the precision that JAX has now."""
    regions = [dataclasses.replace(it, case=jax.tree.map(as_leaf, it.case)) for it in space.regions]
    return Space.of(regions, space.source)
