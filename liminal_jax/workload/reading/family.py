"""How a family of models is announced to the reader."""

from collections.abc import Callable
from typing import NamedTuple

from liminal_jax.workload.reading.fields import Fields
from liminal_jax.workload.reading.parts import Table


class Family(NamedTuple):
    """How a text model is read.

    Attributes:
        read: From the fields to the table of the model.
        architecture: Name of the model class that the rules are for.
        tied: Whether the head is the embedding where the config does not say.
        also: Further model classes with the same rules, under other names.
        shares_its_name_with: A family that was first published under the same name, and is told
            from this one by its architecture.
    """

    read: Callable[[Fields], Table]
    architecture: str
    tied: bool = False
    also: tuple[str, ...] = ()
    shares_its_name_with: str = ""

    def architectures(self) -> tuple[str, ...]:
        """All model classes that the rules are for."""
        return (self.architecture, *self.also)


class Wrapper(NamedTuple):
    """A multimodal config that holds a text config.

    Attributes:
        architecture: Name of the model class.
        texts: The text families it may hold, the first where it does not say or where text
            fields stand beside the others; any where none is named.
        also: Further model classes, under other names.
    """

    architecture: str
    texts: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def architectures(self) -> tuple[str, ...]:
        """All model classes that wrap in this way."""
        return (self.architecture, *self.also)
