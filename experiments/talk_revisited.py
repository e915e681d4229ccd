"""Which conclusions of the talk stand when its models, and today's, are counted as they are?

The claims, as published: inference systems must have at least 100 GB of memory; 32 users at 128K
need at least 482 GB, and up to 1.1 TB and beyond; well tuned systems of 128 chips reach 2,000 to
5,000 tokens a second for one user; large memory gives more than 100,000 tokens a second for all
users together (Sankaralingam, IET REACH, 2025).

The talk's memory table and system table are computed again on its own chip, xPU-HBM3, three times:
`talk`, in its accounting (layers only, the whole context in every layer, latent attention
multiplied out); `recounted`, with windows, chunks, embedding and head as the models have them but
the talk's collectives; `model`, with the collectives that the mapping needs instead. Then hybrids
and sparse models of 2025 and 2026 take the place of 2024's, counted in the last two ways. Verdicts
rest on the second: the latencies of a collective were fitted to the talk's own table together with
its counts, and say little beside others. Weights, cache and index take 8 bits an element, recurrent
states 32.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from rich.console import RenderableType

import liminal_jax as ll
from experiments import drawing as draw
from experiments.claims import Record
from experiments.drawing import short
from experiments.nested import each
from experiments.published import load_published
from experiments.runner import Experiment, main
from experiments.tables import Column, Table
from experiments.talk_claims import verdicts
from experiments.talk_tables import Counted, held, scale

HYBRIDS_AND_SPARSE = (
    "qwen3.5-27b",
    "qwen3.5-35b-a3b",
    "qwen3.5-397b-a17b",
    "kimi-linear-48b-a3b",
    "nemotron-3-nano-30b-a3b",
    "nemotron-3-ultra-550b-a55b",
    "minimax-m3",
    "deepseek-v3.2",
    "deepseek-v4-pro",
    "glm-5.2",
)
"""Models that read less of the past than full attention does."""


def _as_is(model: ll.Model) -> dict[str, Counted]:
    """A model of today, for which the talk has no count but of collectives."""
    as_is = Counted(model, ll.Assumptions(), attention_bits=16)
    return {"recounted": Counted(model), "model": as_is}


def _ways(model: ll.Model) -> dict[str, Counted]:
    """A model of the talk, counted in each way."""
    return {"talk": Counted(ll.talk_model(model)), **_as_is(model)}


def _parameters(ways: dict[str, Counted]) -> float:
    return float(ways["recounted"].predictions([1.0], 1.0, 1.0).parameters_total[0])


def _tables(models: dict[str, dict[str, Counted]], scaled: Iterable[str]) -> Record:
    """Both tables of some models, each counted in some ways; and their parameters."""
    table = load_published().memory
    return {
        "parameters": each(_parameters, models),
        "memory": each(
            partial(each, lambda it: held(it, table.contexts, table.users)["total"]), models
        ),
        "scale": each(partial(each, scale), {name: models[name] for name in scaled}),
    }


def run(
    talk: tuple[str, ...] = tuple(load_published().memory.rows),
    today: tuple[str, ...] = HYBRIDS_AND_SPARSE,
) -> dict[str, Any]:
    """Both tables, of the talk's models in three ways and of today's, and the verdicts.

    The talk's models go by their printed names, today's by those here.
    """
    published = load_published()
    rows = published.memory.rows
    counted = {name: _ways(ll.load_model(rows[name].model)) for name in talk}
    then = _tables(counted, [name for name in talk if name in published.scale.rows])
    now = _tables({name: _as_is(ll.load_model(name)) for name in today}, today)
    return {
        "source": published.scale.source,
        "contexts": published.memory.contexts,
        "users": published.memory.users,
        "ranks": published.scale.ranks,
        "then": then,
        "now": now,
        "verdicts": [
            *verdicts("the talk's models, as the talk counts them", then, "talk"),
            *verdicts("the talk's models, as they are", then, "recounted"),
            *verdicts("hybrids and sparse models of today", now, "recounted"),
        ],
    }


def summary(results: Record) -> dict[str, Any]:
    """Whether each claim holds, by population in the order of the verdicts."""
    claims: dict[str, list[bool]] = {}
    for verdict in results["verdicts"]:
        claims.setdefault(verdict["claim"], []).append(verdict["holds"])
    populations = list(dict.fromkeys(verdict["population"] for verdict in results["verdicts"]))
    return {"populations": populations, "holds": claims}


WAYS = {"talk": "talk", "recounted": "rec.", "model": "model"}

NOW = {
    "UTPS\nrec.": ("recounted", "utps"),
    "UTPS\nmodel": ("model", "utps"),
    "STPS\nrec.": ("recounted", "stps"),
    "UTPS\nthere": ("recounted", "left"),
    "users\n": ("recounted", "users"),
}


def _column(label: str, keys: tuple[str, ...], place: int, form: Callable[[Any], str]) -> Column:
    return Column(label, keys, lambda values: form(values[place]))


def _memory(results: Record, label: str, ways: Mapping[str, str], form: str) -> Table:
    """What models hold [GiB], a column for each context, number of users and way."""
    columns = [
        _column(label.format(context // 1024, users, told), (way,), place,
                lambda held: form.format(held / 2**30))
        for place, (context, users) in enumerate(
            zip(results["contexts"], results["users"], strict=True)
        )
        for way, told in ways.items()
    ]  # fmt: skip
    return Table("model", columns)


def report(results: Record) -> list[RenderableType]:
    """Both tables, old beside new, those of today's models, and how claims are read."""
    ranks = list(enumerate(results["ranks"]))
    then = [
        _column(f"{kind.upper()}\nTP{tp}\n{told}", (way, kind), place, short)
        for kind in ("utps", "stps")
        for place, tp in ranks
        for way, told in WAYS.items()
    ]
    now = [
        _column(f"TP{tp}\n{label}", keys, place, short)
        for label, keys in NOW.items()
        for place, tp in ranks
    ]
    return [
        "Memory held by the talk's models [GiB]: in its accounting, and as they are",
        _memory(results, "{}K x{}\n{}", {"talk": "talk", "recounted": "as is"}, "{:,.0f}").of(
            results["then"]["memory"]
        ),
        "Throughput of the talk's models at 128K [1/s]: in its accounting, recounted as they are"
        " with the talk's collectives, and with those that the mapping needs",
        Table("model", then).of(results["then"]["scale"]),
        "Memory held by today's hybrids and sparse models [GiB]",
        _memory(results, "{}K\nx{}", {"recounted": ""}, "{:,.1f}").of(results["now"]["memory"]),
        "Throughput of today's hybrids and sparse models at 128K [1/s], and the largest batch",
        Table("model", now).of(results["now"]["scale"]),
        "At least: for every model of more than 100e9 parameters. Up to, give: for some model."
        " Reach: for more than half of them. GB of a claim are 1e9 bytes.",
        f"Source: {results['source']}.\n",
    ]


