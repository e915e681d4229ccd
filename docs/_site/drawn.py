"""Pictures of how a search runs, and of bundled systems.

Systems are drawn from their numbers as commands, notebooks and reports do.
"""

import re
from collections.abc import Mapping

from liminal_jax.data.build import system_of
from liminal_jax.data.library import library_of
from liminal_jax.data.parts import load_facility_file
from liminal_jax.drawing.figures import figures
from liminal_jax.drawing.svg import Sheet, side_by_side
from liminal_jax.study.anatomy import system_record
from search_drawn import search_sheet

_MARK = re.compile(r"<!-- drawn: (\S+) -->")


def with_pictures(markdown: str) -> str:
    """A page with the pictures of a system or of `search` where it says `<!-- drawn: NAME -->`."""
    return _MARK.sub(lambda it: _html(_sheets(it[1])), markdown)


def package(name: str) -> str:
    """The package of a system as HTML."""
    return _html({"package": _sheets(name)["package"]})


def _sheets(name: str) -> dict[str, Sheet]:
    if name == "search":
        return {name: search_sheet()}
    library = library_of([name], load_facility_file())
    return figures(system_record(system_of(library, name), library.system[name], library))


def _html(sheets: Mapping[str, Sheet]) -> str:
    return side_by_side(it.svg() for it in sheets.values())
