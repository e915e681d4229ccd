for (const figure of document.querySelectorAll("figure[data-brushes]")) {
  const table = document.getElementById(figure.dataset.brushes);
  const rows = [...table.querySelectorAll("tbody tr")];
  const keep = ids => rows.forEach((row, at) => { row.hidden = !(ids?.has(String(at)) ?? true); });
  const plot = figure.querySelector(".js-plotly-plot");
  plot.on("plotly_selected", event => {
    keep(event ? new Set(event.points.map(it => it.id)) : null);
  });
  plot.on("plotly_deselect", () => keep(null));
}
