// What a task depends on: the chosen tasks, and a search for more of them.

import { byId, element, isolated, setText } from "./dom.js";
import { STATES, UUID } from "./list.js";

const SHOWN = 6; // candidates at once
const MAX_CHOSEN = 1_000;

export class Picker {
  constructor(tasks) {
    this.tasks = tasks;
    this.input = byId("candidate");
    this.input.addEventListener("input", () => this.renderCandidates());
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // Enter takes the first one, and does not send the form
      byId("candidates").querySelector("button")?.click();
    });
  }

  /** Begin with these ids, for the task of this id or a new one. */
  show(taskId, ids, writes) {
    this.taskId = taskId;
    this.ids = [...ids];
    this.writes = writes;
    this.input.value = "";
    this.input.hidden = !writes;
    this.render();
  }

  render() {
    this.renderChosen();
    this.renderCandidates();
  }

  renderChosen() {
    const entries = this.ids.map((id) => this.chosen(id));
    if (!entries.length) entries.push(element("li", { class: "muted none" }, "Nothing"));
    byId("chosen").replaceChildren(...entries);
  }

  chosen(id) {
    const title = this.tasks.titleOf(id);
    const name = element("span", { dir: "auto", class: "name" }, title);
    const remove = element(
      "button",
      { type: "button", class: "small", "aria-label": `Remove ${isolated(title)}` },
      "Remove",
    );
    remove.addEventListener("click", () => {
      this.ids = this.ids.filter((other) => other !== id);
      this.render();
      this.input.focus();
    });
    return element("li", {}, name, ...(this.writes ? [remove] : []));
  }

  renderCandidates() {
    const wanted = this.input.value.trim().toLowerCase();
    const found = wanted ? this.search(wanted) : [];
    const entries = found.map(({ id, title, state }) => {
      const button = element(
        "button",
        { type: "button", class: "candidate", "aria-label": `Add ${isolated(title)}` },
        element("span", { dir: "auto", class: "name" }, title),
        element("span", { class: "muted" }, state),
      );
      button.addEventListener("click", () => this.add(id));
      return element("li", {}, button);
    });
    byId("candidates").replaceChildren(...entries);
    byId("candidates").hidden = !entries.length;
    setText(byId("candidates-note"), wanted ? `${entries.length} tasks found` : "");
  }

  /** Return the first few that match. An id may be of a task that is not loaded here. */
  search(wanted) {
    const found = [];
    for (const task of this.tasks.byId.values()) {
      if (task.id === this.taskId || this.ids.includes(task.id)) continue;
      if (!task.title.toLowerCase().includes(wanted) && task.id !== wanted) continue;
      found.push({ id: task.id, title: task.title, state: STATES[this.tasks.stateOf(task)] });
      if (found.length === SHOWN) return found;
    }
    if (!found.length && UUID.test(wanted) && !this.ids.includes(wanted)) {
      found.push({ id: wanted, title: wanted, state: "not loaded here" });
    }
    return found;
  }

  add(id) {
    if (this.ids.length < MAX_CHOSEN) this.ids.push(id);
    this.input.value = "";
    this.render();
    this.input.focus();
  }
}
