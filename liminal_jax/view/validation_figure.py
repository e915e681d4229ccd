"""Predicted against measured, and residuals against users, context and chips."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from liminal_jax.fit.calibrate import Validation

_MARKERS = "os^vD<>pP*Xhd"


def validation_figure(found: Validation) -> Figure:
    """Four panels; a colour and marker for each source."""
    batch, judged = found.batch, found.judged
    measured, sources = batch.measured, batch.labels("source")
    residual = judged / measured - 1
    across = {
        "users in the micro-batch": np.array([it.batch for it in batch.cases]),
        "context [tokens]": np.array([it.context for it in batch.cases]),
        "chips of the instance": np.array([it.tp * it.pp for it in batch.cases]),
    }
    figure, axes = plt.subplots(2, 2, figsize=(9, 7.4), layout="constrained")
    first, *others = axes.flat
    ends = [
        0.8 * min(measured.min(), judged.min()) * 1e3,
        1.25 * max(measured.max(), judged.max()) * 1e3,
    ]
    for factor, line in ((1.0, "-"), (1.25, ":"), (0.75, ":")):
        first.plot(ends, [factor * it for it in ends], line, color="0.6", linewidth=0.8)
    colors = plt.get_cmap("tab20")
    for at, source in enumerate(sorted(set(sources))):
        of = sources == source
        look = {"marker": _MARKERS[at % len(_MARKERS)], "color": colors(at % 20), "s": 12,
                "linewidths": 0, "alpha": 0.75}  # fmt: skip
        first.scatter(measured[of] * 1e3, judged[of] * 1e3, label=source, **look)
        for axis, values in zip(others, across.values(), strict=True):
            axis.scatter(values[of], residual[of], **look)
    first.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    first.set(xlabel="measured time of a token [ms]", ylabel="predicted [ms]")
    for axis, label in zip(others, across, strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        axis.set(xscale="log", xlabel=label, ylabel="predicted / measured - 1")
    figure.legend(loc="outside lower center", ncols=5, fontsize=7, frameon=False)
    return figure
