"""What a calibration says of a design, under the ideal prediction."""

from rich.console import Group, RenderableType
from rich.text import Text

from liminal_jax._display import plain, with_prefix
from liminal_jax.study.calibrated import CalibratedStep


def calibrated_step_view(it: CalibratedStep) -> RenderableType:
    """Calibrated speed with its interval, and whom it speaks of."""
    engine = it.engine or "a typical engine"
    chip = f"chips of the {it.family} family" if it.family else "chips that were not measured"
    return Group(
        "",
        Text.assemble(
            ("calibrated ", "bold"),
            f"UTPS {plain(1 / it.step_time, 4)} tokens/s a user, 90 % interval"
            f" {plain(1 / it.high, 3)} to {plain(1 / it.low, 3)}    ",
            f"STPS {plain(it.stps, 4)}    step {with_prefix(it.step_time, 's')}",
            "" if it.ttft is None else f"    first token after {with_prefix(it.ttft, 's')}",
        ),
        Text(
            f"  {it.calibration}: {engine} on {chip}, {it.attention}; the other numbers above"
            " are of the bound"
        ),
    )
