// A heat map: score of each algorithm at each length, of one model or between two.

const NONE = "none";
const ABOVE = "#0072B2";
const BELOW = "#D55E00";

function heatCells() {
  const of = Number(byId("heat-of").value);
  const minus = byId("heat-minus").value;
  const score = state.score;
  const usable = (row) => ofFamily(row.algorithm) && row[score] !== null;
  const mine = CELLS.filter((row) => row.entry === of && usable(row) && ofRegime(row));
  if (minus === NONE) return mine.map((row) => ({ row, value: row[score] }));
  const theirs = new Map(CELLS.filter((row) => row.entry === Number(minus) && usable(row))
    .map((row) => [`${row.algorithm} ${row.length}`, row]));
  return mine.flatMap((row) => {
    const other = theirs.get(`${row.algorithm} ${row.length}`);
    return other ? [{ row, other, value: row[score] - other[score] }] : [];
  });
}

function heatPoint({ row, other, value }) {
  const name = BOARD.algorithms[row.algorithm];
  const score = state.score;
  const range = `[${figure(row[`${score}_low`])}, ${figure(row[`${score}_high`])}]`;
  return {
    algorithm: name, length: row.length, value, size: Math.abs(value),
    label: other ? signed(value).replace("0.", ".") : value.toFixed(2).replace(/^0/, ""),
    tip: `${name}, length ${row.length}\n` + (other
      ? `${figure(row[score])} against ${figure(other[score])}: ${signed(value)}`
      : `${figure(value)} ${range}, ${plural(row.n, "answer")}`),
  };
}

function drawHeatmap() {
  const options = BOARD.entries.map((entry, i) => [i, entry.name]).filter(([i]) => found(i));
  fill(byId("heat-of"), options, byId("heat-of").value || firstContestant());
  fill(byId("heat-minus"), [[NONE, "nothing"], ...options]);
  const cells = heatCells();
  const target = byId("heatmap-chart");
  showHeatNumbers();
  const difference = byId("heat-minus").value !== NONE;
  byId("heatmap-note").textContent = difference
    ? "Blue: the first model is better; orange: the second. Only cells that both answered."
    : `The deeper the blue, the higher the score.${DATA.samples ? " Select a cell to read answers to it." : ""}`;
  if (!cells.length) {
    drawNothing(target, "Nothing to draw: no such cells.");
    return;
  }
  const values = cells.map(heatPoint);
  const lengths = [...new Set(values.map((v) => v.length))].sort((a, b) => a - b);
  const width = target.clientWidth;
  const names = [...new Set(cells.map(({ row }) => row.algorithm))].sort((a, b) => a - b).map((i) => BOARD.algorithms[i]);
  const labels = width < 560 ? 130 : 230;
  const step = Math.max(28, Math.min(72, Math.floor((width - labels - 20) / lengths.length)));
  const x = { field: "length", type: "ordinal", title: "length", axis: { orient: "top", labelAngle: 0, domain: false, ticks: false } };
  const y = { field: "algorithm", type: "nominal", sort: names, title: null, axis: { domain: false, ticks: false, labelLimit: labels - 10 } };
  draw(target, {
    description: `${BOARD.scores[state.score]} of ${names.length} algorithms at lengths ${lengths.join(", ")}. ` +
      "The table below this figure has its numbers.",
    data: { values },
    width: { step }, height: { step: 26 },
    encoding: { x, y },
    layer: [
      { mark: { type: "rect", stroke: "var(--paper)", strokeWidth: 2, cursor: DATA.samples ? "pointer" : "default" },
        encoding: {
          fill: { condition: { test: "datum.value < 0", value: BELOW }, value: ABOVE },
          fillOpacity: { field: "size", type: "quantitative", legend: null, scale: { domain: [0, 1], range: [0.05, 1], clamp: true } },
          tooltip: { field: "tip" } } },
      { mark: { type: "text", fontSize: 11, aria: false, tooltip: null },
        encoding: { text: { field: "label" }, color: { condition: { test: "datum.size > 0.6", value: "#fff" }, value: "var(--ink)" } } },
    ],
  }, (datum) => openCell(datum.algorithm, datum.length));
}

const firstContestant = () => Math.max(0, BOARD.entries.findIndex((entry) => !entry.reference));

let showHeatNumbers;

function setUpHeatmap() {
  showHeatNumbers = numbersIn(byId("heatmap-numbers"), () => {
    const cells = heatCells();
    const lengths = [...new Set(cells.map(({ row }) => row.length))].sort((a, b) => a - b);
    const difference = byId("heat-minus").value !== NONE;
    const algorithms = [...new Set(cells.map(({ row }) => row.algorithm))].sort((a, b) => a - b);
    const at = new Map(cells.map((cell) => [`${cell.row.algorithm} ${cell.row.length}`, cell.value]));
    const text = (value) => (value === undefined ? "–" : difference ? signed(value) : figure(value));
    return tableOf(`${BOARD.scores[state.score]}${difference ? ", difference" : ""}`,
      ["algorithm", ...lengths.map(String)],
      algorithms.map((a) => [BOARD.algorithms[a], ...lengths.map((n) => text(at.get(`${a} ${n}`)))]));
  });
  for (const id of ["heat-of", "heat-minus"]) byId(id).addEventListener("change", drawHeatmap);
  watchers.push(drawHeatmap);
}
