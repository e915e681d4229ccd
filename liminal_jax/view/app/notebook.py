"""The page itself, which `liminal app` serves with marimo; it computes nothing."""

import marimo

app = marimo.App(width="full", app_title="liminal")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from liminal_jax import _files as files
    from liminal_jax.data.catalogue import system_names
    from liminal_jax.data.models import model_names
    from liminal_jax.view.app import drawings, opened, scene, sliders, words

    return drawings, files, mo, model_names, opened, scene, sliders, system_names, words


@app.cell(hide_code=True)
def _(mo, model_names, system_names):
    _asked = {name: str(mo.cli_args().get(name) or "") for name in ("model", "system", "run")}

    def _listed(name, known):
        """A list of what is bundled; it shows nothing where a file was asked for."""
        value = _asked[name] if _asked[name] in known else None
        return mo.ui.dropdown(known, value=value, label=name, searchable=True, full_width=True)

    def _typed(name, known, label, placeholder):
        value = "" if _asked[name] in known else _asked[name]
        return mo.ui.text(value=value, label=label, placeholder=placeholder, full_width=True)

    choices = mo.ui.dictionary(
        {
            "model": _listed("model", model_names()),
            "model_file": _typed("model", model_names(), "or a file", "config.json, mine.toml"),
            "system": _listed("system", list(system_names())),
            "system_file": _typed("system", system_names(), "or a file", "mychip.toml"),
            "run": _typed("run", (), "or a saved run or design", "runs/NAME-1"),
        }
    )
    efficiency = mo.ui.dropdown(["a chip", "a kilowatt", "a dollar"], "a chip", label="front for")
    back = mo.ui.button(label="back to where it began")
    return back, choices, efficiency


@app.cell(hide_code=True)
def _(choices, files, opened):
    try:
        design, refusal = opened.chosen(choices.value), ""
    except files.InputError as _error:
        design, refusal = None, "\n".join(_error.lines())
    return design, refusal


@app.cell(hide_code=True)
def _(back, choices, design, efficiency, mo, scene, sliders):
    _ = back.value
    known = () if design is None else sliders.sliders_of(design)
    handles = mo.ui.dictionary(
        {
            it.name: mo.ui.slider(
                steps=list(it.shown),
                value=it.shown[it.start],
                label=it.label,
                show_value=True,
                full_width=True,
            )
            for it in known
        }
    )
    start = None if design is None else scene.pictured(design.scene, design.start)
    mo.sidebar(
        [*choices.elements.values(), mo.md("---"), *handles.elements.values(), efficiency, back],
        width="21rem",
    )
    return handles, known, start


@app.cell(hide_code=True)
def _(design, drawings, efficiency, handles, known, mo, refusal, scene, sliders, start, words):
    if design is None:
        _html = drawings.refused(refusal)
    else:
        _numbers = sliders.numbers_of(design.start, known, handles.value)
        _picture = scene.pictured(design.scene, _numbers)
        _heading = words.heading(design, _numbers)
        _notes = words.notes(design, _numbers)
        _html = drawings.page(_picture, start, efficiency.value, _heading, _notes)
    mo.Html(_html)
    return


if __name__ == "__main__":
    app.run()
