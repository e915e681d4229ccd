from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from liminal_jax._files import InputError
from liminal_jax.data.validation import validated


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Colour(Enum):
    RED = "red"


class Round(Record):
    kind: Literal["round"] = "round"
    radius: Annotated[float, Field(gt=0)]


class Square(Record):
    kind: Literal["square"] = "square"
    side: Annotated[int, Field(ge=1, le=9)]


Shape = Annotated[Round | Square, Field(discriminator="kind")]


class Drawing(Record):
    title: str
    shapes: Annotated[
        tuple[Annotated[Round | Square, Field(discriminator="kind")], ...], Field(min_length=1)
    ]
    named: dict[str, Round] = {}
    colour: Colour = Colour.RED
    frame: Square | None = None


GOOD = {"title": "t", "shapes": [{"kind": "round", "radius": 1.5}]}


def test_lists_and_words_are_taken_for_tuples_and_enums():
    drawing = validated(Drawing, {**GOOD, "colour": "red"}, "d.toml")
    assert drawing.shapes == (Round(radius=1.5),)
    assert drawing.colour is Colour.RED


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"title": 3}, "d.toml: title: must be text, got 3"),
        ({"titel": "x"}, "d.toml: titel: unknown field; did you mean 'title'?"),
        ({"colour": "rad"}, "d.toml: colour: must be 'red', got \"rad\"; did you mean 'red'?"),
        ({"shapes": []}, "d.toml: shapes: must have at least 1 item, got 0"),
        ({"shapes": "x"}, 'd.toml: shapes: must be a list, got "x"'),
        ({"shapes": [{"kind": "round", "radius": 0}]},
         "d.toml: shapes.0.radius: must be greater than 0, got 0"),
        ({"shapes": [{"kind": "square", "side": 12}]},
         "d.toml: shapes.0.side: must be at most 9, got 12"),
        ({"shapes": [{"kind": "square", "side": 1, "sid": 2}]},
         "d.toml: shapes.0.sid: unknown field; did you mean 'side'?"),
        ({"shapes": [{"kind": "squar", "side": 1}]},
         "d.toml: shapes.0.kind: must be one of 'round', 'square', got \"squar\"; "
         "did you mean 'square'?"),
        ({"shapes": [{"side": 1}]},
         "d.toml: shapes.0.kind: is required: it says which kind of table this is"),
        ({"named": {"a": {"radios": 1.0, "radius": 2.0}}},
         "d.toml: named.a.radios: unknown field; did you mean 'radius'?"),
        ({"frame": {}}, "d.toml: frame.side: is required"),
        ({"frame": {"side": 1.5}}, "d.toml: frame.side: must be a whole number, got 1.5"),
    ],
)  # fmt: skip
def test_one_mistake(change, line):
    with pytest.raises(InputError) as caught:
        validated(Drawing, {**GOOD, **change}, "d.toml")
    assert caught.value.lines() == [line]


def test_all_mistakes_at_once():
    with pytest.raises(InputError) as caught:
        validated(Drawing, {"shapes": [{"kind": "round"}], "frame": 1}, "d.toml")
    assert [problem.path for problem in caught.value.problems] == [
        "title",
        "shapes.0.radius",
        "frame",
    ]
