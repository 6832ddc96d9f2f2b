// The demo's page: asks for the state every second and shows what differs. Text is only ever set as text.
const words = await (await fetch("/api/words")).json();
for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word] ?? "";

const byId = (id) => document.getElementById(id);
const shown = new Map();

async function act(action, fields = {}) {
  const answer = await fetch("/api/act", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ action, ...fields }),
  });
  if (answer.ok) await refresh();
}

function button(word, run, hard = false) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = words[word];
  if (hard) element.className = "hard";
  element.addEventListener("click", run);
  return element;
}

function line(text, notes, buttons = [], classes = "") {
  const item = document.createElement("li");
  item.className = classes;
  item.append(text);
  const kept = notes.filter(Boolean);
  if (kept.length) {
    const meta = document.createElement("div");
    meta.className = "meta";
    meta.textContent = kept.join(" · ");
    item.append(meta);
  }
  if (buttons.length) {
    const row = document.createElement("div");
    row.append(...buttons);
    item.append(row);
  }
  return item;
}

function list(id, entries, make) {
  const text = JSON.stringify(entries);
  const before = shown.get(id);
  if (before?.text === text) return;
  const known = new Set(before?.keys);
  const target = byId(id);
  if (before && target.contains(document.activeElement) && document.activeElement.tagName === "BUTTON") document.activeElement.blur();
  target.replaceChildren(
    ...entries.map((entry) => {
      const item = make(entry);
      if (before && !known.has(JSON.stringify(entry))) item.classList.add("new");
      return item;
    }),
  );
  shown.set(id, { text, keys: entries.map((entry) => JSON.stringify(entry)) });
}

function toot(entry) {
  const open = entry.visibility === "public";
  return line(entry.text, [entry.edited && words.edited, !open && words.hidden, entry.media && words.picture], [
    button("edit", () => {
      const text = prompt(words.edit, entry.text);
      if (text) act("edit-toot", { id: entry.id, text });
    }),
    button("delete", () => act("delete-toot", { id: entry.id }), true),
  ], entry.reply ? "reply" : "");
}

function event(entry) {
  const cancelled = entry.status === "CANCELLED";
  return line(entry.title, [entry.start, cancelled && words.cancelled], cancelled ? [] : [
    button("move", () => {
      const when = prompt(words.moveTo, entry.start.slice(0, 10));
      if (when) act("move-event", { id: entry.id, when });
    }),
    button("cancel", () => act("cancel-event", { id: entry.id }), true),
  ], cancelled ? "cancelled" : "");
}

async function refresh() {
  let state;
  try {
    state = await (await fetch("/api/state")).json();
  } catch {
    return;
  }
  list("toots", state.toots, toot);
  list("events", state.events, event);
  list("videos", state.videos, (entry) => line(entry.title, []));
  list("mirror", state.mirror, (entry) =>
    line(entry.text, [entry.edited && words.edited, ...entry.alts.map((alt) => `${words.picture} : ${alt}`)], [], entry.reply ? "reply" : ""));
  list("calendar", state.calendar, (entry) =>
    line(entry.title, [entry.start, entry.status, `SEQUENCE ${entry.sequence}`], [], entry.status === "CANCELLED" ? "cancelled" : ""));
  byId("page").href = state.site;
  byId("ics").href = `${state.site}agenda.ics`;
  const log = byId("log");
  if (log.textContent !== state.log.join("\n")) {
    log.textContent = state.log.join("\n");
    log.scrollTop = log.scrollHeight;
  }
}

function form(id, run) {
  byId(id).addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    run();
  });
}

const take = (id) => {
  const { value } = byId(id);
  byId(id).value = "";
  return value;
};
const inAWeek = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
byId("event-day").value = inAWeek;
form("toot", () => act("toot", { text: take("toot-text") }));
form("event", () => act("event", { text: take("event-title"), when: byId("event-day").value }));
form("video", () => act("video", { text: take("video-title") }));
await refresh();
setInterval(refresh, 1000);
