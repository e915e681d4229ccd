"""The modules of a folder, and what they define: a new file is found without being named."""

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import TypeVar

Base = TypeVar("Base")


def modules(package: ModuleType) -> list[ModuleType]:
    """The modules of a package, imported, in alphabetical order.

    Examples:
        >>> from liminal_jax.workload import feedforward
        >>> [module.__name__.rpartition(".")[2] for module in modules(feedforward)][:2]
        ['base', 'dense']
    """
    names = sorted(entry.name for entry in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def concrete_classes(package: ModuleType, base: type[Base]) -> tuple[type[Base], ...]:
    """The classes that the modules of a package derive from `base` and that leave nothing open.

    Examples:
        >>> from liminal_jax.workload import feedforward
        >>> from liminal_jax.workload.feedforward.base import FeedForwardSpec
        >>> [found.__name__ for found in concrete_classes(feedforward, FeedForwardSpec)][:1]
        ['DenseFeedForward']
    """
    return tuple(
        member
        for module in modules(package)
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, base)
        and member.__module__ == module.__name__
        and not inspect.isabstract(member)
    )
