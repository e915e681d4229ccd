from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict

from liminal_jax._files import InputError
from liminal_jax.data.numbers import (
    FRACTION,
    GIVEN_SOURCE,
    KNOWN,
    NOT_NEGATIVE,
    POSITIVE,
    Number,
    Quantity,
)
from liminal_jax.data.validation import validated


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bandwidth: Annotated[Number, Quantity("B/s"), POSITIVE]
    capacity: Annotated[Number, Quantity("B"), POSITIVE, KNOWN] | None = None
    shoreline: Annotated[Number, Quantity("m"), NOT_NEGATIVE] | None = None
    share: Annotated[Number, Quantity(""), FRACTION] | None = None


def row(**changes):
    plain = {"value": 3.35, "unit": "TB/s", "source": "s", "kind": "datasheet"}
    return {key: value for key, value in (plain | changes).items() if value is not None}


def bandwidth_of(value):
    return validated(Part, {"bandwidth": value}, "part.toml").bandwidth


def complaint(**fields):
    with pytest.raises(InputError) as caught:
        validated(Part, {"bandwidth": "1 B/s"} | fields, "part.toml")
    return str(caught.value)


def test_a_row_is_put_into_si_with_its_range_and_keeps_what_its_source_prints():
    number = bandwidth_of(row(low=3, high=3.6, at="p. 1", note="n"))
    assert (number.value, number.low, number.high) == (3.35e12, 3e12, 3.6e12)
    assert (number.printed, number.unit) == ("3.35 TB/s", "TB/s")
    assert (number.source, number.kind, number.at, number.note) == ("s", "datasheet", "p. 1", "n")


@pytest.mark.parametrize(
    ("given", "value", "printed"),
    [("8 TB/s", 8e12, "8 TB/s"), (8e12, 8e12, "8e+12 B/s"), (5, 5.0, "5 B/s")],
)
def test_a_user_may_give_a_quantity_or_an_si_number(given, value, printed):
    number = bandwidth_of(given)
    assert number.value == value
    assert (number.printed, number.source, number.kind) == (printed, GIVEN_SOURCE, "given")


def test_an_unknown_number_has_a_reason_and_no_value():
    number = bandwidth_of({"unknown": "not published"})
    assert number.value is None
    assert (number.kind, number.unknown) == ("unknown", "not published")


def test_a_number_stays_itself_when_it_is_passed_on_or_dumped():
    number = bandwidth_of(row())
    part = Part(bandwidth=number)
    assert part.bandwidth is number
    assert part.model_dump()["bandwidth"]["value"] == 3.35e12


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (row(unit="GB"), "part.toml: bandwidth: 'GB' where a quantity in B/s is wanted"),
        ("8 TB", "part.toml: bandwidth: 'TB' where a quantity in B/s is wanted"),
        (row(unit="TBps"), "unknown unit"),
        ("fast", "is not a number with a unit"),
        (row(value=-1), "bandwidth: must be above zero, not -1 TB/s"),
        (0, "bandwidth: must be above zero, not 0 B/s"),
        (row(source=None), "needs value, source and kind; source missing"),
        (row(value=None, kind=None), "value and kind missing"),
        (row(kind="guess"), "bandwidth.kind: must be"),
        (row(kind="assumed"), "of kind 'assumed' needs a note"),
        (row(sorce="s"), "bandwidth.sorce: unknown field; did you mean 'source'?"),
        (row(value="3.35"), "bandwidth.value: must be a number"),
        (row(value=True), "bandwidth.value: must be a number"),
        (row(low=4), "3.35 lies outside its range, 4 to 3.35"),
        (row(high=3), "3.35 lies outside its range, 3.35 to 3"),
        ({"unknown": "why", "value": 1.0}, "an unknown number has a reason only"),
        ({"unknown": ""}, "bandwidth.unknown"),
        (True, "bandwidth: must be a table"),
    ],
)
def test_a_mistake_in_a_number_is_named_with_its_place_and_remedy(value, words):
    assert words in complaint(bandwidth=value)


def test_zero_shares_and_unknowns_are_allowed_where_they_make_sense_only():
    assert validated(Part, {"bandwidth": 1, "shoreline": 0}, "f").shoreline is not None
    assert "must not be below zero, not -1 mm" in complaint(shoreline="-1 mm")
    assert "must lie between 0 and 1, not at 1.5" in complaint(share=1.5)
    assert "may not be unknown (secret)" in complaint(capacity={"unknown": "secret"})
