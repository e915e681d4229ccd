"""Tables of facts: every mistake in them is told with its file and line."""

import pytest
from pydantic import BaseModel

from liminal_jax._files import InputError
from liminal_jax.data.tables import Grade, read_table


class Fact(BaseModel, extra="forbid", frozen=True):
    name: str
    size: float | None = None
    grade: Grade


HEAD = "name,size,grade\n"


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "facts.csv"
        path.write_text(text)
        return path

    return write


def test_a_line_is_a_record_and_an_empty_cell_is_left_out(table):
    facts = read_table(table(HEAD + '"one, two",1.5,A\nthree,,D\n'), Fact)
    assert facts == (
        Fact(name="one, two", size=1.5, grade="A"),
        Fact(name="three", grade="D"),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "one,big,A\n", "facts.csv: line 2: size: "),
        (HEAD + "one,1,A\ntwo,1,E\n", "facts.csv: line 3: grade: "),
        (HEAD + ",1,A\n", "facts.csv: line 2: name: is required"),
        (HEAD + "one,1,A,more\n", "facts.csv: line 2: has more cells than there are columns"),
        ("name,sise,grade\n", "facts.csv: size: is a missing column; did you mean 'sise'?"),
        ("name,size,grade,why\none,1,A,so\n", "facts.csv: line 2: why: unknown field"),
        ("", "facts.csv: name: is a missing column"),
    ],
)
def test_mistakes_are_told_with_their_place(table, text, told):
    with pytest.raises(InputError) as error:
        read_table(table(text), Fact)
    assert any(line.startswith(told) for line in error.value.lines())


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        read_table(tmp_path / "none.csv", Fact)
