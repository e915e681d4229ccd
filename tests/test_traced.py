"""Functions as lists of operations: evaluated as JAX evaluates them, and kept between processes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax import _kept, _traced
from liminal_jax._traced import listed, traced

TRACED = []


def scaled(numbers, factor):
    """What is kept; it tells when it is traced."""
    TRACED.append(factor)
    return {"scaled": numbers["row"] * factor, "sum": jnp.sum(numbers["row"])}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A compilation cache of its own, and no memory of what was traced."""
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    monkeypatch.setattr(_traced, "_TRACED", {})
    TRACED.clear()
    yield tmp_path / _kept.FOLDER
    jax.config.update("jax_compilation_cache_dir", before)


def elementwise(x, y, _):
    truth = (x > 0.5) & ~(y <= 1.0) | (x == y) | (x != y) & (x < y) | (x >= 2.0)
    powers = x**3 + x**1.5 + jnp.sqrt(y) - jnp.square(x)
    grown = jnp.exp(-x) * jnp.expm1(y) / jnp.log1p(x) + jnp.log(y) + jnp.arcsinh(x)
    cut = jnp.clip(jnp.ceil(x) - jnp.floor(y), -1.0, 4.0) + jnp.abs(x - y) * jnp.sign(x - y)
    smooth = jax.nn.sigmoid(x) + jax.scipy.special.erfinv(x / 10)
    return jnp.where(truth & jnp.isfinite(x), powers, grown) + cut + smooth


def moved(x, y, _):
    matrix = jnp.outer(x, y)
    first, *_ = jnp.split(matrix, 2, axis=1)
    one, other, *_ = x
    parts = [matrix.T[::-1].reshape(-1), jnp.stack([one, other]), jnp.pad(x, (2, 1)), first[:, 0]]
    return jnp.concatenate([*parts, jnp.expand_dims(y, 0)[0], jnp.arange(3.0)])


def folded(x, y, _):
    matrix = jnp.outer(x, y)
    whole = [matrix.max(axis=1), matrix.min(axis=0), matrix.sum(axis=1)]
    truths = [(matrix > 0).all(axis=0), (matrix > 4).any(axis=1), jnp.argmax(matrix, axis=0)]
    return jnp.concatenate([*whole, *(it.astype(float) for it in truths), jnp.ravel(matrix.sum())])


def placed(x, y, at):
    cut = jax.lax.dynamic_slice(x, (at,), (2,))
    return jnp.concatenate([cut, jax.lax.dynamic_update_slice(y, cut, (at,)), x.at[at].set(y[at])])


def looped(x, y, _):
    return jax.lax.fori_loop(0, 3, lambda _, it: it * y, x)


def sloped(x, y, at):
    """Derivatives bring primitives of their own."""

    def score(x, y):
        found = [jnp.sum(it(x, y, at)) for it in (elementwise, moved, folded, placed)]
        return jnp.stack([*found, x[at] * jnp.max(y)])

    values, pull = jax.vjp(score, x, y)
    return values, *jax.vmap(pull)(jnp.eye(len(values)))


def curved(x, y, at):
    """Second derivatives along a direction."""
    return jax.jvp(jax.grad(lambda x: jnp.sum(elementwise(x, y, at) ** 2)), (x,), (y,))


FUNCTIONS = (elementwise, moved, folded, placed, looped, sloped, curved)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("at", [0, 2, 3])
@pytest.mark.parametrize("known", [0, 1, 2])
def test_it_is_what_jax_finds(function, at, known):
    """However many arguments are given, and where a part would not fit in its place."""
    arguments = (np.array([0.3, 1.0, 2.5, 1.2]), np.array([1.5, 0.7, 2.5, 3.0]), np.asarray(at))
    evaluated = traced(function, *arguments).given(arguments[:known])
    exact = jax.tree.leaves(jax.jit(function)(*arguments))
    for one, other in zip(evaluated(*arguments[known:]), exact, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)
        assert one.dtype == other.dtype


def test_what_is_undefined_stays_so_without_a_warning():
    x, y = np.array([-1.0, 0.0, np.inf, np.nan]), np.array([0.0, -1.0, 1.0, 2.0])
    (found,) = traced(elementwise, x, y, 0).given(())(x, y)
    exact = elementwise(jnp.asarray(x), jnp.asarray(y), 0)
    np.testing.assert_allclose(found, exact, rtol=1e-13)


def test_the_same_is_done_once_and_what_is_not_needed_is_not_done():
    def function(x):
        jnp.exp(x)
        return jnp.sin(x) + jax.jit(jnp.sin)(x)

    names = [it.name for it in traced(function, np.ones(2)).equations]
    assert sorted(names) == ["add", "sin"]


def test_a_function_may_be_one_operation():
    @jax.jit
    def law(x):
        return jnp.exp(x) * 2

    trace = traced(lambda x: law(x) + 1, np.ones(()), whole=("law",))
    assert [it.name for it in trace.equations] == ["law", "add"]


