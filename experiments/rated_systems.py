"""Systems at their best, and as the best software known for their kind uses them."""

import equinox as eqx

import liminal_jax as ll
from liminal_jax._arrays import as_leaf
from liminal_jax.data.build import system_of
from liminal_jax.data.library import library_of
from liminal_jax.data.parts import load_execution_file, load_facility_file
from liminal_jax.data.ranges import uncertain_in, with_values
from liminal_jax.data.systems import load_system_file

COLLECTIVE = 4e-6
"""Time of a collective in a persistent kernel of GPUs, 3 to 5 us [s]: 2.3 to 3 of symmetric NCCL
kernels with no work around them (nccl-1940), below 3 on eight MI300X (Kog, second-hand), 4.8 of a
one-shot kernel on H100."""

RETICLE = 858e-6  # largest die that is printed at once [m2]; a larger one is a wafer


def kind_of(system: str) -> str:
    """`wafer`, `SRAM` or `GPU`, by the memory and the size of a system's chip.

    Examples:
        >>> kind_of("cerebras-wse-3"), kind_of("groq-lp30"), kind_of("b200")
        ('wafer', 'SRAM', 'GPU')
    """
    chip = load_system_file(system).chip
    if chip.memory.technology != "sram":
        return "GPU"
    return "wafer" if (chip.die_area.value or 0.0) > RETICLE else "SRAM"


def at_best(name: str) -> ll.System:
    """A system with each number at the better end of its range: less latency, more of all else."""
    files = library_of([name], load_facility_file())
    better = {
        it.path: it.low if "latency" in it.path or ".reach." in it.path else it.high
        for it in uncertain_in(files)
    }
    return system_of(with_values(files, better), name)


def near_ideal(name: str) -> ll.System:
    """A system as the best software known for its kind uses it."""
    kind = kind_of(name)
    execution = load_execution_file(f"near-ideal-{kind.lower()}")
    system = system_of(library_of([name], load_facility_file(), execution), name)
    if kind == "GPU" and isinstance(system.network, ll.Switched | ll.FullMesh):
        return eqx.tree_at(lambda it: it.network.latency, system, as_leaf(COLLECTIVE))
    return system
