"""A calibration: from the ideal step to the one that an engine reaches. Ideal is the identity."""

from abc import abstractmethod
from collections.abc import Callable

import equinox as eqx
from typing_extensions import override

from liminal_jax._arrays import Scalar
from liminal_jax.calibration.terms import Terms


class AbstractCalibration(eqx.Module):
    """Losses of an engine and a chip compared with the ideal bound."""

    @abstractmethod
    def step_time(self, ideal: Scalar, terms: Callable[[], Terms]) -> Scalar:
        """Time of one step [s].

        Args:
            ideal: The ideal bound [s].
            terms: What the step is made of; a function, so that the ideal one costs nothing more.
        """


class Ideal(AbstractCalibration):
    """Nothing is lost: the bound itself."""

    @override
    def step_time(self, ideal: Scalar, terms: Callable[[], Terms]) -> Scalar:
        del terms
        return ideal
