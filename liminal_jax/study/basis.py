"""What a prediction rests on and what it leaves out, in sentences."""

from liminal_jax.data.hardware import SystemFile, load_system_file
from liminal_jax.data.numbers import Number
from liminal_jax.hardware.network import FittedLatency
from liminal_jax.study.assemble import Workload
from liminal_jax.study.file import DesignFile

_MODEL = (
    "Ideal bound: peak rates, balanced routing, perfect overlap of compute and memory, collectives"
    " exposed. Measured systems are slower."
)
_LEFT_OUT = "Left out: prefill, queueing, sampling, kernel launches, activations in memory."
_TALK = (
    "The talk's accounting: layers only, full-context KV, latent attention multiplied out, no"
    " scalar work."
)
_TALK_EXCHANGE = (
    "Collectives as in the talk: their counts and the latencies at 8 and 128 chips were fitted to"
    " its system table; the line between them is an assumption."
)
_ALPHA_BETA = (
    "Collectives: alpha-beta by topology, the latency of the system's file for each collective"
    " (each hop on a torus)."
)


def _unknown(label: str, number: Number, consequence: str) -> list[str]:
    if number.value is not None:
        return []
    return [f"{label} is unknown ({number.unknown}): {consequence}."]


def _system_sentences(file: SystemFile, bits: float) -> list[str]:
    chip = file.chip
    sentences = _unknown("The vector rate", chip.vector, "scalar work is left out")
    if chip.power is None:
        sentences += _unknown("The TDP", chip.tdp, "power and energy are null")
        sentences.append(
            "Power by activity: idle share, memory path and arithmetic, which together draw the TDP"
            " at full use."
        )
    else:
        sentences.append("Provisioned power, as in the LIMINAL paper: so much for each area.")
    if chip.cost.value is None:
        sentences.append(f"No manufacturing cost is published ({chip.cost.unknown}): it is")
        built = chip.dies and chip.process and chip.memory.stacks and chip.die_area.value
        sentences[-1] += (
            " estimated from die area, process and stacks."
            if built
            else " null, and so is capital."
        )
    wider = {8: chip.tensor_8bit, 4: chip.tensor_4bit}.get(round(bits))
    if wider is not None and wider.value is None:
        sentences.append(f"The chip has no known {bits:g}-bit rate: the next wider one is used.")
    return sentences


def basis(file: DesignFile, workload: Workload, network: object) -> list[str]:
    """Sentences about a prediction: the model, the numbers behind it, what is missing."""
    sentences = [_MODEL]
    if workload.accounting == "talk":
        sentences.append(_TALK)
    talk = isinstance(network, FittedLatency)
    sentences.append(_TALK_EXCHANGE if talk else _ALPHA_BETA)
    if talk:
        sentences.append("No network price or switch power is published for this system.")
    mixers = [it.attention for it in workload.model.layers if it.attention is not None]
    sentences += dict.fromkeys(sentence for mixer in mixers for sentence in mixer.basis())
    if file.design.system is not None:
        (name,) = file.design.system.names
        sentences += _system_sentences(load_system_file(name), file.workload.weight_bits)
    else:
        sentences.append(
            "A planned chip: area, power and cost follow from its process, memory and packaging"
            " files and from the assumptions of the design file."
        )
    return [*sentences, _LEFT_OUT]
