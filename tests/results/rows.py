"""What terminals and HTML show of a page, line by line."""

from html.parser import HTMLParser

from rich.console import Console

from liminal_jax.results.html import html
from liminal_jax.results.page import Page
from liminal_jax.results.terminal import terminal

WIDE = 10_000
"""Columns in which no row is broken."""


class _Rows(HTMLParser):
    """Headings, rows and sentences of the sections, in order."""

    def __init__(self):
        super().__init__()
        self.lines: list[str] = []
        self.inside, self.telling, self.drawn = False, False, 0

    def handle_starttag(self, tag, _):
        self.inside |= tag == "section"
        self.drawn += tag in ("figure", "script", "style")
        if self.inside and tag in ("h2", "tr", "p", "li"):
            self.lines.append("")
            self.telling = True
        if self.telling and tag in ("th", "td"):
            self.lines[-1] += " "

    def handle_endtag(self, tag):
        self.inside &= tag != "section"
        self.drawn -= tag in ("figure", "script", "style")
        self.telling &= tag not in ("h2", "tr", "p", "li")

    def handle_data(self, data):
        if self.telling and not self.drawn:
            self.lines[-1] += data


def _plain(lines: list[str]) -> list[str]:
    words = (" ".join(it.split()) for it in lines)
    return [it for it in words if it.strip("─ ")]


def html_lines(page: Page) -> list[str]:
    """What the sections of its HTML show, from top to bottom, without figures."""
    found = _Rows()
    found.feed(html(page, {}, {}))
    return _plain(found.lines)


def terminal_lines(page: Page) -> list[str]:
    """What a terminal shows of it below the answer, from top to bottom."""
    console = Console(width=WIDE, highlight=False)
    with console.capture() as captured:
        console.print(terminal(page))
    head = len(page.about) + 2
    return _plain(captured.get().splitlines())[head:]
