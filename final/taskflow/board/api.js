// Requests to the server, and the token that they carry. The token lives in sessionStorage: it is
// this tab's alone, and gone when the tab is closed.

const KEY = "taskflow.token";

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value),
  clear: () => sessionStorage.removeItem(KEY),
};

/** Move a token out of a link such as /#token=SECRET, and out of the address bar at once. */
export function takeTokenFromLink() {
  const found = /^#token=([A-Za-z0-9._~-]{1,128})$/.exec(location.hash);
  if (!found) return false;
  token.set(found[1]);
  history.replaceState(null, "", location.pathname);
  return true;
}

/** Why the server refused, or could not be reached (then the status is 0). */
export class ApiError extends Error {
  constructor(status, { message, code = "", details = {}, requestId = "" }) {
    super(message);
    Object.assign(this, { status, code, details, requestId });
  }
}

let whenUnauthorized = () => {};

export function onUnauthorized(listener) {
  whenUnauthorized = listener;
}

const ownIds = new Set(); // of the requests that this tab made: so it knows its own events
const MAX_OWN_IDS = 500;

export const isOwn = (requestId) => ownIds.has(requestId);

/** Return a new request id. Not randomUUID, which exists only where there is HTTPS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  const id = `board-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  ownIds.add(id);
  if (ownIds.size > MAX_OWN_IDS) ownIds.delete(ownIds.values().next().value);
  return id;
}

/** Ask, and return the Response. Raises ApiError. */
export async function ask(method, path, body) {
  const headers = { Authorization: `Bearer ${token.get()}`, "X-Request-Id": newId() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body, cache: "no-store" });
  } catch {
    throw new ApiError(0, { message: "The server cannot be reached." });
  }
  if (response.ok) return response;
  const refusal = await refusalOf(response);
  if (refusal.status === 401) whenUnauthorized(refusal);
  throw refusal;
}

async function refusalOf(response) {
  try {
    return new ApiError(response.status, (await response.json()).error);
  } catch {
    return new ApiError(response.status, { message: `The server answered ${response.status}.` });
  }
}

/** Ask, and return what the JSON of the answer says, null if there is none. Raises ApiError. */
export async function call(method, path, value) {
  const response = await ask(method, path, value && JSON.stringify(value));
  return response.status === 204 ? null : response.json();
}

/** Return whether the token is good and may write, which a list of tasks says. Raises ApiError. */
export async function mayWrite() {
  const response = await ask("GET", "/tasks?limit=1");
  return response.headers.get("X-Role") === "admin";
}
