// The live connection: a WebSocket that comes back by itself, and misses nothing.
//
// It knows the number of the last event (`seq`) and whose number that is (`epoch`, one life of the
// server). After an interruption it asks for what came since. If the server does not know that any
// more, or is another one since a restart, it says `history.gap`, and all is fetched anew.

import { call, token } from "./api.js";

const FIRST_PAUSE = 500; // milliseconds; doubled after each failure
const LONGEST_PAUSE = 15_000;
const PING_EVERY = 20_000; // a connection may be dead for long before the system says so
const ANSWER_WITHIN = 10_000;

export class Live {
  /** `on` has the functions state(name), live(), gap() and event(value). */
  constructor(on) {
    this.on = on;
    this.socket = null;
    this.timer = null;
    this.failures = 0;
    this.running = false;
    addEventListener("online", () => this.tryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.tryNow();
    });
  }

  start() {
    this.running = true;
    this.place = null;
    this.failures = 0;
    this.connect();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    this.timer = null;
    this.drop();
  }

  /** Wait no longer, if it waits for its next try. */
  tryNow() {
    if (this.running && this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
      this.connect();
    }
  }

  async connect() {
    this.on.state(this.failures ? "reconnecting" : "connecting");
    if (this.failures && !(await this.isBack())) return;
    if (!this.running || this.socket) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const protocols = ["taskflow", `bearer.${token.get()}`]; // a browser can set no header here
    const socket = new WebSocket(`${scheme}//${location.host}/ws/tasks`, protocols);
    this.socket = socket;
    this.confirmed = false;
    socket.onmessage = ({ data }) => this.received(JSON.parse(data));
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
    this.watch();
  }

  /** Ask over HTTP first: a failed handshake would not tell a bad token from a dead server. */
  async isBack() {
    try {
      await call("GET", "/tasks?limit=1");
      return this.running;
    } catch (error) {
      if (this.running && error.status !== 401) this.lost();
      return false;
    }
  }

  lost() {
    this.drop();
    const pause = Math.min(FIRST_PAUSE * 2 ** this.failures, LONGEST_PAUSE);
    this.failures += 1;
    this.on.state("offline");
    // Not all at once, when a server comes back that many waited for.
    this.timer = setTimeout(() => this.tryNow(), pause * (0.75 + Math.random() / 2));
  }

  drop() {
    clearInterval(this.pings);
    clearTimeout(this.patience);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  watch() {
    const expectAnswer = () => {
      clearTimeout(this.patience);
      this.patience = setTimeout(() => this.lost(), ANSWER_WITHIN);
    };
    expectAnswer();
    clearInterval(this.pings);
    this.pings = setInterval(() => {
      this.send({ type: "ping" });
      expectAnswer();
    }, PING_EVERY);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  received(message) {
    clearTimeout(this.patience);
    switch (message.type) {
      case "connection.ready":
        this.place ??= { since: message.seq, epoch: message.epoch };
        this.send({ type: "subscribe", rooms: ["tasks", "reports"], ...this.place });
        break;
      case "subscription.confirmed":
        this.confirmed = true; // what came before it comes again behind it
        this.failures = 0;
        this.on.state("live");
        this.on.live();
        break;
      case "history.gap":
        this.place = { since: message.seq, epoch: message.epoch };
        this.on.gap();
        break;
      case "pong":
      case "error":
        break;
      default:
        if (this.confirmed && message.seq > this.place.since) {
          this.place.since = message.seq;
          this.on.event(message);
        }
    }
  }
}
