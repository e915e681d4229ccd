"""The page itself, which `liminal app` serves with marimo; it computes nothing."""

import marimo

app = marimo.App(width="full", app_title="liminal")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from liminal_jax import _files as files
    from liminal_jax.data.catalogue import system_names
    from liminal_jax.data.models import model_names
    from liminal_jax.study.bundled import study_names
    from liminal_jax.view.app import drawings, judged, opened, optimised, scene, sliders, words

    return (
        drawings,
        files,
        judged,
        mo,
        model_names,
        opened,
        optimised,
        scene,
        sliders,
        study_names,
        system_names,
        words,
    )


@app.cell(hide_code=True)
def _(drawings, mo, model_names, study_names, system_names, words):
    _given = {**mo.cli_args().to_dict(), **mo.query_params().to_dict()}
    asked = {name: str(it) for name, it in _given.items()}
    _known = {"model": model_names(), "system": list(system_names()), "study": study_names()}

    def _listed(name):
        """A list of what is bundled; it shows nothing where a file was asked for."""
        value = asked.get(name)
        return mo.ui.dropdown(
            _known[name],
            value=value if value in _known[name] else None,
            label=name,
            searchable=True,
            full_width=True,
        )

    def _typed(name, label, placeholder, known=()):
        value = asked.get(name, "")
        return mo.ui.text(
            value="" if value in known else value,
            label=label,
            placeholder=placeholder,
            full_width=True,
        )

    choices = mo.ui.dictionary(
        {
            "model": _listed("model"),
            "model_file": _typed("model", "or a file", "config.json, mine.toml", _known["model"]),
            "system": _listed("system"),
            "system_file": _typed("system", "or a file", "mychip.toml", _known["system"]),
            "study": _listed("study"),
            "run": _typed("run", "or a saved run, design or study", "runs/NAME-1", study_names()),
        }
    )
    _front = list(drawings.EFFICIENCIES)
    _wanted = asked.get("front", _front[0])
    efficiency = mo.ui.dropdown(
        _front, _wanted if _wanted in _front else _front[0], label="front for"
    )
    back = mo.ui.run_button(label="back to where it began")
    search = mo.ui.run_button(label="optimise from here")
    found, set_found = mo.state(None)
    # The numbers of the address hold for what is opened first alone.
    fresh = {name: float(it) for name, it in asked.items() if words.is_number(it)}
    return asked, back, choices, efficiency, found, fresh, search, set_found


@app.cell(hide_code=True)
def _(choices, files, fresh, opened):
    try:
        plain, _refusal = opened.chosen(choices.value), ""
    except files.InputError as _error:
        plain, _refusal = None, "\n".join(_error.lines())
    refused = _refusal
    remembered = dict(fresh)
    fresh.clear()
    return plain, refused, remembered


@app.cell(hide_code=True)
def _(asked, mo, plain):
    _offered = {} if plain is None else plain.levers
    _wanted = asked.get("levers", "").split(",")
    levers = mo.ui.multiselect(
        _offered,
        value=[label for label, path in _offered.items() if path in _wanted],
        label="more to drag",
        full_width=True,
    )
    return (levers,)


@app.cell(hide_code=True)
def _(files, judged, levers, plain, refused, scene):
    try:
        design, refusal = (None if plain is None else plain.with_levers(levers.value)), refused
    except files.InputError as _error:
        design, refusal = None, "\n".join(_error.lines())
    start, judge, judged_start = None, None, None
    if design is not None:
        start = scene.pictured(design.scene, design.start)
        if design.problem.criterion is not None:
            judge = judged.judge_of(design.problem)
            judged_start = judge(design.scene, design.start)
    return design, judge, judged_start, refusal, start


@app.cell(hide_code=True)
def _(back, choices, design, efficiency, found, levers, mo, remembered, search):
    found()  # What a search finds is remembered, so that sliders go there.
    if back.value:
        remembered.clear()

    def _stop(it):
        """Where a slider stands: where it was left, or where it began."""
        return it.nearest(remembered[it.name]) if it.name in remembered else it.start

    def _handle(it):
        if it.words:
            return mo.ui.dropdown(it.words, it.words[_stop(it)], label=it.label, full_width=True)
        return mo.ui.slider(
            steps=list(it.shown),
            value=it.shown[_stop(it)],
            label=it.label,
            show_value=True,
            full_width=True,
        )

    handles = mo.ui.dictionary(
        {it.name: _handle(it) for it in (() if design is None else design.sliders)}
    )
    mo.sidebar(
        [
            *choices.elements.values(),
            mo.md("---"),
            *handles.elements.values(),
            levers,
            efficiency,
            search,
            back,
        ],
        width="21rem",
    )
    return (handles,)


@app.cell(hide_code=True)
def _(design, handles, remembered, sliders):
    numbers = (
        None if design is None else sliders.numbers_of(design.start, design.sliders, handles.value)
    )
    if numbers is not None:
        remembered.update(numbers)
    return (numbers,)


@app.cell(hide_code=True)
def _(design, efficiency, mo, numbers, optimised, plain, remembered, search, set_found):
    if search.value and design is not None:
        with mo.status.spinner("searching from here"):
            _found = optimised.optimised(design, numbers, efficiency.value)
        remembered.update(_found.numbers or {})
        set_found((plain, _found.told))
    return


@app.cell(hide_code=True)
def _(
    choices,
    design,
    drawings,
    efficiency,
    found,
    judge,
    judged_start,
    levers,
    mo,
    numbers,
    plain,
    refusal,
    scene,
    start,
    words,
):
    if design is None:
        _html = drawings.refused(refusal)
    else:
        _picture = scene.pictured(design.scene, numbers)
        _moved = {it: at for it, at in numbers.items() if at != design.start[it]}
        _choices = {**choices.value, "front": efficiency.value}
        _told = drawings.Told(
            words.heading(design, numbers, _picture),
            words.notes(design, _picture),
            found()[1] if found() is not None and found()[0] is plain else "",
            words.link(_choices, levers.value, _moved),
        )
        _judged = None if judge is None else (judge(design.scene, numbers), judged_start)
        _html = drawings.page(
            _picture,
            start,
            efficiency.value,
            _told,
            scene.drawn(design.scene, numbers, design.category(numbers)),
            _judged,
        )
    mo.Html(_html)
    return


if __name__ == "__main__":
    app.run()
