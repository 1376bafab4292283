// The embedded data, and what of it is asked for.

const DATA = JSON.parse(byId("data").textContent);
const BOARD = DATA.board;
const ALL = -1;

/** Turns a table of rows into objects. */
const records = ({ columns, rows }) =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));

const OVERALL = records(BOARD.overall);
const CURVES = records(BOARD.curves);
const CELLS = records(BOARD.cells);

const MOST_CHOSEN = 8;

const state = {
  score: BOARD.score,
  family: ALL,
  regime: ALL,
  search: "",
  chosen: firstChosen(),
};

/** The entries that figures show at first: all, or the best few and the lines of reference. */
function firstChosen() {
  const places = BOARD.entries.map((_, i) => i);
  const contestants = places.filter((i) => !BOARD.entries[i].reference).slice(0, MOST_CHOSEN);
  const references = places.filter((i) => BOARD.entries[i].reference).slice(0, 2);
  return new Set([...contestants, ...references]);
}

const found = (entry) =>
  BOARD.entries[entry].name.toLowerCase().includes(state.search.toLowerCase());
const shown = (entry) => state.chosen.has(entry) && found(entry);
const ofRegime = (row) => state.regime === ALL || row.regime === state.regime;
const ofFamily = (algorithm) => state.family === ALL || BOARD.family_of[algorithm] === state.family;

const watchers = [];
let due = 0;

/** Draws everything anew, once, soon after the last of several changes. */
function changed() {
  clearTimeout(due);
  due = setTimeout(() => watchers.forEach((draw) => draw()), 60);
}

function setUpFilters() {
  fill(byId("score"), BOARD.scores.map((name, i) => [i, name]), state.score);
  fill(byId("family"), [[ALL, "all families"], ...BOARD.families.map((name, i) => [i, name])]);
  const kinds = [...new Set(OVERALL.map((row) => row.regime))].filter((i) => i !== ALL).sort();
  fill(byId("regime"), [[ALL, "all lengths"], ...kinds.map((i) => [i, BOARD.regimes[i]])]);
  for (const name of ["score", "family", "regime"]) {
    byId(name).addEventListener("change", (event) => {
      state[name] = Number(event.target.value);
      changed();
    });
  }
  byId("search").addEventListener("input", (event) => {
    state.search = event.target.value.trim();
    changed();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
}
