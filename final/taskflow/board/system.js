// What the server says of itself, asked now and then while the page is looked at: memory, workers.

import { call } from "./api.js";
import { byId, megabytes, number, setText, shape } from "./dom.js";

const EVERY = 5_000; // milliseconds
const KEPT = 120; // points: ten minutes
const FEWEST = 24; // that a chart has room for: a new one grows from the right
const WIDTH = 240;
const HEIGHT = 64;

export class SystemView {
  constructor() {
    this.points = [];
    document.addEventListener("visibilitychange", () => this.look());
  }

  start() {
    this.points = [];
    this.timer = setInterval(() => this.look(), EVERY);
    this.look();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }

  async look() {
    if (document.hidden || !this.timer) return;
    try {
      const paths = ["/tasks/system/memory", "/tasks/reports/stats", "/tasks/system/ws"];
      const [memory, jobs, sockets] = await Promise.all(paths.map((path) => call("GET", path)));
      this.points.push({ memory: memory.process.residentBytes, busy: jobs.running, jobs });
      if (this.points.length > KEPT) this.points.shift();
      const clients = sockets.clients === 1 ? "1 live client" : `${number(sockets.clients)} live clients`;
      setText(byId("system-note"), clients);
    } catch {
      return; // the connection's state says it already
    }
    this.render();
  }

  render() {
    const memory = this.points.map((point) => point.memory);
    const now = megabytes(memory.at(-1));
    const [low, high] = [Math.min(...memory), Math.max(...memory)];
    const steady = megabytes(low) === megabytes(high);
    const range = steady ? "steady" : `between ${megabytes(low)} and ${megabytes(high)}`;
    setText(byId("memory-now"), now);
    setText(byId("memory-range"), range);
    // At least 4 MB from top to bottom, so that a few kilobytes are no mountain.
    const middle = (low + high) / 2;
    const half = Math.max((high - low) * 0.6, 2 * 1048576);
    const label = `Memory: now ${now}, ${range}`;
    byId("memory-chart").replaceChildren(chart(label, memory, middle - half, middle + half));

    const busy = this.points.map((point) => point.busy);
    const { running, workers, queued, restarts } = this.points.at(-1).jobs;
    const text = `${running} of ${workers} busy`;
    const rest = `${number(queued)} waiting, ${number(restarts)} restarted`;
    setText(byId("workers-now"), text);
    setText(byId("workers-range"), rest);
    const workersLabel = `Workers: ${text}, ${rest}`;
    byId("workers-chart").replaceChildren(chart(workersLabel, busy, 0, Math.max(workers, 1) * 1.15));
  }
}

/** Return a line over time, the newest on the right, with the area below it. */
function chart(label, values, low, high) {
  const step = WIDTH / (Math.max(values.length, FEWEST) - 1);
  const start = WIDTH - (values.length - 1) * step;
  const points = values.map((value, index) => {
    const share = (value - low) / (high - low);
    return [start + index * step, HEIGHT - 2 - share * (HEIGHT - 6)];
  });
  if (points.length === 1) points.unshift([WIDTH - step, points[0][1]]);
  const line = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
  const area = `M${points[0][0].toFixed(1)} ${HEIGHT}L${line}L${WIDTH} ${HEIGHT}Z`;
  return shape(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    shape("path", { class: "area", d: area }),
    shape("path", { class: "line", d: `M${line}` }),
  );
}
