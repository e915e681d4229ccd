"""Contrast as WCAG 2 measures it, of colours and of pages in a browser."""

TEXT, GRAPHICS = 4.5, 3.0
"""The least that level AA asks of words, and of what has to be seen."""


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb."""
    digits = colour.removeprefix("#")
    pairs = (
        [it * 2 for it in digits] if len(digits) == 3 else [digits[i : i + 2] for i in (0, 2, 4)]
    )
    shares = [int(it, 16) / 255 for it in pairs]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in shares]
    return sum(part * it for part, it in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def ratio(first: str, second: str) -> float:
    """Contrast of two colours, at least 1."""
    low, high = sorted(map(luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


def over(colour: str, page: str, opacity: float) -> str:
    """What a colour becomes that lets a page shine through."""
    mixed = [
        round(opacity * int(colour[i : i + 2], 16) + (1 - opacity) * int(page[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{it:02x}" for it in mixed)


FAINT_WORDS = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgba = colour => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const it = canvas.getImageData(0, 0, 1, 1).data;
  return [it[0], it[1], it[2], it[3] / 255];
};
const onto = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
const luminance = colour => {
  const parts = colour.slice(0, 3).map(it => it / 255)
    .map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
};
const parent = it => it.parentElement ?? it.getRootNode().host;
const chain = it => it ? [it, ...chain(parent(it))] : [];
const background = it => chain(it).reverse()
  .reduce((below, at) => onto(rgba(getComputedStyle(at).backgroundColor), below),
          rgba(getComputedStyle(document.documentElement).colorScheme.includes("dark")
               && matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#ffffff"));
const faint = [], walk = root => {
  for (const it of root.querySelectorAll("*")) {
    if (it.shadowRoot) walk(it.shadowRoot);
    const words = [...it.childNodes].filter(at => at.nodeType === 3 && at.data.trim());
    const box = it.getBoundingClientRect(), style = getComputedStyle(it);
    const drawn = it instanceof SVGElement;
    if (!words.length || !box.width || !box.height || style.visibility === "hidden"
        || (drawn && !it.closest("text"))) continue;
    if (!it.checkVisibility({opacityProperty: true}) || it.closest("[aria-hidden=true],[disabled]"))
      continue;
    const page = background(it), opacity = chain(it)
      .reduce((shown, at) => shown * getComputedStyle(at).opacity, 1);
    const ink = rgba(drawn ? style.fill : style.color);
    ink[3] *= opacity;
    const [low, high] = [luminance(onto(ink, page)), luminance(page)].sort((a, b) => a - b);
    const found = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize), heavy = style.fontWeight >= 700;
    const least = size >= 24 || (heavy && size >= 18.66) ? 3 : 4.5;
    if (found < least - 0.01)
      faint.push(`${found.toFixed(2)}: ${words[0].data.trim().slice(0, 40)} (${it.tagName})`);
  }
};
walk(arguments[0] ? document.querySelector(arguments[0]) : document);
return faint;
"""
"""Script that lists the words of a page, or of a part of it, whose contrast is below level AA."""
