// The leaderboard: one row for each model, sorted by whichever column.

const order = { column: "score", down: true };

/** The columns, the chosen score first: key, heading, text of a cell, value to sort by. */
function boardColumns() {
  const seeds = OVERALL.some((row) => row.seeds > 1);
  const scores = BOARD.scores.map((name, i) => ({ key: String(i), title: name, score: i, value: (row) => row[i] }));
  const columns = [
    { key: "model", title: "model", words: true, value: (row) => BOARD.entries[row.entry].name.toLowerCase() },
    scores[state.score],
    ...scores.filter((column) => column.score !== state.score),
    { key: "parameters", title: "parameters", extra: true, value: (row) => BOARD.entries[row.entry].parameters, text: (row) => count(BOARD.entries[row.entry].parameters) },
  ];
  if (seeds) columns.push({ key: "seeds", title: "seeds", extra: true, value: (row) => row.seeds });
  columns.push(
    { key: "algorithms", title: "tasks", extra: true, value: (row) => row.algorithms },
    { key: "lengths", title: "lengths", extra: true, value: (row) => row.lengths },
    { key: "n", title: "answers", extra: true, value: (row) => row.n, text: (row) => count(row.n) },
  );
  if (OVERALL.some((row) => row.missing + row.errors)) {
    columns.push({ key: "unanswered", title: "unanswered", extra: true, value: (row) => row.missing + row.errors, text: (row) => count(row.missing + row.errors) });
  }
  return columns;
}

const sortKey = () => (order.column === "score" ? String(state.score) : order.column);

function boardRows() {
  return OVERALL.filter((row) => row.family === state.family && row.regime === state.regime && found(row.entry));
}

function sorted(rows, column) {
  const sign = order.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === y) return a.entry - b.entry;
    if (x === null) return 1;
    if (y === null) return -1;
    return sign * (x < y ? -1 : 1);
  });
}

/** A mean with its interval, or its standard deviation over seeds. */
function spreadOf(row, score) {
  if (row[score] === null) return "";
  if (row.seeds > 1) return ` ± ${figure(row[`${score}_sd`])}`;
  return ` [${figure(row[`${score}_low`])}, ${figure(row[`${score}_high`])}]`;
}

function cellOf(row, column) {
  if (column.score === undefined) {
    const value = column.value(row);
    return make("td", { class: column.extra ? "extra" : null }, column.text ? column.text(row) : String(value));
  }
  const chosen = column.score === state.score;
  const cell = make("td", { class: chosen ? "chosen" : null }, figure(row[column.score]));
  if (chosen) cell.append(make("small", {}, spreadOf(row, column.score)));
  return cell;
}

function headingOf(row) {
  const entry = BOARD.entries[row.entry];
  const box = make("input", { type: "checkbox", "aria-label": `Show ${entry.name} below`, "data-entry": row.entry });
  box.checked = state.chosen.has(row.entry);
  box.addEventListener("change", () => {
    if (box.checked) state.chosen.add(row.entry);
    else state.chosen.delete(row.entry);
    changed();
  });
  return make("th", { scope: "row" }, make("label", { class: "pick" }, box, swatch(row.entry), make("span", {}, entry.name)));
}

function sortButton(column) {
  const button = make("button", { type: "button", "data-column": column.key }, column.title);
  button.addEventListener("click", () => {
    const same = sortKey() === column.key;
    order.down = same ? !order.down : !column.words;
    order.column = column.score === state.score ? "score" : column.key;
    drawBoard();
    byId("board").querySelector(`button[data-column="${column.key}"]`).focus();
  });
  return button;
}

function drawBoard() {
  const columns = boardColumns();
  const by = columns.find((column) => column.key === sortKey()) ?? columns[0];
  const rows = sorted(boardRows(), by);
  const focused = document.activeElement?.dataset?.entry;
  byId("board").replaceChildren(
    make("caption", {}, `Sorted by ${by.title}, ${order.down ? "descending" : "ascending"}.`),
    make("thead", {}, make("tr", {}, ...columns.map((column) => make("th", {
      scope: "col",
      class: column.words ? "words" : column.extra ? "extra" : null,
      "aria-sort": column === by ? (order.down ? "descending" : "ascending") : null,
    }, sortButton(column))))),
    make("tbody", {}, ...rows.map((row) => make("tr", { class: BOARD.entries[row.entry].reference ? "reference" : null },
      headingOf(row), ...columns.slice(1).map((column) => cellOf(row, column))))),
  );
  if (focused) byId("board").querySelector(`input[data-entry="${focused}"]`)?.focus();
  byId("status").textContent = `${count(rows.length)} of ${plural(BOARD.entries.length, "model")}`;
  const without = BOARD.entries.filter((_, i) => found(i)).length - rows.length;
  byId("board-note").textContent = [
    rows.some((row) => row.seeds === 1) ? "[low, high]: 95% bootstrap interval over the answers." : "",
    rows.some((row) => row.seeds > 1) ? "±: standard deviation over train seeds." : "",
    without ? `Not shown: ${plural(without, "model")} without such lengths.` : "",
    ...DATA.about.notes,
  ].filter(Boolean).join(" ");
}

function setUpBoard() {
  byId("board-lead").textContent =
    "Ticked models are in the figures and samples below. A length is in-distribution if the model was trained on it, " +
    "interpolation if it lies between such lengths, extrapolation if beyond.";
  watchers.push(drawBoard);
}
