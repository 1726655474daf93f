// The events as they arrive: the last of them, the newest on top, and a summary to be read aloud.

import { isOwn } from "./api.js";
import { byId, clockTime, element, isolated, number, setText, throttled } from "./dom.js";

const KEPT = 100;
const SPEAK_EVERY = 6_000; // milliseconds: a screen reader must be able to finish its sentence

const NAMES = {
  "task.created": "Created",
  "task.updated": "Updated",
  "task.deleted": "Deleted",
  "report.completed": "Report done",
  "report.failed": "Report failed",
};

export class EventLog {
  constructor() {
    this.waiting = []; // to be shown with the next frame, so that a flood costs one change a frame
    this.unspoken = 0;
    this.show = throttled(100, () => this.render());
    this.speak = throttled(SPEAK_EVERY, () => this.summarize());
    this.clear();
  }

  clear() {
    this.waiting.length = 0;
    byId("events").replaceChildren();
    byId("events-empty").hidden = false;
    this.count = 0;
  }

  /** Note an event, with the title that its task has or had. */
  add(event, title) {
    this.waiting.push({ event, title });
    if (this.waiting.length > KEPT) this.waiting.shift();
    this.count += 1;
    this.last = `${NAMES[event.type] ?? event.type} ${isolated(title)}`;
    this.unspoken += 1;
    this.show();
    this.speak();
  }

  render() {
    const list = byId("events");
    list.prepend(...this.waiting.reverse().map(entry));
    this.waiting.length = 0;
    while (list.children.length > KEPT) list.lastChild.remove();
    byId("events-empty").hidden = list.children.length > 0;
    const note = this.count > KEPT ? `the last ${KEPT} of ${number(this.count)}` : "as they arrive";
    setText(byId("events-note"), note);
  }

  summarize() {
    const others = this.unspoken > 1 ? `${number(this.unspoken)} events, the last: ` : "";
    setText(byId("events-spoken"), `${others}${this.last}`);
    this.unspoken = 0;
  }
}

function entry({ event, title }) {
  const id = event.requestId ?? "";
  const who = isOwn(id) ? "you" : id.slice(0, 8);
  return element(
    "li",
    {},
    element("time", { datetime: event.timestamp, class: "muted" }, clockTime(event.timestamp)),
    element("span", { class: "kind", "data-kind": event.type }, NAMES[event.type] ?? event.type),
    element("span", { class: "name", dir: "auto" }, title),
    element("span", { class: "muted trace", title: `Request ${id}` }, `#${event.seq} ${who}`),
  );
}
