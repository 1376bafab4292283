// Size generalisation: score against length.

const PANEL = 190;

/** The rows of the curves, with the name of their panel. */
function curveRows() {
  const panels = byId("panels").value;
  const rows = panels === "algorithm"
    ? CELLS.filter((row) => ofFamily(row.algorithm)).map((row) => ({ ...row, panel: BOARD.algorithms[row.algorithm] }))
    : panels === "family"
      ? CURVES.filter((row) => row.family !== ALL && (state.family === ALL || row.family === state.family))
          .map((row) => ({ ...row, panel: BOARD.families[row.family] }))
      : CURVES.filter((row) => row.family === state.family).map((row) => ({ ...row, panel: "" }));
  return rows.filter((row) => shown(row.entry) && ofRegime(row) && row[state.score] !== null);
}

/** Runs of lengths that all trained entries of some rows were trained on. */
function trainedBy(rows) {
  const sets = [...new Set(rows.map((row) => row.entry))]
    .map((i) => BOARD.entries[i]).filter((entry) => !entry.reference && entry.trained.length)
    .map((entry) => entry.trained);
  if (!sets.length) return [];
  const common = sets[0].filter((n) => sets.every((set) => set.includes(n))).sort((a, b) => a - b);
  const runs = [];
  for (const n of common) {
    const last = runs.at(-1);
    if (last && n === last.to + 0.5) last.to = n + 0.5;
    else runs.push({ from: n - 0.5, to: n + 0.5 });
  }
  return runs;
}

function curvePoint(row) {
  const entry = BOARD.entries[row.entry];
  const score = state.score;
  const trained = !entry.trained.length || entry.trained.includes(row.length);
  return {
    entry: String(row.entry), panel: row.panel, length: row.length, reference: entry.reference, trained,
    mean: row[score], low: row[`${score}_low`], high: row[`${score}_high`],
    tip: `${entry.label}\n${row.panel ? `${row.panel}, ` : ""}length ${row.length}: ${figure(row[score])} ` +
      `[${figure(row[`${score}_low`])}, ${figure(row[`${score}_high`])}]`,
  };
}

function curveLayers(points, shaded, places) {
  const entries = places.map(String);
  const looks = places.map((i) => BOARD.entries[i]);
  const color = { field: "entry", type: "nominal", legend: null, scale: { domain: entries, range: looks.map((x) => x.color) } };
  const lengths = [...new Set(points.map((p) => p.length))].sort((a, b) => a - b);
  const ends = [...lengths, ...shaded.flatMap(({ from, to }) => [from, to])];
  const trained = shaded.flatMap(({ from, to }) => [from + 0.5, to - 0.5]);
  const marked = [...new Set([...lengths, ...trained])].sort((a, b) => a - b);
  const x = {
    field: "length", type: "quantitative", title: "length",
    scale: { domain: [Math.min(...ends) - 0.5, Math.max(...ends) + 0.5], nice: false, zero: false },
    axis: { values: marked, format: "d", labelOverlap: "greedy" },
  };
  const y = {
    field: "mean", type: "quantitative", title: BOARD.scores[state.score],
    scale: { domain: [0, 1] }, axis: { values: [0, 0.25, 0.5, 0.75, 1], format: ".2~f", grid: true, domain: false, ticks: false },
  };
  const contestant = { filter: "!datum.reference" };
  const layers = [
    { transform: [contestant], mark: { type: "area", opacity: 0.18, aria: false, tooltip: null },
      encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color } },
    { transform: [contestant], mark: { type: "rule", opacity: 0.55, strokeWidth: 1, aria: false, tooltip: null },
      encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color } },
    { mark: { type: "line", strokeWidth: 2, aria: false, tooltip: null },
      encoding: { x, y, color, strokeDash: { field: "entry", type: "nominal", legend: null, scale: { domain: entries, range: looks.map((x) => x.dash) } },
        strokeWidth: { condition: { test: "datum.reference", value: 1 }, value: 2 } } },
    { transform: [contestant], mark: { type: "point", size: 56, strokeWidth: 1.8, opacity: 1, filled: false },
      encoding: { x, y, color,
        fill: { condition: { test: "datum.trained", field: "entry", type: "nominal", legend: null, scale: color.scale }, value: "var(--paper)" },
        shape: { field: "entry", type: "nominal", legend: null, scale: { domain: entries, range: looks.map((x) => x.shape ?? "circle") } },
        tooltip: { field: "tip" } } },
  ];
  if (shaded.length) {
    layers.unshift({ data: { values: shaded }, mark: { type: "rect", color: "var(--shade)", aria: false, tooltip: null },
      encoding: { x: { ...x, field: "from" }, x2: { field: "to" } } });
  }
  return layers;
}

function drawCurves() {
  const rows = curveRows();
  const target = byId("curves-chart");
  const places = [...new Set(rows.map((row) => row.entry))].sort((a, b) => a - b);
  byId("curves-key").replaceChildren(...places.map((i) => make("li", {}, swatch(i), BOARD.entries[i].label)));
  showCurveNumbers();
  if (!rows.length) {
    byId("curves-note").textContent = "";
    drawNothing(target, "Nothing to draw: no ticked model has such lengths.");
    return;
  }
  const seeds = places.some((i) => OVERALL.some((row) => row.entry === i && row.seeds > 1));
  byId("curves-note").textContent =
    `Bands: 95% bootstrap interval${seeds ? ", or ± 1 standard deviation over seeds" : ""}.`;
  const points = rows.map(curvePoint);
  const layer = curveLayers(points, trainedBy(rows), places);
  const panels = [...new Set(rows.map((row) => row.panel))];
  const width = target.clientWidth;
  const description = `${BOARD.scores[state.score]} against length. ` + places.slice(0, 12).map((i) =>
    `${BOARD.entries[i].label}: ${rows.filter((row) => row.entry === i && row.panel === panels[0])
      .map((row) => `${figure(row[state.score])} at ${row.length}`).join(", ")}`).join("; ");
  const autosize = { type: "fit-x", contains: "padding" };
  if (panels.length === 1 && byId("panels").value === "one") {
    draw(target, { description, data: { values: points }, width, height: width < 560 ? 240 : 340, autosize, layer });
    return;
  }
  const columns = Math.max(1, Math.min(panels.length, Math.floor(width / (PANEL + 50))));
  draw(target, {
    description, data: { values: points }, columns, spacing: 24,
    facet: { field: "panel", type: "nominal", sort: panels, title: null },
    spec: { width: Math.floor((width - 60) / columns) - 30, height: 120, layer },
  });
}

let showCurveNumbers;

function setUpCurves() {
  const table = () => {
    const rows = curveRows();
    const lengths = [...new Set(rows.map((row) => row.length))].sort((a, b) => a - b);
    const lines = new Map();
    for (const row of rows) {
      const key = `${row.panel}\n${row.entry}`;
      if (!lines.has(key)) lines.set(key, { ...row, at: {} });
      lines.get(key).at[row.length] = row;
    }
    const score = state.score;
    return tableOf(`${BOARD.scores[score]} at each length, with the ends of its band`,
      ["model", ...lengths.map(String)],
      [...lines.values()].map(({ entry, panel, at }) => [
        `${BOARD.entries[entry].name}${panel ? `, ${panel}` : ""}`,
        ...lengths.map((n) => (at[n] ? `${figure(at[n][score])} [${figure(at[n][`${score}_low`])}, ${figure(at[n][`${score}_high`])}]` : "–")),
      ]));
  };
  showCurveNumbers = numbersIn(byId("curves-numbers"), table);
  byId("panels").addEventListener("change", changed);
  watchers.push(drawCurves);
}
