// Elements. Text is only ever set as text: nothing that a model or a file says is read as markup.

const byId = (id) => document.getElementById(id);

/** Makes an element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Fills a select with [value, text] pairs, and keeps what was chosen where it still is there. */
function fill(select, options, chosen = select.value) {
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  const known = options.some(([value]) => String(value) === String(chosen));
  select.value = known ? chosen : options.length ? options[0][0] : "";
}

/** Makes a table of text: the first cell of each row is its heading. */
function tableOf(caption, header, rows) {
  return make("table", {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...header.map((text, i) =>
      make("th", { scope: "col", class: i ? null : "words" }, text)))),
    make("tbody", {}, ...rows.map(([first, ...rest]) => make("tr", {},
      make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text))))));
}

/** Fills a <details> with its table whenever it is open; call what is returned after a change. */
function numbersIn(details, table) {
  const show = () => {
    if (details.open) details.querySelector("div").replaceChildren(table());
  };
  details.addEventListener("toggle", show);
  return show;
}

const figure = (value) => (value === null || value === undefined ? "–" : value.toFixed(3));
const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(3);
const count = (value) => (value === null ? "–" : value.toLocaleString("en"));
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
