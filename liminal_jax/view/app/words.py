"""What the page says of what is open."""

from liminal_jax.study.file import DesignFile
from liminal_jax.view.app.base import Numbers
from liminal_jax.view.app.opened import Opened
from liminal_jax.view.app.scene import dragged_mapping


def heading(opened: Opened, numbers: Numbers) -> str:
    """What is computed on what, in one line."""
    mapping = dragged_mapping(opened.scene.mapping, numbers.chips)
    degrees = [
        f"{name.upper()}{degree:g}"
        for name in ("tp", "cp", "pp", "ep")
        if (degree := float(getattr(mapping, name))) > 1
    ]
    work, chips = opened.file.workload, float(numbers.chips)
    users, context = float(numbers.batch * mapping.pp), float(numbers.context)
    return (
        f"{work.model} on {chips:g} x {_hardware_name(opened.file)} {' '.join(degrees)}".rstrip()
        + f": {users:,.0f} user{'s' if users != 1 else ''}, context {context:,.0f},"
        f" {work.weight_bits:g}-bit weights, {work.kv_bits:g}-bit KV, accounting {work.accounting}"
    )


def notes(opened: Opened, numbers: Numbers) -> tuple[str, ...]:
    """What is to be known of what is computed."""
    mapping = dragged_mapping(opened.scene.mapping, numbers.chips)
    alone = float(mapping.chips()) == 1
    unused = "One chip has no collectives: their latency changes nothing."
    return (*opened.notes, *([unused] if alone else []))


def _hardware_name(file: DesignFile) -> str:
    """The hardware of a design in a few words."""
    design = file.design
    if design.system is not None:
        return design.system.names[0]
    memories = [names.names[0] for names in (design.memory, design.tier) if names is not None]
    return f"planned {' and '.join(memories)} chip"
