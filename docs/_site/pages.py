"""The site: pages of this folder, pages that stand elsewhere, and pages that follow from the code.

mkdocs calls the functions whose names begin with `on_`. A link may lead anywhere in the repository,
as a host of repositories shows it: where that is no page yet, the file becomes one.
"""

import csv
import re
from functools import cache
from posixpath import dirname, join, normpath, relpath
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from code_pages import command_page, other_laws, reference_pages
from data_pages import data_pages
from drawn import with_pictures
from equations import rendered
from notebook_pages import notebook_pages
from symbols import MARK, symbols
from written import ROOT, block, table

PAGES = {
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "experiments/CLAIMS.md": "claims.md",
    "experiments/README.md": "experiments.md",
    "liminal_jax/data/studies/README.md": "studies.md",
    "liminal_jax/fit/README.md": "calibration.md",
    "liminal_jax/optimization/README.md": "search.md",
    "liminal_jax/sweeps/README.md": "sweeps.md",
    "liminal_jax/workload/mixer/README.md": "attention.md",
}
"""Pages that stand beside what they explain, and where the site has them."""

PICTURES = (".png", ".svg")

_LINK = re.compile(r"\[([^][]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")

_OUTSIDE = re.compile(r"(?:src|srcset|href)=\"?(?:https?:)?//[^\" >]+")

_LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*>")


@cache
def added() -> dict[str, str]:
    """Pages that stand elsewhere, and pages that follow from the code."""
    elsewhere = {site: (ROOT / it).read_text("utf-8") for it, site in PAGES.items()}
    derived = {**data_pages(), **reference_pages(), **notebook_pages(), **other_laws()}
    return {**elsewhere, **derived, "commands.md": command_page()}


def on_config(config: Any) -> Any:
    """Name the pages of a folder where the navigation says FOLDER/*."""
    for section in config.nav:
        for title, pages in section.items():
            section[title] = [it for page in pages for it in _named(page)]
    return config


def _named(page: Any) -> list[Any]:
    if not (isinstance(page, str) and page.endswith("/*")):
        return [page]
    folder = page.removesuffix("*")
    return [it for it in added() if it.startswith(folder) and it.count("/") == 1]


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that do not stand here, and the files that any page links to."""
    for target, content in added().items():
        _add(files, config, target, content)
    for page in files.documentation_pages():
        for linked in _LINK.findall(page.content_string):
            _add_linked(files, config, _place(page.src_uri, linked[1]))
    return files


def on_page_markdown(markdown: str, *, page: Any, files: Any, **_: Any) -> str:
    """Lead links to files of the repository to the pages that they have become."""

    def led(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        if "://" in target:
            return match[0]
        place = _place(page.file.src_uri, target)
        reached = _site_place(place)
        if files.get_file_from_path(reached) is None:
            return text if (ROOT / place).is_dir() else match[0]
        return f"[{text}]({relpath(reached, dirname(page.file.src_uri) or '.')}{anchor})"

    if page.file.src_uri.startswith("model/"):
        markdown = rendered(markdown)
    return with_pictures(_LINK.sub(led, markdown).replace(MARK, symbols()))


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Refuse a page that loads anything from a network when it is opened."""
    loaded = [it for tag in _LOADED.findall(output) for it in _OUTSIDE.findall(tag)]
    if loaded:
        raise PluginError(f"{page.file.src_uri} loads {loaded[0]} when it is opened")
    return output


def _add(files: Any, config: Any, target: str, content: str | bytes) -> None:
    files.append(File.generated(config, target, content=content))


def _place(page: str, target: str) -> str:
    """Where in the repository a link leads; an address elsewhere as it is."""
    origins = {site: origin for origin, site in PAGES.items()}
    return normpath(join(dirname(origins.get(page, f"docs/{page}")), target))


def _site_place(place: str) -> str:
    """Where the site has a file or folder of the repository."""
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    for page in (place, f"{place}/README.md"):
        if page in PAGES:
            return PAGES[page]
    if place == "README.md":
        return "index.md"
    if place.startswith("notebooks/"):
        return re.sub(r"\.\w+$", ".md", place) if "." in place else "notebooks/index.md"
    return f"source/{place}" if place.endswith(PICTURES) else f"source/{place}.md"


def _add_linked(files: Any, config: Any, place: str) -> None:
    """Add a picture, or a page with the text of a file."""
    reached, path = _site_place(place), ROOT / place
    if not (reached.startswith("source/") and path.is_file()) or files.get_file_from_path(reached):
        return
    if place.endswith(PICTURES):
        _add(files, config, reached, path.read_bytes())
    else:
        _add(files, config, reached, f"# `{place}`\n\n{_shown(path)}\n")


def _shown(path: Any) -> str:
    """The text of a file, as a table where it is one."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        heading, *rows = csv.reader(text.splitlines())
        return table(heading, rows)
    return block(path.suffix.removeprefix("."), text)
