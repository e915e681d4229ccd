"""The page of claims has every claim of the talk, with verdicts and figure of a saved run."""

import re

import pytest

from experiments import gallery

README = (gallery.HERE / "README.md").read_text("utf-8")
CLAIMS = gallery.claims(README)


def test_every_experiment_of_the_talk_has_a_section_with_its_figure():
    page = gallery.PAGE.read_text("utf-8")
    titles = [f"{it[0].upper()}{it[1:]}" for it in CLAIMS.values()]
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == titles
    shown = dict(re.findall(r"!\[.*\]\(figures/((\w+)\.png)\)", page))
    assert set(shown.values()) == set(CLAIMS)
    for file in shown:
        assert (gallery.HERE / "figures" / file).read_bytes().startswith(b"\x89PNG")


def test_sections_tell_what_was_saved():
    verdict = {"claim": "a|b", "verdict": "holds", "sentence": "it is so", "numbers": {}}
    origin = {"utc": "2026-11-30T08:00:00Z", "commit": "0123456789abcdef"}
    text = gallery.told("one", "all is well", {"verdicts": [verdict]}, origin)
    assert text.startswith("## All is well\n\n![all is well](figures/one.png)\n\n| claim |")
    assert "| a\\|b | holds | it is so |" in text
    assert "`liminal experiments run one`, 2026-11-30, commit 0123456789" in text


@pytest.mark.slow
def test_a_figure_is_drawn_from_a_saved_run(tmp_path, monkeypatch):
    from experiments import tensor_utilisation
    from experiments.runner import main

    run = tmp_path / "tensor_utilisation"
    assert main(tensor_utilisation.EXPERIMENT, ["--smoke", "-o", str(run)]) == 0
    monkeypatch.setattr(gallery, "HERE", tmp_path)
    monkeypatch.setattr(gallery, "PAGE", tmp_path / "CLAIMS.md")
    rows = (
        "| `tensor_utilisation` | used little |\n| `other` | is kept |\n| `third` | was never run |"
    )
    (tmp_path / "README.md").write_text(f"| experiment | claim |\n|---|---|\n{rows}\n\nmore")
    (tmp_path / "CLAIMS.md").write_text("# Claims\n\n## Is kept\n\nas it was\n\n## Gone\n\nthis\n")
    (tmp_path / "figures").mkdir()
    gallery.main(tmp_path)
    assert (tmp_path / "figures" / "tensor_utilisation.png").stat().st_size > 10_000
    found = gallery.sections((tmp_path / "CLAIMS.md").read_text())
    assert list(found) == ["Used little", "Is kept", "Was never run"]
    assert "figures/tensor_utilisation.png" in found["Used little"]
    assert found["Is kept"] == "## Is kept\n\nas it was\n"
    assert f"{gallery.NO_RUN} `third`" in found["Was never run"]
