// The graph or the points of a question, with what the true answer names.

const PICTURE = 280;

function arrow(picture, [u, v]) {
  const [[ax, ay], [bx, by]] = [picture.places[u], picture.places[v]];
  const far = 1 - 0.055 / Math.max(Math.hypot(bx - ax, by - ay), 0.06);
  return { x: ax + (bx - ax) * far, y: ay + (by - ay) * far, angle: (Math.atan2(bx - ax, by - ay) * 180) / Math.PI };
}

function describe(picture) {
  const names = picture.picked_edges.map((i) => picture.edges[i].slice(0, 2).join(picture.directed ? "→" : "–"));
  return [
    picture.kind === "points" ? plural(picture.places.length, "point")
      : `${picture.directed ? "Directed graph" : "Graph"} of ${plural(picture.places.length, "node")} and ${plural(picture.edges.length, "edge")}`,
    picture.start === null ? "" : `search from ${picture.start}`,
    names.length ? `the true answer names edges ${names.join(", ")}` : "",
    picture.picked_nodes.length ? `the true answer names ${picture.kind === "points" ? "points" : "nodes"} ${picture.picked_nodes.join(", ")}` : "",
  ].filter(Boolean).join("; ") + ".";
}

function drawPicture(target, picture) {
  const pickedEdges = new Set(picture.picked_edges);
  const pickedNodes = new Set(picture.picked_nodes);
  const edges = picture.edges.map(([u, v, weight], i) => ({
    x: picture.places[u][0], y: picture.places[u][1], x2: picture.places[v][0], y2: picture.places[v][1],
    picked: pickedEdges.has(i), ...(picture.directed ? { arrow: arrow(picture, [u, v]) } : {}),
    tip: `${u} ${picture.directed ? "→" : "–"} ${v}${weight === undefined ? "" : `: ${weight}`}`,
  }));
  const nodes = picture.places.map(([x, y], i) => ({ x, y, name: String(i), picked: pickedNodes.has(i), start: i === picture.start }));
  const position = (field) => ({ field, type: "quantitative", axis: null, scale: { domain: [-0.06, 1.06], nice: false } });
  const place = { x: position("x"), y: position("y") };
  const color = { condition: { test: "datum.picked", value: "var(--accent)" }, value: "var(--muted)" };
  const width = { condition: { test: "datum.picked", value: 2.5 }, value: 0.8 };
  const opacity = { condition: { test: "datum.picked", value: 1 }, value: 0.55 };
  const layer = [
    { data: { values: edges }, mark: { type: "rule", aria: false },
      encoding: { ...place, x2: { field: "x2" }, y2: { field: "y2" }, color, opacity, strokeWidth: width, tooltip: { field: "tip" } } },
    { data: { values: nodes }, mark: { type: "circle", size: 330, opacity: 1, strokeWidth: 2, aria: false },
      encoding: { ...place,
        fill: { condition: { test: "datum.picked", value: "var(--accent)" }, value: "var(--paper)" },
        stroke: { condition: { test: "datum.picked || datum.start", value: "var(--accent)" }, value: "var(--muted)" } } },
    { data: { values: nodes }, mark: { type: "text", fontSize: 11, aria: false },
      encoding: { ...place, text: { field: "name" },
        color: { condition: { test: "datum.picked", value: "var(--paper)" }, value: "var(--ink)" } } },
  ];
  if (picture.directed) {
    layer.splice(1, 0, {
      data: { values: edges.map((edge) => ({ ...edge.arrow, picked: edge.picked })) },
      mark: { type: "point", shape: "triangle-up", filled: true, size: 40, aria: false },
      encoding: { ...place, angle: { field: "angle", type: "quantitative", scale: null }, color, opacity },
    });
  }
  return draw(target, { description: describe(picture), width: PICTURE, height: PICTURE, padding: 2, layer });
}
