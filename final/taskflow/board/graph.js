// What depends on what, drawn in layers: each task stands to the right of all that it waits for.
//
// A small graph is drawn whole. Of a large one, only what is near the chosen task.

import { byId, number, setText, shape, throttled } from "./dom.js";
import { box, draw, drawNothing, walkable } from "./drawing.js";

const MOST = 24; // boxes in a drawing
const WIDTH = 132; // of a box
const HEIGHT = 40;
const BETWEEN = 44; // from one layer to the next
const GAP = 12;
const MARGIN = 3;

export class GraphView {
  constructor(tasks, open) {
    this.tasks = tasks;
    this.open = open;
    this.container = byId("graph");
    this.chosen = null; // the id of the task that was opened last
    this.refresh = throttled(400, () => this.render());
    walkable(this.container);
  }

  choose(id) {
    this.chosen = id;
    this.render();
  }

  render() {
    const graph = connected(this.tasks);
    if (graph.size === 0) {
      setText(byId("graph-note"), "");
      drawNothing(this.container, "No task depends on another. Open one to connect it.");
      return;
    }
    const whole = graph.size <= MOST;
    const center = this.centerOf(graph);
    const ids = whole ? [...graph.keys()] : near(graph, center);
    const around = `${number(ids.length)} of ${number(graph.size)}, near the marked task`;
    setText(byId("graph-note"), whole ? "each after what it waits for" : around);
    this.drawLayers(graph, layersOf(graph, ids), whole ? this.chosen : center);
    if (!whole && center !== this.center) this.scrollTo(center);
    this.center = center;
  }

  centerOf(graph) {
    for (const id of [this.chosen, this.center]) if (graph.has(id)) return id;
    return mostConnected(graph); // nobody has chosen one
  }

  drawLayers(graph, layers, marked) {
    const places = placesOf(layers);
    const edges = [];
    const boxes = [];
    for (const [id, place] of places) {
      const { task, before } = graph.get(id);
      const names = before.map((other) => this.tasks.titleOf(other)).slice(0, 3);
      boxes.push(
        box({
          task,
          ...place,
          state: this.tasks.stateOf(task),
          label: names.length ? `, after ${names.join(", ")}` : "",
          open: this.open,
          chosen: id === marked,
        }),
      );
      for (const other of before) if (places.has(other)) edges.push(arrow(places.get(other), place));
    }
    const tallest = Math.max(...layers.map((layer) => layer.length));
    const width = layers.length * (WIDTH + BETWEEN) - BETWEEN + 2 * MARGIN;
    const height = tallest * (HEIGHT + GAP) - GAP + 2 * MARGIN;
    draw(this.container, `The graph: ${places.size} tasks`, width, height, ...edges, ...boxes);
  }

  scrollTo(id) {
    const rect = this.container.querySelector(`[data-id="${CSS.escape(id)}"] rect`);
    if (!rect) return;
    const { clientWidth, clientHeight } = this.container;
    const left = rect.x.baseVal.value + WIDTH / 2 - clientWidth / 2;
    const top = rect.y.baseVal.value + HEIGHT / 2 - clientHeight / 2;
    this.container.scrollTo({ left, top, behavior: "instant" });
  }
}

/** Return the tasks that have an edge, each with those before and behind it. O(tasks + edges). */
function connected(tasks) {
  const graph = new Map();
  const nodeOf = (id) => {
    if (!graph.has(id)) graph.set(id, { task: tasks.get(id), before: [], behind: [] });
    return graph.get(id);
  };
  for (const task of tasks.byId.values()) {
    for (const id of task.dependencies) {
      if (!tasks.get(id)) continue; // not loaded here
      nodeOf(task.id).before.push(id);
      nodeOf(id).behind.push(task.id);
    }
  }
  return graph;
}

function mostConnected(graph) {
  let [best, most] = [null, 0];
  for (const [id, { before, behind }] of graph) {
    if (before.length + behind.length > most) [best, most] = [id, before.length + behind.length];
  }
  return best;
}

/** Return the ids nearest to one, breadth first, in both directions. */
function near(graph, center) {
  const found = new Set([center]);
  for (const id of found) {
    const { before, behind } = graph.get(id);
    for (const other of [...before, ...behind]) {
      if (found.size === MOST) return [...found];
      found.add(other); // a set that grows while it is walked through: the queue of the search
    }
  }
  return [...found];
}

/** Return the ids by layer: that of a task is one more than the highest of those before it. */
function layersOf(graph, ids) {
  const depths = new Map();
  const inside = new Set(ids);
  const waiting = new Map(
    ids.map((id) => [id, graph.get(id).before.filter((other) => inside.has(other)).length]),
  );
  const ready = ids.filter((id) => waiting.get(id) === 0);
  for (const id of ready) {
    depths.set(id, depths.get(id) ?? 0);
    for (const other of graph.get(id).behind) {
      if (!inside.has(other)) continue;
      depths.set(other, Math.max(depths.get(other) ?? 0, depths.get(id) + 1));
      waiting.set(other, waiting.get(other) - 1);
      if (waiting.get(other) === 0) ready.push(other);
    }
  }
  const layers = [];
  for (const id of ready) (layers[depths.get(id)] ??= []).push(id);
  return ordered(graph, layers);
}

/** Order each layer by where the tasks before are: fewer edges cross (Sugiyama, barycenters). */
function ordered(graph, layers) {
  const rows = new Map();
  for (const layer of layers) {
    const centers = new Map(
      layer.map((id, index) => {
        const above = graph.get(id).before.filter((other) => rows.has(other));
        const sum = above.reduce((total, other) => total + rows.get(other), 0);
        return [id, above.length ? sum / above.length : index];
      }),
    );
    layer.sort((one, other) => centers.get(one) - centers.get(other));
    layer.forEach((id, index) => rows.set(id, index));
  }
  return layers;
}

function placesOf(layers) {
  const tallest = Math.max(...layers.map((layer) => layer.length));
  const places = new Map();
  layers.forEach((layer, column) => {
    const shift = ((tallest - layer.length) * (HEIGHT + GAP)) / 2; // each layer in the middle
    layer.forEach((id, row) => {
      const left = MARGIN + column * (WIDTH + BETWEEN);
      const top = MARGIN + shift + row * (HEIGHT + GAP);
      places.set(id, { left, top, width: WIDTH, height: HEIGHT });
    });
  });
  return places;
}

function arrow(from, to) {
  const [x1, y1] = [from.left + WIDTH, from.top + HEIGHT / 2];
  const [x2, y2] = [to.left - 7, to.top + HEIGHT / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  return shape(
    "g",
    { class: "arrow" },
    shape("path", { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }),
    shape("polygon", { points: `${x2},${y2 - 4} ${x2 + 7},${y2} ${x2},${y2 + 4}` }),
  );
}