LOOKS: dict[str, Record] = {
    "as the talk counts": {"marker": "o", "color": "C0", "mfc": "white", "mec": "C0"},
    "as the model is": {"marker": "o", "color": "C3", "markersize": 4},
    "today's hybrid or sparse model": {"marker": "s", "color": "C2"},
}
"""How numbers are drawn."""


def _numbers(results: Record, name: str, quantity: str) -> dict[str, float]:
    """What the last column says of a model, by how it is drawn."""
    old, new, today = LOOKS
    part = "then" if name in results["then"]["memory"] else "now"
    ways = results[part]["memory"][name]
    if quantity != "memory":
        ways = {it: row[quantity] for it, row in results[part]["scale"].get(name, {}).items()}
    looks = {"talk": old, "recounted": new} if part == "then" else {"recounted": today}
    last = {look: ways[way][-1] for way, look in looks.items() if way in ways}
    return {look: it for look, it in last.items() if it is not None}


def _panel(axes: draw.Axes, results: Record, quantity: str, claims: Mapping[str, float]) -> None:
    """The last column of a quantity, from the old number to the new one; what is claimed of it."""
    names = [*results["then"]["memory"], *results["now"]["memory"]]
    unit = 1e9 if quantity == "memory" else 1.0
    for place, name in enumerate(names):
        found = {look: it / unit for look, it in _numbers(results, name, quantity).items()}
        axes.plot(list(found.values()), [place] * len(found), color="0.6", linewidth=1.2, zorder=2)
        for look, it in found.items():
            draw.dot(axes, (it, place), {**LOOKS[look], "zorder": 3})
    axes.axhline(len(results["then"]["memory"]) - 0.5, color="0.8", linewidth=0.8)
    for text, value in claims.items():
        draw.mark_x(axes, value, text)
    axes.set_xscale("log")
    draw.name_rows(axes, names)


def plot(results: Record) -> draw.Figure:
    """Memory, UTPS and STPS of each model, old and new, with what the talk concludes."""
    count = len(results["then"]["memory"]) + len(results["now"]["memory"])
    figure, (panels,) = draw.sheet(1, 3, (12, 2.0 + 0.24 * count), sharey=True)
    asked = {
        "memory": ("memory held, 32 users at 128K [GB]", {"482 GB": 482, "1.1 TB": 1100}),
        "utps": (
            "tokens a second, one user at 128K, 128 chips [1/s]",
            {"2,000": 2000, "5,000": 5000},
        ),
        "stps": ("tokens a second, all users at 128K, 128 chips [1/s]", {"100,000": 100e3}),
    }
    for axes, (quantity, (label, claims)) in zip(panels, asked.items(), strict=True):
        _panel(axes, results, quantity, claims)
        axes.set_xlabel(label)
    figure.suptitle("The talk's conclusions (dashed), its models and today's on xPU-HBM3")
    styles = {label: {"linestyle": "", **look} for label, look in LOOKS.items()}
    draw.legend(figure, styles, loc="outside lower center", ncols=3)
    return figure


SMOKE = {
    "talk": ("Llama3-8B", "GPT-OSS-120B"),
    "today": ("qwen3.5-35b-a3b", "deepseek-v3.2"),
}
EXPERIMENT = Experiment("talk_revisited", __doc__, run, SMOKE, plot, report, summary)

if __name__ == "__main__":
    raise SystemExit(main(EXPERIMENT))
