// The browser of samples: one question at a time, the truth, and what each model wrote.

const SAMPLES = DATA.samples;
const MARKS = { x: ["mark", { class: "other" }], "+": ["ins", {}], "-": ["del", {}], "~": ["span", { class: "after" }] };
const [PIECES, LEFT_OUT, FIGURES, ENDED] = [1, 2, 3, 4];

const browse = { place: 0 };
const ANY = "any";

const runName = (run) => {
  const { entry, seed } = SAMPLES.runs[run];
  const several = SAMPLES.runs.filter((other) => other.entry === entry).length > 1;
  return BOARD.entries[entry].name + (several && seed !== null ? `, seed ${seed}` : "");
};

/** Whether an answer is right: exact, or the chosen score where a run has no exact. */
function isRight(answer) {
  const exact = BOARD.scores.indexOf("exact");
  const place = exact >= 0 && answer[FIGURES][exact] !== null ? exact : state.score;
  return answer[FIGURES][place] === 1;
}

/** The answers of ticked models, and of the one that was asked for. */
function visibleAnswers(sample) {
  const asked = byId("sample-run").value;
  return sample.answers.filter(([run]) => shown(SAMPLES.runs[run].entry) || String(run) === asked);
}

function chosenSamples() {
  const algorithm = byId("sample-algorithm").value;
  const length = byId("sample-length").value;
  const outcome = byId("sample-outcome").value;
  const run = byId("sample-run").value;
  return SAMPLES.samples.filter((sample) => {
    const cell = SAMPLES.cells[sample.cell];
    if (cell.algorithm !== algorithm || (length !== ANY && cell.length !== Number(length))) return false;
    const answers = visibleAnswers(sample).filter((answer) => run === ANY || answer[0] === Number(run));
    if (!answers.length) return false;
    return outcome === ANY || answers.some((answer) => isRight(answer) === (outcome === "right"));
  });
}

function textOf(title, text, leftOut) {
  return make("div", {}, make("h3", {}, title), make("pre", { class: "text", tabindex: "0", "aria-label": title }, text), ...noteOf(leftOut));
}

const noteOf = (leftOut) => (leftOut ? [make("p", { class: "note" }, `${plural(leftOut, "more character")} left out here.`)] : []);

function answerOf(answer) {
  const [run, pieces] = answer;
  const name = runName(run);
  const scores = BOARD.scores
    .map((score, i) => [score, answer[FIGURES][i]]).filter(([, value]) => value !== null)
    .map(([score, value]) => `${score}\u00a0${Number.isInteger(value) ? value : value.toFixed(3)}`).join(" · ");
  const head = make("div", {}, make("h3", {}, name), make("p", { class: "scores" }, scores));
  const ended = answer[ENDED];
  if (ended !== null && ended !== "stop") {
    const why = { length: "ran out of room", error: "failed" }[ended] ?? ended;
    head.append(make("p", { class: "scores" }, why));
  }
  if (pieces === null) return make("div", { class: "answer" }, head, make("p", { class: "absent" }, "no answer"));
  const text = make("pre", { class: "text", tabindex: "0", "aria-label": `Answer of ${name}` });
  for (const piece of pieces) {
    const mark = MARKS[piece[0]];
    text.append(mark ? make(mark[0], mark[1], piece.slice(1)) : piece.slice(1));
  }
  if (!pieces.length) text.append(make("span", { class: "absent" }, "empty"));
  return make("div", { class: "answer" }, head, make("div", {}, text, ...noteOf(answer[LEFT_OUT])));
}

function drawSample() {
  const samples = chosenSamples();
  browse.place = Math.max(0, Math.min(browse.place, samples.length - 1));
  byId("position").textContent = samples.length ? `${browse.place + 1} of ${samples.length}` : "none";
  byId("previous").disabled = browse.place === 0;
  byId("next").disabled = browse.place >= samples.length - 1;
  const target = byId("sample");
  if (!samples.length) {
    target.replaceChildren(make("p", { class: "absent" }, "No kept answers are like this."));
    return;
  }
  const sample = samples[browse.place];
  const cell = SAMPLES.cells[sample.cell];
  const asked = make("div", { class: "asked" });
  const identity = `${cell.algorithm}, length ${cell.length}; split ${cell.split}, seed ${sample.seed}, index ${sample.index} of data set ${cell.data}`;
  target.replaceChildren(make("p", { class: "note" }, identity), asked, ...visibleAnswers(sample).map(answerOf));
  if (!sample.question) {
    asked.append(make("p", { class: "absent" }, "The question is in the data set, which was not named: report --data DATA shows it."));
    return;
  }
  asked.append(make("div", {}, textOf("Question", ...sample.question), textOf("True answer", ...sample.truth)));
  if (sample.picture) {
    asked.classList.add("pictured");
    const chart = make("div", { class: "chart" });
    asked.append(make("figure", {}, chart, make("figcaption", { class: "note" }, describe(sample.picture))));
    drawPicture(chart, sample.picture);
  }
}

/** Shows answers to one cell, chosen in the heat map. */
function openCell(algorithm, length) {
  if (!SAMPLES?.cells.some((cell) => cell.algorithm === algorithm && cell.length === length)) return;
  byId("sample-algorithm").value = algorithm;
  fillLengths();
  byId("sample-length").value = length;
  browse.place = 0;
  drawSample();
  byId("samples").scrollIntoView();
}

function fillLengths() {
  const cells = SAMPLES.cells.filter((cell) => cell.algorithm === byId("sample-algorithm").value);
  const lengths = [...new Set(cells.map((cell) => cell.length))].sort((a, b) => a - b);
  fill(byId("sample-length"), [[ANY, "all"], ...lengths.map((n) => [n, String(n)])]);
}

function setUpSamples() {
  if (!SAMPLES) {
    byId("samples-lead").replaceChildren("No answers were kept beside these results. ",
      make("code", {}, "clrs-text-bench evaluate MODEL --data DATA --save-predictions"),
      " keeps them, and this report with the same ", make("code", {}, "--data"), " shows them.");
    return;
  }
  byId("browser").hidden = false;
  const total = SAMPLES.cells.reduce((sum, cell) => sum + cell.total, 0);
  byId("samples-lead").textContent = SAMPLES.samples.length < total
    ? `${count(SAMPLES.samples.length)} of ${plural(total, "question")}, as many of each algorithm and length as fit, drawn by a fixed hash. The figures above are over all of them.`
    : `All ${plural(total, "question")} that answers were kept of.`;
  fill(byId("sample-algorithm"), [...new Set(SAMPLES.cells.map((cell) => cell.algorithm))].map((name) => [name, name]));
  fill(byId("sample-run"), [[ANY, "any model"], ...SAMPLES.runs.map((_, i) => [i, runName(i)])]);
  fillLengths();
  const restart = () => {
    browse.place = 0;
    drawSample();
  };
  byId("sample-algorithm").addEventListener("change", () => {
    fillLengths();
    restart();
  });
  for (const id of ["sample-length", "sample-outcome", "sample-run"]) byId(id).addEventListener("change", restart);
  for (const [id, step] of [["previous", -1], ["next", 1]]) {
    byId(id).addEventListener("click", () => {
      browse.place += step;
      drawSample();
    });
  }
  watchers.push(drawSample);
}
