const NARROW = matchMedia("(max-width: 40rem)");
for (const figure of document.querySelectorAll("figure[data-narrow]")) {
  const plot = figure.querySelector(".js-plotly-plot");
  const wide = structuredClone(plot.layout);
  const narrow = { ...JSON.parse(figure.dataset.narrow), template: wide.template };
  const lay = () => {
    const layout = structuredClone(NARROW.matches ? narrow : wide);
    for (const it of [plot, plot.parentElement]) it.style.height = `${layout.height}px`;
    Plotly.react(plot, plot.data, layout);
  };
  NARROW.addEventListener("change", lay);
  if (NARROW.matches) lay();
}
