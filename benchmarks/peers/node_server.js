// The tasks on Node.js and its own `http` module, without a package: one process, one thread.
//
// The same routes for tasks, checks of the same fields, two tokens compared in constant time, a
// request id for every answer and a line of JSON for each, kept ready and written five times a
// second: what a careful programmer writes by hand. An answer is made by `JSON.stringify` when it
// is asked for, as everybody does. Neither priority queue nor events, nor guards of Host and
// Origin: where this differs from ours, it has less to do.

"use strict";

const { randomUUID, timingSafeEqual } = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");

const MAX_BODY = 1024 * 1024; // bytes
const MAX_LINES = 10_000; // of the log, that wait to be written
const FLUSH = 200; // milliseconds
const STATUSES = new Set(["pending", "in-progress", "completed"]);
const ADMIN = Buffer.from(process.env.TASKFLOW_ADMIN_TOKEN);
const USER = Buffer.from(process.env.TASKFLOW_USER_TOKEN);

const tasks = new Map();

class Refusal extends Error {
  constructor(status, code, message, headers = {}) {
    super(message);
    Object.assign(this, { status, code, headers });
  }
}

// The log.

let lines = [];
let dropped = 0;

function log(request, response, id, path, bytes, started) {
  if (lines.length >= MAX_LINES) {
    dropped += 1;
    return;
  }
  const milliseconds = Math.round((performance.now() - started) * 100) / 100;
  const entry = {
    time: new Date().toISOString(),
    level: "info",
    requestId: id,
    method: request.method,
    path,
    status: response.statusCode,
    bytes,
    ms: milliseconds,
  };
  lines.push(JSON.stringify(entry) + "\n");
}

let writing = false;

function flush() {
  if (writing || !lines.length) return;
  if (dropped) lines.push(JSON.stringify({ level: "warning", droppedAccessLines: dropped }) + "\n");
  const text = lines.join("");
  lines = [];
  dropped = 0;
  writing = true;
  fs.write(2, text, () => {
    writing = false;
  });
}

// Who asks.

function isSame(token, expected) {
  return token.length === expected.length && timingSafeEqual(token, expected);
}

function authenticate(request) {
  const shown = request.headers.authorization ?? "";
  const token = Buffer.from(/^bearer /i.test(shown) ? shown.slice(7).trim() : shown);
  const isAdmin = isSame(token, ADMIN);
  const isUser = isSame(token, USER);
  if (!isAdmin && !isUser) {
    const how = { "WWW-Authenticate": "Bearer" };
    throw new Refusal(401, "INVALID_TOKEN", "a valid token is needed", how);
  }
  if (!isAdmin && request.method !== "GET" && request.method !== "HEAD") {
    throw new Refusal(403, "INSUFFICIENT_PERMISSIONS", "this needs the admin token");
  }
}

// What a task may hold.

function text(name, value, shortest, longest) {
  if (typeof value !== "string") throw invalid(name, "must be a string");
  if (value.includes("\0")) throw invalid(name, "must not contain NUL");
  if (value.length < shortest || value.length > longest) {
    throw invalid(name, `must have ${shortest} to ${longest} characters`);
  }
  return value;
}

function invalid(name, reason) {
  return new Refusal(422, "VALIDATION_ERROR", `${name}: ${reason}`);
}

const CHECKS = {
  __proto__: null,
  title: (value) => text("title", typeof value === "string" ? value.trim() : value, 1, 200),
  description: (value) => text("description", value, 0, 10_000),
  status(value) {
    if (!STATUSES.has(value)) throw invalid("status", "must be one of " + [...STATUSES].join(", "));
    return value;
  },
  priority(value) {
    if (!Number.isInteger(value)) throw invalid("priority", "must be an integer");
    if (Math.abs(value) > 1e9) throw invalid("priority", "must be from -1000000000 to 1000000000");
    return value;
  },
  dependencies(value) {
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
      throw invalid("dependencies", "must be a list of task ids");
    }
    if (value.length > 1_000) throw invalid("dependencies", "must have at most 1000 ids");
    if (new Set(value).size !== value.length) throw invalid("dependencies", "must not repeat an id");
    return value;
  },
};

