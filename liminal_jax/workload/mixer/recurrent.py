"""What mixers without a cache share: a state of one size takes the place of the tokens."""

from abc import abstractmethod

from typing_extensions import override

from liminal_jax._arrays import Scalar
from liminal_jax._smooth import AbstractRelaxation
from liminal_jax.workload.mixer.base import AbstractMixer, MixerSpec


class RecurrentSpec(MixerSpec):
    """A mixer that keeps a state and no tokens."""

    @override
    def cache_elements(self) -> int:
        return 0

    @override
    def growing_cache_elements(self) -> int:
        return 0


class AbstractRecurrent(AbstractMixer):
    """A mixer that keeps a state and no tokens: its work is the same for any context."""

    @abstractmethod
    def update_work(self) -> Scalar:
        """Tensor work of updating the state with one token and reading it out [FLOP]."""

    @abstractmethod
    def state(self) -> Scalar:
        """Elements of the state, which every token reads once and writes once."""

    @override
    def work(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del context, relaxation
        return self.update_work()

    def scores(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        """None: there is no softmax."""
        del context, relaxation
        return 0.0

    @override
    def cache(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del context, relaxation
        return 0.0

    @override
    def traffic(self, context: Scalar, relaxation: AbstractRelaxation) -> Scalar:
        del context, relaxation
        return 0.0

    def cache_heads(self) -> None:
        """None: there is no sequence to split."""
        return

    def output_width(self) -> Scalar:
        """None: no weighted sum is merged."""
        return 0.0

    def query_width(self) -> Scalar:
        """None: no cache is met."""
        return 0.0

    @override
    def basis(self) -> tuple[str, ...]:
        return (
            "Recurrent states are read and written once a token and divide ideally over heads and"
            " channels; their arithmetic runs at the rate of attention's.",
        )
