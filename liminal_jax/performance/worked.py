"""A step with the energy that it takes: of decode, of chunks of prompts, or of both."""

import equinox as eqx

from liminal_jax._arrays import Leaf, Scalar, as_leaf
from liminal_jax._show import Shown
from liminal_jax.performance.design import Assumptions, Design
from liminal_jax.performance.passed import Step, passed
from liminal_jax.performance.power import chip_activity, power_shares
from liminal_jax.performance.prediction import Prediction
from liminal_jax.performance.reading import as_read
from liminal_jax.workload.chunk import Prompts
from liminal_jax.workload.model import Model
from liminal_jax.workload.request import Request


class Worked(Shown):
    """A step of an instance, and its energy; steps can be added up.

    Attributes:
        step: Times [s].
        energy: IT energy of the instance [J].
        chip_energy: Energy of one chip [J].
    """

    step: Step
    energy: Leaf = eqx.field(converter=as_leaf)
    chip_energy: Leaf = eqx.field(converter=as_leaf)

    @property
    def time(self) -> Scalar:
        """Time of the step [s]."""
        return self.step.time

    @property
    def power(self) -> Scalar:
        """Mean IT power of the instance [W]."""
        return self.energy / self.time

    @property
    def chip_power(self) -> Scalar:
        """Mean power of one chip [W]."""
        return self.chip_energy / self.time


def worked(
    design: Design,
    model: Model,
    request: Request,
    prompts: Prompts | None,
    assumptions: Assumptions,
) -> Worked:
    """A step with its energy.

    Args:
        design: The design, memories filled; its batch are the users that decode.
        model: The model.
        request: Context and precision.
        prompts: Chunks of prompts that pass too, if any.
        assumptions: Which laws are used.
    """
    reading = as_read(design, model, prompts)
    step, work, communicated = passed(reading, model, request, prompts, assumptions)
    activity = chip_activity(work, reading, request, step.time, *communicated)
    return Worked(
        step=step,
        energy=power_shares(design, activity, assumptions).total() * step.time,
        chip_energy=design.system.chip.power.power(activity) * step.time,
    )


def decoded(prediction: Prediction) -> Worked:
    """The step of a prediction, which decodes."""
    it = prediction
    step = Step(it.step_time, it.compute_time, it.memory_time, it.exposed_time)
    return Worked(step, it.power.total() * it.step_time, it.chip_power * it.step_time)
