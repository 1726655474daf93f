// The board: puts the parts together, and says what follows from what.
//
//     server ─► Live (events) ─► Tasks (what is known) ─► list, heap, graph, counts
//     person ─► list, Editor, buttons ─► requests ─► server, which tells everybody by an event

import { call, mayWrite, onUnauthorized, takeTokenFromLink, token } from "./api.js";
import { byId, element, isolated, number, setText, throttled } from "./dom.js";
import { Editor } from "./editor.js";
import { EventLog } from "./events.js";
import { GraphView } from "./graph.js";
import { HeapView } from "./heap.js";
import { TaskList } from "./list.js";
import { Live } from "./live.js";
import { SystemView } from "./system.js";
import { Tasks } from "./tasks.js";

const MESSAGE_STAYS = 6_000; // milliseconds; an error stays until it is closed
const MOST_MESSAGES = 3;
const RETRY_AFTER = 2_000;

const CONNECTION = {
  connecting: "Connecting …",
  live: "Live",
  offline: "Connection lost, trying again",
  reconnecting: "Connecting again …",
};

const tasks = new Tasks(() => changed());
const list = new TaskList(tasks, { open, setStatus, filter, fetch: fetchTask, more });
const editor = new Editor(tasks, { done, closed: () => render() });
const heap = new HeapView(tasks, open);
const graph = new GraphView(tasks, open);
const events = new EventLog();
const system = new SystemView();
const live = new Live({ state: showConnection, live: arrived, gap: load, event: happened });

const render = throttled(120, () => {
  list.render();
  const counts = tasks.counts();
  const more = tasks.complete ? "" : "+";
  for (const name of ["blocked", "in-progress", "completed"]) {
    setText(byId(`count-${name}`), `${number(counts[name])}${more}`);
  }
});

function changed() {
  if (byId("board").hidden) return;
  render();
  graph.refresh();
}

// Signing in and out.

async function begin() {
  const attempt = token.get();
  try {
    const writes = await mayWrite();
    if (attempt === token.get()) showBoard(writes);
  } catch (error) {
    if (error.status === 401) showSignIn("This server does not know that token.");
    else showSignIn(error.message, attempt); // the token may be good: it need not be typed again
  }
}

function showBoard(writes) {
  byId("sign-in").hidden = true;
  for (const id of ["board", "top-actions", "connection"]) byId(id).hidden = false;
  byId("read-only").hidden = writes;
  list.writes = editor.writes = writes;
  for (const id of ["create", "claim"]) byId(id).disabled = !writes;
  live.start();
  system.start();
}

function showSignIn(problem = "", typed = "") {
  live.stop();
  system.stop();
  token.clear();
  tasks.clear();
  events.clear();
  heap.clear();
  if (editor.dialog.open) editor.dialog.close();
  for (const id of ["board", "top-actions", "connection", "retry"]) byId(id).hidden = true;
  byId("messages").replaceChildren();
  byId("sign-in").hidden = false;
  setText(byId("token-error"), problem);
  byId("token").value = typed;
  byId("token").focus();
}

// The live connection.

function showConnection(state) {
  byId("connection").dataset.state = state;
  setText(byId("connection"), CONNECTION[state]);
  byId("retry").hidden = state !== "offline";
}

function arrived() {
  if (tasks.next === null && !tasks.complete) load();
  heap.refresh();
  system.look();
}

async function load() {
  try {
    await tasks.reload();
    heap.refresh();
  } catch (error) {
    if (byId("board").hidden || error.status === 401) return;
    if (error.status !== 0) say(error.message, error);
    setTimeout(() => live.running && load(), RETRY_AFTER);
  }
}

function happened(event) {
  if (event.task) {
    const title = event.task.title ?? tasks.titleOf(event.task.id);
    events.add(event, title);
    if (event.type === "task.deleted") tasks.drop(event.task.id);
    else tasks.put(event.task);
    heap.refresh();
  } else {
    events.add(event, `job ${event.jobId}`);
  }
}

// What a person does.

function open(id) {
  const task = tasks.get(id);
  if (id !== undefined && !task) return;
  if (task) {
    heap.chosen = id;
    heap.render();
    graph.choose(id);
  }
  editor.open(task ?? null);
}

function done(text, task, deletedId) {
  if (task) tasks.put(task);
  if (deletedId) tasks.drop(deletedId);
  say(text);
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (error.status !== 401) say(error.message, error);
  }
}

function setStatus(task, status) {
  return attempt(async () => tasks.put(await call("PATCH", `/tasks/${task.id}`, { status })));
}

function claim() {
  return attempt(async () => {
    const task = await call("POST", "/tasks/claim");
    if (task) tasks.put(task);
    say(task ? `Claimed ${isolated(task.title)}` : "Nothing is ready to be claimed.");
  });
}

function filter(status) {
  if (status && !tasks.complete) attempt(() => tasks.loadStatus(status));
}

function fetchTask(id) {
  return attempt(async () => tasks.put(await call("GET", `/tasks/${id}`)));
}

function more() {
  return attempt(() => tasks.loadMore());
}

/** Show a message; one about a refusal stays until somebody closes it. */
function say(text, error = null) {
  const close = element("button", { type: "button", class: "quiet small" }, "Close");
  const trace = error?.requestId ? `${error.code}, request ${error.requestId}` : "";
  const message = element(
    "div",
    { class: error ? "message bad" : "message" },
    element("p", {}, text, element("span", { class: "muted trace" }, trace)),
    close,
  );
  close.addEventListener("click", () => message.remove());
  if (!error) setTimeout(() => message.remove(), MESSAGE_STAYS);
  byId("messages").append(message);
  while (byId("messages").children.length > MOST_MESSAGES) byId("messages").firstChild.remove();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set(byId("token").value.trim());
  setText(byId("token-error"), "");
  begin();
});
byId("sign-out").addEventListener("click", () => showSignIn());
byId("create").addEventListener("click", () => open());
byId("claim").addEventListener("click", claim);
byId("retry").addEventListener("click", () => live.tryNow());
document.addEventListener("visibilitychange", () => {
  if (live.running) heap.refresh(); // nothing was drawn while nobody looked
});
onUnauthorized(() => {
  if (!byId("board").hidden) showSignIn("The server does not know this token any more.");
});
addEventListener("hashchange", () => {
  if (takeTokenFromLink()) location.reload();
});

takeTokenFromLink();
if (token.get()) begin();
else showSignIn();
