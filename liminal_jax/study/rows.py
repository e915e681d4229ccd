"""The rows of data files behind the hardware of a region: what of its numbers has a range."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from pydantic import BaseModel

from liminal_jax.hardware.planned import PlannedSystem
from liminal_jax.hardware.system import System


class AbstractRows(ABC):
    """The data files that hardware is made from, and how it is made from them."""

    @abstractmethod
    def files(self, categories: Sequence[str]) -> BaseModel:
        """The files behind some alternatives.

        Args:
            categories: Their names.
        """

    @abstractmethod
    def hardware(self, files: BaseModel, categories: Sequence[str]) -> PlannedSystem | System:
        """The hardware of some alternatives, with a row for each in every number that differs.

        Args:
            files: What `files` gives, or the same with other values.
            categories: Names of the alternatives.
        """
