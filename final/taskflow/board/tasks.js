// The tasks as this page knows them: fetched in pages, kept current by events.
//
// A task that has been seen is never replaced by an older version of it, so a page of tasks and an
// event may arrive in any order. There is a bound: a server may have a million tasks, and a page
// in a browser should not.

import { ask } from "./api.js";

const PAGE = 1_000; // tasks in one request
const FIRST_PAGE = `/tasks?limit=${PAGE}`;
const BATCH = 10_000; // tasks that are loaded without being asked for more

export class Tasks {
  constructor(changed) {
    this.changed = changed; // called after each change
    this.byId = new Map();
    this.bound = BATCH;
    this.clear();
  }

  clear() {
    this.byId.clear();
    this.next = null; // the address of the next page, once the first has been loaded
    this.complete = false; // whether the server has no more
    this.loading = null; // what is being loaded, if something is
    this.changed();
  }

  get(id) {
    return this.byId.get(id);
  }

  get all() {
    return [...this.byId.values()];
  }

  /** Load everything anew, up to a bound, and show the old until it is there. Raises ApiError. */
  async reload() {
    const loading = { byId: new Map(), deleted: new Set() };
    this.loading = loading;
    if (this.byId.size === 0) this.byId = loading.byId; // nothing old to show: show what comes
    const place = await this.pages(loading, FIRST_PAGE, this.bound);
    if (this.loading !== loading) return; // signed out, or begun anew
    this.byId = loading.byId;
    this.loading = null;
    Object.assign(this, place);
    this.changed();
  }

  /** Load another batch of what the server has. Raises ApiError. */
  async loadMore() {
    const loading = { byId: this.byId, deleted: new Set() };
    this.loading = loading;
    this.bound += BATCH;
    const place = await this.pages(loading, this.next ?? FIRST_PAGE, this.bound);
    if (this.loading !== loading) return;
    this.loading = null;
    Object.assign(this, place);
    this.changed();
  }

  /** Load the first tasks of one status, which may be far behind the bound. Raises ApiError. */
  async loadStatus(status) {
    const response = await ask("GET", `${FIRST_PAGE}&status=${status}`);
    for (const task of await response.json()) this.put(task);
  }

  /** Load page after page. The link to the next one stays good when tasks are deleted. */
  async pages(loading, next, bound) {
    for (;;) {
      const response = await ask("GET", next);
      const page = await response.json();
      if (this.loading !== loading) return {};
      for (const task of page) {
        if (!loading.deleted.has(task.id)) keepNewer(loading.byId, task);
      }
      const link = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("Link") ?? "");
      const complete = link === null;
      if (!complete) next = link[1];
      this.changed();
      if (complete || loading.byId.size >= bound) return { complete, next };
    }
  }

  /** Take in a task that the server has sent. */
  put(task) {
    if (this.byId.size >= 2 * this.bound && !this.byId.has(task.id)) {
      this.complete = false; // a flood: it can be loaded when somebody wants it
      return;
    }
    keepNewer(this.byId, task);
    if (this.loading) keepNewer(this.loading.byId, task);
    this.changed();
  }

  drop(id) {
    this.byId.delete(id);
    if (this.loading) {
      this.loading.byId.delete(id);
      this.loading.deleted.add(id);
    }
    this.changed();
  }

  /** Return what the page shows of a task's status: a pending one is ready or blocked. */
  stateOf(task) {
    if (task.status !== "pending") return task.status;
    return task.dependencies.some((id) => this.isOpen(id)) ? "blocked" : "ready";
  }

  isOpen(id) {
    const task = this.byId.get(id);
    return task !== undefined && task.status !== "completed";
  }

  /** Return how many tasks there are in each state. O(tasks + dependencies). */
  counts() {
    const counts = { ready: 0, blocked: 0, "in-progress": 0, completed: 0 };
    for (const task of this.byId.values()) counts[this.stateOf(task)] += 1;
    return counts;
  }

  /** Return the title of a task, or what can be said of one that is not here. */
  titleOf(id) {
    return this.byId.get(id)?.title ?? id;
  }
}

function keepNewer(byId, task) {
  const known = byId.get(task.id);
  if (known === undefined || known.updatedAt <= task.updatedAt) byId.set(task.id, task);
}
