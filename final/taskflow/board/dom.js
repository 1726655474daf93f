// Small tools for the page. Whatever a user typed becomes a text node or an attribute of plain
// text here, and never markup: there is no innerHTML in any of these files, and the page's
// Content-Security-Policy would refuse it.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Return a new element. Children are elements, or strings, which become text. */
export function element(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same for a part of a drawing. */
export function shape(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (typeof value === "boolean") node.toggleAttribute(name, value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Set the text of an element, if it is another: one that is the same is not read aloud again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const segmenter = "Segmenter" in Intl ? new Intl.Segmenter() : null;

/** Return at most so many characters as people count them: a flag or a family of emoji is one. */
export function clip(text, length) {
  const start = text.slice(0, length * 30); // a very long text is not taken apart whole
  const all = segmenter ? Array.from(segmenter.segment(start), (part) => part.segment) : [...start];
  return all.length <= length ? start : `${all.slice(0, Math.max(length - 1, 1)).join("")}…`;
}

/** Return a text so that its direction (right to left, or overridden) ends where it ends. */
export const isolated = (text) => `\u2068${text}\u2069`;

export const number = (value) => value.toLocaleString("en");

/** Return a number in a few characters: 1,200 becomes 1.2K. */
export const shortNumber = (value) =>
  value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });

export const megabytes = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;

export const clockTime = (iso) => new Date(iso).toLocaleTimeString("en-GB");

const MOST_WORK = 4; // work that takes long is done in a fifth of the time at most

/** Return a function that does the work soon, and at most once in so many milliseconds. */
export function throttled(milliseconds, work) {
  let timer = null;
  let next = 0;
  return () => {
    if (timer !== null) return;
    const wait = Math.max(0, next - performance.now());
    timer = setTimeout(() => {
      timer = null;
      const start = performance.now();
      work();
      const end = performance.now();
      next = end + Math.max(milliseconds, MOST_WORK * (end - start));
    }, wait);
  };
}
