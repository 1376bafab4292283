// What the page says of itself, its theme, and the first drawing.

function setUpTheme() {
  const root = document.documentElement;
  const button = byId("theme");
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => {
    button.textContent = dark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Use ${dark() ? "light" : "dark"} colours`);
  };
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    name();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", name);
  name();
}

function setUpAbout() {
  const { runs, version, newest, data } = DATA.about;
  const lengths = [...new Set(CELLS.map((row) => row.length))].sort((a, b) => a - b);
  byId("about").textContent = `${plural(BOARD.entries.length, "model")} in ${plural(runs, "run")}, ` +
    `${plural(BOARD.algorithms.length, "algorithm")}, lengths ${lengths.join(", ")}`;
  byId("made").textContent = `Made by clrs-text-bench ${version}; newest run of ${newest}; ` +
    `data ${data.join(", ")}. Charts: Vega-Lite.`;
}

function setUpResizing() {
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    changed();
  });
}

setUpTheme();
setUpAbout();
setUpFilters();
setUpBoard();
setUpCurves();
setUpHeatmap();
setUpSamples();
setUpResizing();
watchers.forEach((draw) => draw());
