"""The design that a run found, predicted from its file beside the record."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from liminal_jax._files import InputError
from liminal_jax.results.page import Section
from liminal_jax.results.prediction import drawn, tables
from liminal_jax.study.file import load_design
from liminal_jax.study.predicted import predicted, record_of

PREDICTED = "predicted"
"""Where a prediction stands in the record on a page."""


def prediction_beside(record: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """A record with what `liminal predict -c` says of a design file.

    Args:
        record: The record of a run.
        file: A design file in its folder.

    Returns:
        The record as it is where the file is not there, or what it names is gone.
    """
    if not file.is_file():
        return dict(record)
    try:
        return {**record, PREDICTED: record_of(predicted(load_design(str(file))))}
    except InputError:
        return dict(record)


def predicted_pictures(record: Mapping[str, Any]) -> tuple[Section, ...]:
    """The design that was predicted in pictures; nothing where none was.

    Args:
        record: The record, with its prediction.
    """
    return drawn(record[PREDICTED]) if PREDICTED in record else ()


def predicted_tables(record: Mapping[str, Any], which: str) -> tuple[Section, ...]:
    """Its numbers; nothing where none was predicted.

    Args:
        record: The record, with its prediction.
        which: Which design that is.
    """
    if PREDICTED not in record:
        return ()
    return tables(record[PREDICTED], f"{PREDICTED}.", f"one instance of {which}")


def predicted_sections(record: Mapping[str, Any], which: str) -> tuple[Section, ...]:
    """Both.

    Args:
        record: The record, with its prediction.
        which: Which design that is.
    """
    return (*predicted_pictures(record), *predicted_tables(record, which))
