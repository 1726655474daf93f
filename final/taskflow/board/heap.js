// The queue of ready tasks, drawn as what it is: an array that is read as a tree, in which no
// child is more urgent than its parent. The children of entry i are the entries 2i + 1 and 2i + 2.

import { ask } from "./api.js";
import { byId, number, setText, shape, throttled } from "./dom.js";
import { box, draw, drawNothing, walkable } from "./drawing.js";

const PAUSE = 500; // milliseconds from one look at the queue to the next
const HEIGHT = 40; // of a box
const LEVEL = 66;
const GAP = 8;
const MOST_LEVELS = 4;
const MOST_DRAWN = 2 ** MOST_LEVELS - 1;
const PADDING = 12; // of the container

export class HeapView {
  constructor(tasks, open) {
    this.tasks = tasks;
    this.open = open;
    this.container = byId("heap");
    this.shown = [];
    this.total = 0;
    /** Look at the queue again, but not all the time. */
    this.refresh = throttled(PAUSE, () => this.fetch());
    this.chosen = null;
    walkable(this.container);
    new ResizeObserver(throttled(100, () => this.render())).observe(this.container);
  }

  async fetch() {
    if (document.hidden) return;
    try {
      const response = await ask("GET", `/tasks/queue?limit=${MOST_DRAWN}`);
      this.shown = await response.json();
      this.total = Number(response.headers.get("X-Total-Count"));
    } catch {
      return; // the connection's state says it already
    }
    for (const task of this.shown) this.tasks.put(task); // to be opened
    this.render();
  }

  clear() {
    Object.assign(this, { shown: [], total: 0, chosen: null });
    this.render();
  }

  render() {
    setText(byId("count-ready"), number(this.total));
    if (!this.shown.length) {
      setText(byId("heap-note"), "");
      drawNothing(this.container, "Nothing is ready to be claimed.");
      return;
    }
    const width = Math.max(this.container.clientWidth - PADDING, 280);
    const most = width < 480 ? 3 : MOST_LEVELS;
    const drawn = this.shown.slice(0, 2 ** most - 1);
    const rest = this.total - drawn.length;
    const note = rest > 0 ? `the top, … ${number(rest)} more` : "the most urgent on top";
    setText(byId("heap-note"), note);
    const levels = Math.floor(Math.log2(drawn.length)) + 1;
    const places = drawn.map((_, index) => placeOf(index, width));
    const boxes = drawn.map((task, index) =>
      box({
        task,
        ...places[index],
        state: "ready",
        label: `, entry ${index}`,
        open: this.open,
        chosen: task.id === this.chosen,
      }),
    );
    const label = `The heap: ${number(this.total)} tasks, ${drawn.length} of them drawn`;
    const height = levels * LEVEL - (LEVEL - HEIGHT) + 4;
    draw(this.container, label, width, height, ...edges(places), ...boxes);
  }
}

/** Return where the box of an entry is. Entry i is on level log2(i + 1). */
function placeOf(index, full) {
  const level = Math.floor(Math.log2(index + 1));
  const across = full / 2 ** level;
  const width = Math.min(132, across - GAP);
  const left = (index + 1 - 2 ** level + 0.5) * across - width / 2;
  return { left, top: level * LEVEL + 2, width, height: HEIGHT };
}

function edges(places) {
  return places.slice(1).map((child, index) => {
    const parent = places[Math.floor(index / 2)];
    return shape("line", {
      class: "edge",
      x1: parent.left + parent.width / 2,
      y1: parent.top + HEIGHT,
      x2: child.left + child.width / 2,
      y2: child.top,
    });
  });
}
