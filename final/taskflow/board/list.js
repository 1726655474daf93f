// The list of tasks: filtered, ordered, and a page of it shown.
//
// A row is made once for a task and changed in place, so that the keyboard's focus stays where it
// is while events arrive.

import { byId, element, isolated, number, setText } from "./dom.js";

const ROWS = 10; // on a page

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const STATES = {
  ready: "Ready",
  blocked: "Blocked",
  "in-progress": "In progress",
  completed: "Completed",
};

const ORDERS = {
  newest: (one, other) => compare(other.createdAt, one.createdAt),
  oldest: (one, other) => compare(one.createdAt, other.createdAt),
  priority: (one, other) =>
    other.priority - one.priority || compare(one.createdAt, other.createdAt),
};

const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

export class TaskList {
  /** `on` has the functions open(id), setStatus(task, status), filter(status),
   *  fetch(id) and more(). */
  constructor(tasks, on) {
    this.tasks = tasks;
    this.on = on;
    this.rows = new Map(); // by the id of the task
    this.page = 0;
    this.status = "";
    this.writes = true;
    byId("statuses").addEventListener("click", (event) => this.filter(event.target));
    byId("search").addEventListener("input", () => this.search());
    byId("order").addEventListener("change", () => this.turnTo(0));
    byId("previous").addEventListener("click", () => this.turnTo(this.page - 1));
    byId("next").addEventListener("click", () => this.turnTo(this.page + 1));
    byId("load-more").addEventListener("click", () => on.more());
  }

  filter(button) {
    if (button.dataset.status === undefined) return;
    this.status = button.dataset.status;
    for (const other of byId("statuses").children) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.turnTo(0);
    this.on.filter(this.status);
  }

  search() {
    this.turnTo(0);
    const wanted = byId("search").value.trim().toLowerCase();
    if (UUID.test(wanted) && !this.tasks.get(wanted)) this.on.fetch(wanted); // not loaded here
  }

  turnTo(page) {
    this.page = page;
    this.render();
  }

  /** Return what is to be shown, in its order. O(n log n) for n tasks. */
  found() {
    const wanted = byId("search").value.trim().toLowerCase();
    const found = this.tasks.all.filter(
      (task) =>
        (!this.status || task.status === this.status) &&
        (!wanted || task.title.toLowerCase().includes(wanted) || task.id === wanted),
    );
    const order = byId("order").value;
    if (order === "newest") found.reverse(); // of the same millisecond, the last comes first too
    return found.sort(ORDERS[order]);
  }

  render() {
    const found = this.found();
    const pages = Math.max(1, Math.ceil(found.length / ROWS));
    this.page = Math.min(Math.max(this.page, 0), pages - 1);
    this.place(found.slice(this.page * ROWS, (this.page + 1) * ROWS));
    this.say(found.length, pages);
  }

  /** Put the rows of these tasks into the list, and of no others. */
  place(shown) {
    const list = byId("tasks");
    const focused = [...list.children].findIndex((row) => row.contains(document.activeElement));
    const rows = new Map();
    for (const task of shown) {
      const row = this.rows.get(task.id) ?? this.newRow(task.id);
      this.fill(row, task);
      rows.set(task.id, row);
    }
    this.rows = rows;
    const wanted = [...rows.values()].map((row) => row.node);
    for (const node of [...list.children]) if (!wanted.includes(node)) node.remove();
    wanted.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
    if (focused >= 0 && !list.contains(document.activeElement)) {
      const next = wanted[Math.min(focused, wanted.length - 1)];
      (next?.querySelector("button") ?? byId("tasks-title")).focus();
    }
  }

  newRow(id) {
    const title = element("button", { type: "button", class: "title", dir: "auto" });
    const state = element("span", { class: "chip" });
    const priority = element("span", { class: "priority" });
    const needs = element("p", { class: "needs muted" });
    const change = element("button", { type: "button", class: "small" });
    const row = { state, title, priority, needs, change };
    title.addEventListener("click", () => this.on.open(id));
    change.addEventListener("click", () => this.on.setStatus(row.task, row.following));
    row.node = element(
      "li",
      {},
      element("div", { class: "what" }, title, needs),
      element("div", { class: "signs" }, state, priority),
      change,
    );
    return row;
  }

  fill(row, task) {
    row.task = task;
    const state = this.tasks.stateOf(task);
    const done = task.status === "completed";
    row.following = done ? "pending" : "completed";
    row.node.dataset.state = state;
    row.state.dataset.state = state;
    setText(row.state, STATES[state]);
    setText(row.title, task.title);
    setText(row.priority, `Priority ${number(task.priority)}`);
    setText(row.change, done ? "Reopen" : "Complete");
    row.change.setAttribute("aria-label", `${row.change.textContent} ${isolated(task.title)}`);
    row.change.disabled = !this.writes;
    this.fillNeeds(row.needs, task.dependencies);
  }

  /** Name what a task depends on: the first two, and how many more. */
  fillNeeds(needs, ids) {
    const names = ids.slice(0, 2).map((id) => isolated(this.tasks.titleOf(id)));
    const more = ids.length > 2 ? ` and ${number(ids.length - 2)} more` : "";
    setText(needs, ids.length ? `after ${names.join(", ")}${more}` : "");
    needs.hidden = ids.length === 0;
  }

  /** Say how much of how many is shown. */
  say(found, pages) {
    const { complete, loading } = this.tasks;
    const all = this.tasks.byId.size;
    const more = complete || loading ? "" : "+, the oldest of which are here";
    const note = this.status || byId("search").value.trim() ? `${number(found)} of ` : "";
    setText(byId("tasks-note"), loading && !all ? "Loading …" : `${note}${number(all)}${more}`);
    byId("tasks-empty").hidden = found > 0 || Boolean(loading);
    const nothing = "No tasks yet. New task makes the first one; what is ready can be claimed.";
    setText(byId("tasks-empty"), all ? "No task is like that." : nothing);
    byId("pager").hidden = pages === 1 && complete;
    setText(byId("page-note"), `Page ${number(this.page + 1)} of ${number(pages)}`);
    byId("previous").disabled = this.page === 0;
    byId("next").disabled = this.page === pages - 1;
    byId("load-more").hidden = complete || loading !== null;
  }
}
