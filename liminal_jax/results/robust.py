"""The design that does best in many futures, beside the one that is best with nominal numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from liminal_jax._display import per_cent
from liminal_jax.results.beside import predicted_pictures, predicted_tables, prediction_beside
from liminal_jax.results.breaches import BREACHES, breach_rows
from liminal_jax.results.page import Cell, Line, Page, known, section, sentences, table
from liminal_jax.results.question import about, asked, asked_word, how_sure
from liminal_jax.results.values import amount, found_rows, named, share
from liminal_jax.results.words import asked_words

_TRIED = ("robust", "nominal")
"""Designs that are compared, by their keys in the record."""


def page(record: Mapping[str, Any]) -> Page:
    """The page of a robust design.

    Args:
        record: The object of `liminal optimize --robust --json`.
    """
    drawn = (
        f"{len(record['numbers'])} numbers with a range, drawn {record['samples']:,} times at once:"
        f" the limits have to hold in {per_cent(record['reliability'])} of these futures."
    )
    robust, nominal = record["robust"], record["nominal"]
    same = robust is not None and nominal is not None and robust["design"] == nominal["design"]
    sections = (
        section("what is left", sentences(_left(record))),
        *predicted_pictures(record),
        section(
            f"{asked_word(record)} in the futures",
            sentences(["The nominal optimum is the most robust design too."] if same else []),
            table(_compared(record), ("", *(it for it in _TRIED if record[it] is not None))),
        ),
        section("the price of robustness", table(_price(record))),
        *(
            section(
                f"limits that the {key} design breaks", table(breach_rows(record, key), BREACHES)
            )
            for key in (_TRIED[:1] if same else _TRIED)
            if record[key] is not None
        ),
        how_sure(record, *_sure(record)),
        *predicted_tables(record, "the robust design"),
        *(
            section(title, table(found_rows(record[key], f"{key}.")))
            for key, title in (
                ("robust", "what to build"),
                ("nominal", "what would be best with the nominal numbers"),
            )
            if record[key] is not None and not (same and key == "nominal")
        ),
    )
    return Page(record["name"], (*about(record), drawn), _answer(record), sections)


def whole(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The record with what the robust design does with the nominal numbers."""
    return prediction_beside(record, folder / "designs" / "robust.toml")


def _answer(record: Mapping[str, Any]) -> Line:
    if record["robust"] is None:
        return ("no design that was tried meets every limit in any of the futures",)
    return (
        f"{asked_words([record['objective']])} {record['measure_about']}: ",
        named(asked(record), "objective.value", record["objective"]["value"]),
        ", limits held in ",
        share("robust.meets", record["robust"]["meets"]),
        " of the futures",
    )


def _left(record: Mapping[str, Any]) -> Iterator[str]:
    if record["robust"] is not None and not record["feasible"]:
        yield "No design that was tried meets the limits so often; this one comes nearest."
    if record["nominal"] is None:
        yield "No design meets every limit with the nominal numbers."


def _compared(record: Mapping[str, Any]) -> Iterator[Line]:
    tried = [it for it in _TRIED if record[it] is not None]
    name = asked(record)

    def row(title: str, key: str) -> Line:
        return title, *(named(name, f"{it}.{key}", record[it][key]) for it in tried)

    def shares(title: str, key: str) -> Line:
        return title, *(share(f"{it}.{key}", record[it][key]) for it in tried)

    if tried:
        yield row(f"{record['measure_about']}, which was optimised", "measure")
        yield row("with the nominal numbers", "thought")
        yield row("mean of the futures", "mean")
        yield row("5 % of the futures", "low")
        yield row("95 %", "high")
        yield row("the worst", "worst")
        yield shares("futures in which it meets the limits", "meets")
        yield row(f"{record['measure_about']}, {record['fresh_samples']:,} fresh", "measure_fresh")
        yield shares(f"of {record['fresh_samples']:,} fresh futures it meets in", "meets_fresh")


def _price(record: Mapping[str, Any]) -> Iterator[Line]:
    if record["price"] is None:
        return
    yield "given up with the nominal numbers", share("price", record["price"])
    gained: Cell = "nothing to compare: it breaks the limits too often"
    if record["gain"] is not None:
        gained = share("gain", record["gain"])
    yield f"what the nominal optimum lacks {record['measure_about']}", gained


def _sure(record: Mapping[str, Any]) -> Iterator[Line]:
    it = record["certificate"]
    yield "proof that no design is more robust", "none: a local optimum of designs that were tried"
    yield "designs tried under every sample", amount("certificate.candidates", it["candidates"])
    within = known(f"{record['within']}", "within", record["within"])
    converged = known(f"{record['converged']}", "converged", record["converged"])
    yield f"of {record['starts']} relaxed starts ended within the limits", within
    yield "of these converged", converged
    name = asked(record)
    relaxed: Cell = "none ended within the limits"
    if record["relaxed"] is not None:
        relaxed = named(name, "relaxed", record["relaxed"])
    yield "relaxed optimum, on the soft model: no bound", relaxed
    yield "the best design that they snap to", named(name, "rounded", record["rounded"])
