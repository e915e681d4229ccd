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
    """

    read: Callable[[Fields], Table]
    architecture: str
    tied: bool = False


class Wrapper(NamedTuple):
    """A multimodal config that holds a text config.

    Attributes:
        architecture: Name of the model class.
        texts: The text families it may hold; the first where it does not say.
    """

    architecture: str
    texts: tuple[str, ...]
