// The demo's page: asks for the state every second and shows what differs. Text is only ever set as text.
const words = await (await fetch("/api/words")).json();
const language = document.documentElement.lang;
for (const element of document.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word] ?? "";
for (const element of document.querySelectorAll("[data-title]")) element.title = words[element.dataset.title] ?? "";
document.title = `${words.title} — syndicator`;

const byId = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
};
const lists = new Map();
let actedAt = null;

function tell(text, arrived = false) {
  byId("news").textContent = text;
  byId("news").classList.toggle("arrived", arrived);
  byId("way").classList.toggle("busy", !arrived && text !== "");
}

async function act(action, fields = {}) {
  const answer = await fetch("/api/act", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ action, ...fields }),
  });
  if (!answer.ok) return tell(words.refused);
  actedAt = performance.now();
  tell(words.onItsWay);
  await refresh();
}

// Dates come as the association's own clock shows them; they are shown as they are, in nobody else's time zone.
function clock(text) {
  const [, year, month, day, hour, minute] = /^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d))?/.exec(text) ?? [];
  if (!year) return null;
  const at = new Date(Date.UTC(year, month - 1, day, hour ?? 0, minute ?? 0));
  const show = (options) => new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options }).format(at);
  const time = hour ? { hour: "2-digit", minute: "2-digit" } : {};
  return { day: String(+day), month: show({ month: "short" }), full: show({ weekday: "long", day: "numeric", month: "long", ...time }) };
}

function tile(start) {
  const at = clock(start);
  return at && make("div", { className: "tile", ariaHidden: "true" }, at.day, make("small", {}, at.month));
}

const button = (word, run, hard = false) =>
  make("button", { type: "button", textContent: words[word], className: hard ? "hard" : "", onclick: run });

const picture = ({ id, side, alt }) => make("img", { src: `/media/${side}/${id}`, alt, title: alt, loading: "lazy" });

function line(text, notes, { buttons = [], classes = "", start = "", pictures = [] } = {}) {
  const meta = notes.filter(Boolean).join(" · ");
  return make("li", { className: classes }, tile(start), make("div", {},
    make("p", { className: "text", textContent: text }),
    meta ? make("p", { className: "meta", textContent: meta }) : null,
    pictures.length ? make("div", { className: "pictures" }, ...pictures.map(picture)) : null,
    buttons.length ? make("div", { className: "buttons" }, ...buttons) : null));
}

// A line turns into a small form where it stands; while it is open, the list leaves that line alone.
function ask(item, word, field, run) {
  const body = item.querySelector("div:not(.tile)");
  const before = [...body.childNodes];
  const close = () => {
    form.replaceWith(...before);
    body.querySelector("button")?.focus();
  };
  field.setAttribute("aria-label", words[word]);
  const form = make("form", { className: "inline" }, field, make("button", { textContent: words.save }), button("keep", close));
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const { value } = field;
    close();
    run(value);
  });
  form.addEventListener("keydown", (key) => key.key === "Escape" && close());
  body.replaceChildren(form);
  field.focus();
}

// Shows the entries in their order; what did not change is not touched, so that focus, scrolling and open forms stay.
function list(id, entries, draw) {
  const target = byId(id);
  const before = lists.get(id);
  const after = new Map();
  let arrived = false;
  for (const entry of entries) {
    const text = JSON.stringify(entry);
    const known = before?.get(entry.id);
    if (known && (known.text === text || known.item.querySelector("form"))) {
      after.set(entry.id, known);
      continue;
    }
    const item = draw(entry);
    if (before) item.classList.add("new");
    arrived ||= Boolean(before);
    const focused = known?.item.contains(document.activeElement);
    known?.item.replaceWith(item);
    if (focused) (item.querySelector("button") ?? target).focus();
    after.set(entry.id, { text, item });
  }
  const items = [...after.values()].map(({ item }) => item);
  if (!items.length) items.push(target.querySelector(".empty") ?? make("li", { className: "empty", textContent: words.empty }));
  const kept = new Set(items);
  for (const child of [...target.children]) if (!kept.has(child)) child.remove();
  items.forEach((item, place) => target.children[place] !== item && target.insertBefore(item, target.children[place] ?? null));
  lists.set(id, after);
  return arrived;
}

function toot(entry) {
  const open = entry.visibility === "public";
  const item = line(entry.text, [entry.edited && words.edited, !open && words.hidden], {
    pictures: entry.pictures,
    classes: entry.reply ? "reply" : "",
    buttons: [
      button("edit", () => {
        const field = make("textarea", { value: entry.text, maxLength: 500, required: true });
        ask(item, "edit", field, (text) => act("edit-toot", { id: entry.id, text }));
      }),
      button("delete", () => act("delete-toot", { id: entry.id }), true),
    ],
  });
  return item;
}

function event(entry) {
  const cancelled = entry.status === "CANCELLED";
  const item = line(entry.title, [clock(entry.start)?.full, cancelled && words.cancelled], {
    classes: cancelled ? "cancelled" : "",
    start: entry.start,
    buttons: cancelled ? [] : [
      button("move", () => {
        const field = make("input", { type: "date", value: entry.start.slice(0, 10), required: true });
        ask(item, "moveTo", field, (when) => act("move-event", { id: entry.id, when }));
      }),
      button("cancel", () => act("cancel-event", { id: entry.id }), true),
    ],
  });
  return item;
}

const mirrored = (entry) =>
  line(entry.text, [entry.edited && words.edited], { pictures: entry.pictures, classes: entry.reply ? "reply" : "" });

function date(entry) {
  const cancelled = entry.status === "CANCELLED";
  const notes = [clock(entry.start)?.full, cancelled && words.cancelled, entry.sequence !== "0" && `SEQUENCE ${entry.sequence}`];
  return line(entry.title, notes, { classes: cancelled ? "cancelled" : "", start: entry.start });
}

function site(version) {
  const frame = byId("frame");
  if (frame.dataset.version === version) return;
  frame.dataset.version = version;
  const y = frame.contentWindow?.scrollY ?? 0;
  frame.onload = () => frame.contentWindow.scrollTo(0, y);
  frame.src = `/site/?${version}`;
}

async function refresh() {
  let state;
  try {
    state = await (await fetch("/api/state")).json();
  } catch {
    return tell(words.over);
  }
  list("toots", state.toots, toot);
  list("events", state.events, event);
  list("videos", state.videos, (entry) => line(entry.title, []));
  const posts = list("mirror", state.mirror, mirrored);
  const dates = list("calendar", state.calendar, date);
  const left = posts || dates || state.mirror.length < (refresh.posts ?? 0);
  refresh.posts = state.mirror.length;
  if (left && actedAt !== null) {
    const seconds = new Intl.NumberFormat(language, { maximumFractionDigits: 0 }).format(Math.max(1, (performance.now() - actedAt) / 1000));
    tell(words.arrived.replace("%s", seconds), true);
  }
  site(state.siteVersion);
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
byId("event-day").value = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
form("toot", () => act("toot", { text: take("toot-text") }));
form("event", () => act("event", { text: take("event-title"), when: byId("event-day").value }));
form("video", () => act("video", { text: take("video-title") }));
await refresh();
setInterval(refresh, 1000);