function checkFields(values) {
  const fields = {};
  for (const [name, value] of Object.entries(values)) {
    if (!(name in CHECKS)) throw invalid(name.slice(0, 64), "is not a field that can be set");
    fields[name] = CHECKS[name](value);
  }
  for (const id of fields.dependencies ?? []) {
    if (!tasks.has(id)) throw new Refusal(422, "MISSING_DEPENDENCY", `there is no task ${id}`);
  }
  return fields;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

async function readObject(request) {
  const type = request.headers["content-type"];
  if (type !== undefined && type.split(";")[0].trim().toLowerCase() !== "application/json") {
    throw new Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json");
  }
  let size = 0;
  const pieces = [];
  await new Promise((resolve, reject) => {
    request.on("data", (piece) => {
      size += piece.length;
      if (size > MAX_BODY) reject(new Refusal(413, "PAYLOAD_TOO_LARGE", "the body is too large"));
      else pieces.push(piece);
    });
    request.on("end", resolve);
    request.on("error", reject);
  });
  let value;
  try {
    value = JSON.parse(decoder.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)));
  } catch (error) {
    throw new Refusal(400, "INVALID_JSON", `this is not JSON: ${error.message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Refusal(400, "INVALID_JSON", "this is JSON, but not an object");
  }
  return value;
}

// The routes: each returns status, value and headers.

function find(id) {
  const task = tasks.get(id);
  if (task === undefined) throw new Refusal(404, "TASK_NOT_FOUND", `there is no task ${id}`);
  return task;
}

const COLLECTION = {
  GET(request, query) {
    const limit = Number(new URLSearchParams(query).get("limit") ?? 1_000);
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
      throw invalid("limit", "must be a whole number from 1 to 10000");
    }
    return [200, [...tasks.values()].slice(0, limit)];
  },
  async POST(request) {
    const fields = checkFields(await readObject(request));
    if (!("title" in fields)) throw invalid("title", "is required");
    const now = new Date().toISOString();
    const task = {
      id: randomUUID(),
      title: fields.title,
      description: fields.description ?? "",
      status: fields.status ?? "pending",
      priority: fields.priority ?? 1,
      dependencies: fields.dependencies ?? [],
      createdAt: now,
      updatedAt: now,
    };
    tasks.set(task.id, task);
    return [201, task, { Location: `/tasks/${task.id}` }];
  },
};

async function change(request, query, id) {
  const values = await readObject(request);
  const task = { ...find(id), ...checkFields(values), updatedAt: new Date().toISOString() };
  tasks.set(id, task);
  return [200, task];
}

const ITEM = {
  GET: (request, query, id) => [200, find(id)],
  PATCH: change,
  PUT: change,
  DELETE(request, query, id) {
    find(id);
    tasks.delete(id);
    return [204];
  },
};

const HEALTH = {
  GET: () => [200, { status: "healthy", timestamp: new Date().toISOString() }],
};

function route(request, path, query) {
  if (path !== "/health") authenticate(request);
  let handlers;
  let id;
  if (path === "/health") handlers = HEALTH;
  else if (path === "/tasks") handlers = COLLECTION;
  else if (path.startsWith("/tasks/") && !path.includes("/", 7)) {
    handlers = ITEM;
    id = decodeURIComponent(path.slice(7));
  } else throw new Refusal(404, "NOT_FOUND", `there is nothing at ${path}`);
  const handler = handlers[request.method === "HEAD" ? "GET" : request.method];
  if (handler === undefined) {
    const allowed = { Allow: Object.keys(handlers).join(", ") };
    throw new Refusal(405, "METHOD_NOT_ALLOWED", `${request.method} is not allowed`, allowed);
  }
  return handler(request, query, id);
}

function refusal(error, id) {
  if (!(error instanceof Refusal)) {
    process.stderr.write(JSON.stringify({ level: "error", message: error.stack }) + "\n");
    error = new Refusal(500, "INTERNAL_ERROR", "the server has failed");
  }
  const { code, message } = error;
  const details = { code, message, requestId: id, timestamp: new Date().toISOString() };
  return [error.status, { error: details }, error.headers];
}

async function serve(request, response) {
  const started = performance.now();
  const id = randomUUID();
  const mark = request.url.indexOf("?");
  const path = mark < 0 ? request.url : request.url.slice(0, mark);
  let answer;
  try {
    answer = await route(request, path, mark < 0 ? "" : request.url.slice(mark));
  } catch (error) {
    answer = refusal(error, id);
  }
  const [status, value, headers] = answer;
  const head = { "X-Request-Id": id, ...headers };
  let body = "";
  if (value !== undefined) {
    body = JSON.stringify(value);
    head["Content-Type"] = "application/json; charset=utf-8";
    head["Content-Length"] = Buffer.byteLength(body);
  }
  response.writeHead(status, head);
  response.end(body);
  log(request, response, id, path, head["Content-Length"] ?? 0, started);
}

setInterval(flush, FLUSH);
const server = http.createServer(serve);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => {
  flush();
  process.exit();
});
