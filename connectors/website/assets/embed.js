/* syndicator: embed.html's address holds the filters; a page around it may learn its height. */

import { FediverseAgenda } from "./widget.js";

const agenda = document.querySelector("fediverse-agenda");
const asked = new URLSearchParams(location.search);

for (const name of [...FediverseAgenda.observedAttributes, "theme"]) {
  if (asked.has(name)) agenda.setAttribute(name, asked.get(name));
}
if (asked.has("lang")) document.documentElement.lang = asked.get("lang");

const style = new CSSStyleSheet();
style.replaceSync(`
  :root { color-scheme: light dark; }
  body { margin: 0; font-family: system-ui, sans-serif; }
  h1 { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`);
document.adoptedStyleSheets = [style];

if (window.parent !== window) {
  const tell = () => window.parent.postMessage({ type: "fediverse-agenda", height: Math.ceil(document.body.getBoundingClientRect().height) }, "*");
  new ResizeObserver(tell).observe(document.body);
}
