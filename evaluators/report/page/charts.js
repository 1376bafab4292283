// Charts: Vega-Lite specifications in the page's own colours, drawn as SVG.

const FONT = getComputedStyle(document.body).fontFamily;
const CONFIG = {
  background: null,
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: "var(--muted)", titleColor: "var(--muted)", gridColor: "var(--line)",
    domainColor: "var(--muted)", tickColor: "var(--muted)", labelFontSize: 12, titleFontSize: 12,
    titleFontWeight: 400, labelPadding: 4, grid: false,
  },
  header: { labelColor: "var(--ink)", labelFontSize: 12, labelFontWeight: 600, title: null },
  text: { color: "var(--ink)", fontSize: 12 },
};

const turns = new WeakMap();
const views = new WeakMap();

/** Draws a specification into an element, in place of what was there. */
async function draw(target, spec, onClick = null) {
  const turn = (turns.get(target) || 0) + 1;
  turns.set(target, turn);
  const host = make("div");
  const result = await window.vegaEmbed(host, spec, {
    mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, ast: true,
    config: CONFIG, tooltip: showTip,
  });
  if (turns.get(target) !== turn) {
    result.view.finalize();
    return;
  }
  views.get(target)?.finalize();
  views.set(target, result.view);
  if (onClick) result.view.addEventListener("click", (_, item) => item?.datum && onClick(item.datum));
  target.replaceChildren(host);
}

/** Says that there is nothing to draw. */
function drawNothing(target, sentence) {
  turns.set(target, (turns.get(target) || 0) + 1);
  target.replaceChildren(make("p", { class: "absent" }, sentence));
}

function showTip(handler, event, item, value) {
  const tip = byId("tip");
  tip.hidden = value === null || value === undefined || value === "";
  if (tip.hidden) return;
  tip.textContent = value;
  const right = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 18 + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${Math.max(8, right)}px`;
  tip.style.top = `${below ? event.clientY + 18 : event.clientY - tip.offsetHeight - 10}px`;
}

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  circle: "M4 0A4 4 0 1 1 -4 0A4 4 0 1 1 4 0Z",
  square: "M-3.5 -3.5H3.5V3.5H-3.5Z",
  "triangle-up": "M0 -4.5L4.5 3.5H-4.5Z",
  "triangle-down": "M0 4.5L4.5 -3.5H-4.5Z",
  diamond: "M0 -5L4.5 0L0 5L-4.5 0Z",
  cross: "M-1.5 -4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5V-1.5H-1.5Z",
};

/** The line and marker of an entry, as the figures draw them. */
function swatch(entry) {
  const { color, shape, dash } = BOARD.entries[entry];
  const part = (tag, attributes) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const svg = part("svg", { class: "swatch", width: 26, height: 12, viewBox: "-13 -6 26 12", "aria-hidden": "true" });
  svg.append(part("line", { x1: -13, x2: 13, stroke: color, "stroke-width": shape ? 2 : 1.2, "stroke-dasharray": dash[1] ? dash.join(" ") : "none" }));
  if (shape) svg.append(part("path", { d: SHAPES[shape], fill: color }));
  return svg;
}
