"""Pages that follow from the code: the public names of Python, and the commands."""

import ast
import contextlib
import io
from collections import defaultdict
from importlib import import_module

import liminal_jax
from liminal_jax.cli.main import COMMANDS, main
from written import ROOT, block, table

_STUB = ROOT / "liminal_jax" / "__init__.pyi"


def reference_pages() -> dict[str, str]:
    """One page for each package that public names are from, and one that lists them all."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in ast.parse(_STUB.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ImportFrom) and line.module is not None:
            package = line.module.split(".")[0].removeprefix("_")
            groups[package] += [(it.name, f"liminal_jax.{line.module}") for it in line.names]
    pages = {f"reference/{name}.md": _group_page(name, it) for name, it in groups.items()}
    rows = [
        [f"[`ll.{name}`]({package}.md#{module}.{name})", _first_sentence(module, name)]
        for package, names in groups.items()
        for name, module in names
    ]
    rows.sort(key=lambda row: row[0].lower())
    head = "# Public names\n\n    import liminal_jax as ll\n\n"
    return {"reference/index.md": head + table(["name", "what it is"], rows), **pages}


def other_laws() -> dict[str, str]:
    """A page of the laws that no page of the model names; none where all are named."""
    pages = (ROOT / "docs" / "model").glob("*.md")
    named = "".join(it.read_text(encoding="utf-8") for it in pages)
    laws = sorted(it.stem for it in (ROOT / "liminal_jax" / "laws").glob("[a-z]*.py"))
    lines = [f"::: liminal_jax.laws.{it}\n" for it in laws]
    others = [it for it in lines if it not in named]
    return {"model/others.md": "# Other laws\n\n" + "".join(others)} if others else {}


def _group_page(package: str, names: list[tuple[str, str]]) -> str:
    """The page of one package: what it is for, and its public names."""
    path = ROOT / "liminal_jax" / package / "__init__.py"
    about = ""
    if path.exists():
        about = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "") + "\n\n"
        about = about.split("\n\n")[0] + "\n\n"
    shown = [
        f"::: {module}.{name}\n    options:\n      heading: ll.{name}\n" for name, module in names
    ]
    return f"# {package}\n\n{about}" + "\n".join(shown)


def _first_sentence(module: str, name: str) -> str:
    """What a name is, in a line."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return (ast.get_docstring(node) or "").split("\n")[0]
    return ""


def command_page() -> str:
    """The help of every command, as it prints it."""
    parts = [f"# Commands of liminal {liminal_jax.__version__}\n", block("text", _help([]))]
    for name, command in COMMANDS.items():
        import_module(f"liminal_jax.cli.{command.module}")
        parts.append(f"## `liminal {name}`\n\n{block('text', _help(name.split()))}")
    return "\n\n".join(parts)


def _help(words: list[str]) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        main([*words, "--help"])
    return shown.getvalue()