def test_another_process_does_not_trace(folder, monkeypatch):
    numbers = {"row": np.arange(3.0)}
    first = traced(scaled, numbers, 2.0)
    monkeypatch.setattr(_traced, "_TRACED", {})
    second = traced(scaled, {"row": np.ones(3)}, 2.0)
    assert TRACED == [2.0]
    assert len(list(folder.iterdir())) == 1
    for trace in (first, second):
        doubled, total = trace.given(())(numbers["row"])
        np.testing.assert_array_equal(doubled, [0.0, 2.0, 4.0])
        assert total == 3.0


@pytest.mark.usefixtures("folder")
def test_other_structures_constants_types_and_code_are_traced_again(monkeypatch):
    traced(scaled, {"row": np.ones(3)}, 2.0)
    traced(scaled, {"row": np.ones(3)}, 3.0)
    traced(scaled, {"row": np.ones(4)}, 3.0)
    traced(scaled, {"row": np.ones(4, np.float32)}, 3.0)
    assert TRACED == [2.0, 3.0, 3.0, 3.0]
    monkeypatch.setattr(_traced, "_TRACED", {})
    monkeypatch.setattr(_kept, "_code", lambda: b"changed")
    traced(scaled, {"row": np.ones(3)}, 2.0)
    assert TRACED == [2.0, 3.0, 3.0, 3.0, 2.0]


def shifted(count):
    """Zeros of the precision that JAX has, with a whole number added."""
    return jnp.zeros(2) + count


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("double", [True, False])
def test_another_precision_within_a_process_is_traced_again(double):
    count = np.asarray(1, np.int32)
    for precise in (double, not double):
        with jax.enable_x64(precise):
            (found,) = traced(shifted, count).given(())(count)
            (kept,) = jax.tree.leaves(_kept.kept(shifted)(count))
        assert found.dtype == kept.dtype == (np.float64 if precise else np.float32)


@pytest.mark.parametrize("spoil", [b"", b"not a trace"])
def test_a_spoilt_file_is_traced_again(folder, monkeypatch, spoil):
    traced(scaled, {"row": np.ones(3)}, 2.0)
    (file,) = folder.iterdir()
    file.write_bytes(spoil)
    monkeypatch.setattr(_traced, "_TRACED", {})
    traced(scaled, {"row": np.ones(3)}, 2.0)
    assert TRACED == [2.0, 2.0]
    assert file.stat().st_size > 100


def test_what_depends_on_its_surroundings_is_not_kept(folder):
    for factor in (2.0, 3.0):
        (found,) = traced(lambda x, by=factor: x * by, np.ones(())).given(())(np.ones(()))
        assert found == factor
    assert not folder.exists()


def mine(numbers):
    """A function of a user, whose code may change from run to run."""
    return numbers * 2


def applied(function, numbers):
    return function(numbers)


def test_a_function_of_a_user_is_not_kept(folder):
    (found,) = traced(applied, mine, np.ones(())).given(())(np.ones(()))
    assert found == 2.0
    assert not folder.exists()


def test_a_loop_is_evaluated_by_jax_and_not_kept(folder):
    traced(looped, np.ones(2), np.ones(2), 0)
    assert not folder.exists()


def told(numbers, factor):
    """A result of which only a part is arrays."""
    return {"name": f"{factor:g} times", "rows": [scaled(numbers, factor)]}


def test_a_list_gives_what_the_function_does_in_this_process_and_the_next(folder, monkeypatch):
    numbers = {"row": jnp.arange(3.0)}
    for _ in range(2):
        found = listed(told)(numbers, 2.0)
        assert found["name"] == "2 times"
        assert isinstance(found["rows"][0]["scaled"], jax.Array)
        np.testing.assert_array_equal(found["rows"][0]["scaled"], [0.0, 2.0, 4.0])
        assert float(found["rows"][0]["sum"]) == 3.0
        monkeypatch.setattr(_traced, "_TRACED", {})
    assert TRACED == [2.0]
    assert len(list(folder.iterdir())) == 1


def test_a_list_within_a_trace_is_the_function():
    def total(row):
        return listed(told)({"row": row}, 3.0)["rows"][0]["scaled"].sum()

    np.testing.assert_array_equal(jax.grad(total)(jnp.arange(3.0)), [3.0, 3.0, 3.0])


def quantile(numbers):
    """A function for which NumPy has no counterpart."""
    return jax.scipy.special.erfinv(numbers["row"])


def ordered(numbers):
    """A function that only JAX computes."""
    return jnp.sort(numbers["row"])


@pytest.mark.parametrize("function", [quantile, ordered])
def test_a_list_of_known_numbers_is_evaluated_though_its_caller_is_traced(function):
    numbers = {"row": jnp.asarray([0.25, -0.5])}
    found = jax.jit(lambda: listed(function)(numbers))()
    np.testing.assert_allclose(found, function(numbers), rtol=1e-15)
