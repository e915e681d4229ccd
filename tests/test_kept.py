"""Programs that are kept between processes."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from liminal_jax import _kept
from liminal_jax._kept import kept
from liminal_jax.mapping.degrees import Mapping

TRACED = []


def doubled(mapping, factor):
    """What a program computes; it tells when it is traced."""
    TRACED.append(factor)
    return {"mapping": jax.tree.map(lambda it: it * factor, mapping), "said": "twice"}


@pytest.fixture
def folder(tmp_path):
    """A compilation cache of its own."""
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    TRACED.clear()
    yield tmp_path / _kept.FOLDER
    jax.config.update("jax_compilation_cache_dir", before)


def test_another_process_does_not_trace(folder):
    first = kept(doubled)(Mapping(tp=8), 2.0)
    # Another wrapper remembers nothing of the first, as another process does not.
    second = kept(doubled)(Mapping(tp=4), 2.0)
    assert TRACED == [2.0]
    assert len(list(folder.iterdir())) == 1
    assert type(second["mapping"]) is Mapping
    assert float(first["mapping"].tp) == 16
    assert float(second["mapping"].tp) == 8
    assert second["said"] == "twice"


@pytest.mark.usefixtures("folder")
def test_other_structures_and_constants_are_other_programs():
    kept(doubled)(Mapping(tp=8), 2.0)
    assert float(kept(doubled)(Mapping(tp=8), 3.0)["mapping"].tp) == 24
    grid = kept(doubled)(Mapping(tp=jnp.arange(3.0)), 2.0)
    np.testing.assert_array_equal(grid["mapping"].tp, [0.0, 2.0, 4.0])
    assert TRACED == [2.0, 3.0, 2.0]


@pytest.mark.parametrize("spoil", [b"", b"not a program"])
def test_a_spoilt_file_is_compiled_again(folder, spoil):
    kept(doubled)(Mapping(tp=8), 2.0)
    (file,) = folder.iterdir()
    whole = file.stat().st_size
    file.write_bytes(spoil)
    assert float(kept(doubled)(Mapping(tp=8), 2.0)["mapping"].tp) == 16
    assert TRACED == [2.0, 2.0]
    (file,) = folder.iterdir()
    assert file.stat().st_size > whole / 2


@pytest.mark.usefixtures("folder")
def test_a_changed_package_is_compiled_again(monkeypatch):
    kept(doubled)(Mapping(tp=8), 2.0)
    monkeypatch.setattr(_kept, "_code", lambda: b"changed")
    kept(doubled)(Mapping(tp=8), 2.0)
    assert TRACED == [2.0, 2.0]


def test_the_oldest_go(folder, monkeypatch):
    monkeypatch.setattr(_kept, "MOST", 2)
    for factor in (2.0, 3.0, 4.0):
        kept(doubled)(Mapping(tp=8), factor)
    kept(doubled)(Mapping(tp=8), 4.0)
    assert TRACED == [2.0, 3.0, 4.0]
    assert len(list(folder.iterdir())) == 2


def test_it_can_be_differentiated_and_works_without_a_cache(folder):
    jax.config.update("jax_compilation_cache_dir", None)
    slope = jax.grad(lambda tp: kept(doubled)(Mapping(tp=tp), 2.0)["mapping"].tp)(8.0)
    assert float(slope) == 2.0
    assert float(kept(doubled)(Mapping(tp=8), 2.0)["mapping"].tp) == 16
    assert not folder.exists()


def test_a_local_function_among_arguments_is_not_kept(folder):
    def local(mapping, function):
        return function(mapping.tp)

    assert float(kept(local)(Mapping(tp=8), lambda tp: tp + 1)) == 9
    assert not folder.exists()


SEVERAL = """
import sys
import os
import subprocess
import sys
from pathlib import Path

import jax
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
from liminal_jax._kept import kept
from liminal_jax.mapping.degrees import Mapping
from tests.test_kept import TRACED, doubled
far = jax.device_put(Mapping(tp=4.0), jax.devices()[1])
values = [float(kept(doubled)(it, 2.0)["mapping"].tp) for it in (Mapping(tp=8), Mapping(tp=8), far)]
print(jax.device_count(), values, len(TRACED))
"""


def test_a_program_is_for_one_device_of_several(tmp_path):
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    run = subprocess.run(
        [sys.executable, "-c", SEVERAL, str(tmp_path)],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, **flags},
        capture_output=True,
        text=True,
        check=False,
    )
    # The second is loaded; the third lies on another device, and is compiled there.
    assert run.stdout.strip() == "2 [16.0, 16.0, 8.0] 2", run.stderr
