// What the two drawings share: the box of a task, and a way through the boxes by keyboard.

import { clip, element, isolated, shape, shortNumber } from "./dom.js";
import { STATES } from "./list.js";

const CHARACTER = 6.4; // pixels, about, of the small text in a box

/** Return the box of a task, as a button that opens it. */
export function box({ task, state, left, top, width, height, label, open, chosen }) {
  const middle = left + width / 2;
  const fits = Math.max(2, Math.floor((width - 10) / CHARACTER));
  const node = shape(
    "g",
    {
      class: chosen ? "node chosen" : "node",
      role: "button",
      tabindex: "-1",
      "data-id": task.id,
      "data-state": state,
      "aria-label": `${isolated(task.title)}, priority ${task.priority}, ${STATES[state]}${label}`,
      click: () => open(task.id),
    },
    shape("title", {}, task.title),
    shape("rect", { x: left, y: top, width, height, rx: 8 }),
    shape("text", { x: middle, y: top + 16, class: "strong" }, shortNumber(task.priority)),
    shape("text", { x: middle, y: top + 31, class: "small" }, clip(task.title, fits)),
  );
  return node;
}

/** Show a drawing of this size. The focus stays on the task that had it. */
export function draw(container, label, width, height, ...parts) {
  const focused = container.contains(document.activeElement);
  const before = container.querySelector(".node[tabindex='0']")?.dataset.id;
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const drawing = shape("svg", { ...size, role: "group", "aria-label": label }, ...parts);
  container.replaceChildren(drawing);
  const nodes = [...container.querySelectorAll(".node")];
  const current = nodes.find((node) => node.dataset.id === before) ?? nodes[0];
  current?.setAttribute("tabindex", "0");
  if (focused) current?.focus({ preventScroll: true });
}

/** Show a sentence instead of a drawing. */
export function drawNothing(container, text) {
  container.replaceChildren(element("p", { class: "empty" }, text));
}

/** Let arrows walk from box to box: a drawing is one stop for Tab, however many boxes it has. */
export function walkable(container) {
  container.addEventListener("keydown", (event) => {
    const nodes = [...container.querySelectorAll(".node")];
    const index = nodes.indexOf(document.activeElement);
    if (index < 0) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      document.activeElement.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      return;
    }
    const target = nodes[following(event.key, index, nodes.length - 1)];
    if (!target) return;
    event.preventDefault();
    nodes[index].setAttribute("tabindex", "-1");
    target.setAttribute("tabindex", "0");
    target.focus();
  });
}

function following(key, index, last) {
  if (key === "ArrowRight" || key === "ArrowDown") return Math.min(index + 1, last);
  if (key === "ArrowLeft" || key === "ArrowUp") return Math.max(index - 1, 0);
  if (key === "Home") return 0;
  if (key === "End") return last;
  return undefined;
}
