"""The symbols that laws share, as the package of laws lists them."""

import ast
import re

from mathematics import inline
from written import ROOT, table

MARK = "<!-- symbols -->"
"""Where a page has the table."""


def symbols() -> str:
    """The table of symbols."""
    source = (ROOT / "liminal_jax" / "laws" / "__init__.py").read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)) or ""
    rows = re.findall(r"^    (\S+) +(.+)$", text, re.MULTILINE)
    return table(["symbol", "what it is"], [[inline(name), about] for name, about in rows])
