// The dialog in which a task is made, looked at, changed, connected and deleted.
//
// Only what was changed is sent, so that two people may change different fields of one task.

import { call } from "./api.js";
import { byId, element, isolated, setText } from "./dom.js";
import { Picker } from "./picker.js";

const FIELDS = ["title", "description", "priority", "status", "dependencies"];
const NEW = { title: "", description: "", priority: 1, status: "pending", dependencies: [] };

export class Editor {
  /** `on` has the functions done(text, task) and closed(). */
  constructor(tasks, on) {
    this.tasks = tasks;
    this.on = on;
    this.dialog = byId("editor");
    this.form = byId("editor-form");
    this.picker = new Picker(tasks);
    this.writes = true;
    byId("editor-close").addEventListener("click", () => this.dialog.close());
    byId("delete").addEventListener("click", () => this.deletePressed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(() => this.save());
    });
    this.dialog.addEventListener("close", () => on.closed());
  }

  /** Show a task, or an empty form for a new one. */
  open(task = null) {
    this.task = task;
    const value = task ?? NEW;
    setText(byId("editor-title"), task ? "Task" : "New task");
    for (const name of ["title", "description", "priority", "status"]) {
      this.form.elements[name].value = String(value[name]);
    }
    this.picker.show(task?.id ?? null, value.dependencies, this.writes);
    this.clearProblems();
    this.showFacts();
    for (const name of ["title", "description", "priority"]) {
      this.form.elements[name].readOnly = !this.writes;
    }
    this.form.elements.status.disabled = !this.writes;
    setText(byId("save"), task ? "Save changes" : "Create task");
    byId("save").hidden = !this.writes;
    byId("delete").hidden = !this.writes || !task;
    this.askToDelete(false);
    this.dialog.showModal();
    if (this.writes) this.form.elements.title.focus();
    this.dialog.scrollTop = 0;
  }

  showFacts() {
    const facts = byId("facts");
    facts.replaceChildren();
    if (!this.task) return;
    const dependents = this.tasks.all.filter((task) => task.dependencies.includes(this.task.id));
    const names = dependents.slice(0, 5).map((task) => isolated(task.title));
    if (dependents.length > 5) names.push(`${dependents.length - 5} more`);
    const rows = [
      ["Needed by", names.join(", ") || "no task"],
      ["Created", new Date(this.task.createdAt).toLocaleString("en-GB")],
      ["Updated", new Date(this.task.updatedAt).toLocaleString("en-GB")],
      ["Id", this.task.id],
    ];
    for (const [term, text] of rows) {
      facts.append(element("div", {}, element("dt", {}, term), element("dd", {}, text)));
    }
  }

  /** Return what is in the form. A priority that is no number is for the server to refuse. */
  values() {
    const { title, description, priority, status } = this.form.elements;
    const text = priority.value.trim();
    return {
      title: title.value,
      description: description.value,
      priority: /^[+-]?\d+$/.test(text) ? Number(text) : text,
      status: status.value,
      dependencies: this.picker.ids,
    };
  }

  async save() {
    const values = this.values();
    if (!this.task) {
      const task = await call("POST", "/tasks", values);
      this.finish(`Created ${isolated(task.title)}`, task);
      return;
    }
    const before = this.task;
    const changed = FIELDS.filter((name) => String(values[name]) !== String(before[name]));
    const fields = Object.fromEntries(changed.map((name) => [name, values[name]]));
    const task = await call("PATCH", `/tasks/${before.id}`, fields);
    this.finish(changed.length ? `Saved ${isolated(task.title)}` : "Nothing was changed", task);
  }

  /** Delete at the second press: the first one asks. */
  deletePressed() {
    if (!this.asked) {
      this.askToDelete(true);
      return;
    }
    this.attempt(async () => {
      await call("DELETE", `/tasks/${this.task.id}`);
      this.finish(`Deleted ${isolated(this.task.title)}`, null, this.task.id);
    });
  }

  askToDelete(asked) {
    this.asked = asked;
    setText(byId("delete"), asked ? "Really delete it?" : "Delete");
  }

  finish(text, task, deletedId = null) {
    this.dialog.close();
    this.on.done(text, task, deletedId);
  }

  async attempt(work) {
    const buttons = [byId("save"), byId("delete")];
    this.clearProblems();
    for (const button of buttons) button.disabled = true; // one press, one request
    try {
      await work();
    } catch (error) {
      this.refused(error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  clearProblems() {
    byId("editor-error").replaceChildren();
    for (const name of FIELDS) {
      setText(byId(`${name}-error`), "");
      this.control(name).removeAttribute("aria-invalid");
    }
  }

  control(name) {
    return name === "dependencies" ? byId("candidate") : this.form.elements[name];
  }

  /** Show why the server refused: at the field if it names one, with the cycle if there is one. */
  refused(error) {
    const { field, reason, cyclePath } = error.details ?? {};
    if (FIELDS.includes(field)) {
      setText(byId(`${field}-error`), `${field}: ${reason}`);
      this.control(field).setAttribute("aria-invalid", "true");
      this.control(field).focus();
      return;
    }
    const problem = element("p", {}, error.message);
    byId("editor-error").append(problem);
    if (cyclePath) {
      const steps = cyclePath.map((id) => element("li", { dir: "auto" }, this.tasks.titleOf(id)));
      const cycle = element("ol", { class: "cycle", "aria-label": "The cycle" }, ...steps);
      byId("editor-error").append(cycle);
    }
    this.dialog.scrollTop = 0;
  }
}
