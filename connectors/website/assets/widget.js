/* syndicator: <fediverse-agenda>, the events, posts and videos of an association on any page. Its manual: docs/website.md, "Widget".
   It asks nobody but the server that it comes from, keeps nothing about visitors, and writes all that it is given as text. */

const HOME = new URL(".", import.meta.url);
const VERSION = 1;
const PATIENCE_MS = 20_000;

/* ---- Words ---- */

const WORDS = {
  fr: {
    none_event: "Aucun rendez-vous n’est annoncé pour l’instant. Revenez bientôt\u00a0!",
    none_post: "Aucune publication pour l’instant.", none_video: "Aucune vidéo pour l’instant.",
    none_month: "Aucun rendez-vous ce mois-ci.", calendar: "Rendez-vous de", ongoing: "En ce moment, au long cours",
    previous: "Mois précédent", next: "Mois suivant", today: "aujourd’hui", months: "Mois du calendrier",
    cancelled: "Annulé", full: "Complet", tentative: "À confirmer", online: "En ligne", past: "Passé", now: "En ce moment", moved: "Déplacé",
    before: "auparavant", live: "En direct", scheduled: "Direct prévu", video: "Vidéo",
    add: "Ajouter à mon agenda", subscribe: "S’abonner à l’agenda", all: "Tout l’agenda", colon: "\u00a0: ",
    read: { article: "Lire l’article", video: "Regarder la vidéo", live: "Regarder la vidéo", image: "Voir les photos", audio: "Écouter" },
    post: "Voir la publication",
  },
  en: {
    none_event: "No event is announced at the moment. Come back soon!",
    none_post: "No post at the moment.", none_video: "No video at the moment.",
    none_month: "No event this month.", calendar: "Events of", ongoing: "On now, for a while",
    previous: "Previous month", next: "Next month", today: "today", months: "Month of the calendar",
    cancelled: "Cancelled", full: "Full", tentative: "To be confirmed", online: "Online", past: "Past", now: "On now", moved: "Moved",
    before: "was to be", live: "Live now", scheduled: "Live planned", video: "Video",
    add: "Add to my calendar", subscribe: "Subscribe to the calendar", all: "The whole agenda", colon: ": ",
    read: { article: "Read the article", video: "Watch the video", live: "Watch the video", image: "See the pictures", audio: "Listen" },
    post: "See the post",
  },
};
const FRENCH_READERS = new Set(["fr", "br", "co", "eu", "oc", "gsw"]);

const base = (lang) => lang.toLowerCase().split("-")[0];

/** The language the words are in, where the dates may be in `lang`. */
const spoken = (lang) => (FRENCH_READERS.has(base(lang)) ? "fr" : "en");

/** The tag as it should be written, or null for one that is none. */
const canonical = (lang) => {
  try {
    return Intl.getCanonicalLocales(lang)[0] ?? null;
  } catch {
    return null;
  }
};

/* ---- Text and addresses of strangers ---- */

/** Words alone, without case, accents or punctuation, a space around each. */
const folded = (text) => {
  const bare = String(text).normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae");
  return ` ${bare.replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
};
const key = (text) => folded(text).replaceAll(" ", "") || String(text).trim();
const several = (text) => (text ?? "").split(",").map((one) => one.trim()).filter(Boolean);

/** An absolute http(s) address, or null. */
const address = (url, at) => {
  try {
    const found = new URL(url, at);
    return found.protocol === "https:" || found.protocol === "http:" ? found : null;
  } catch {
    return null;
  }
};

/** The same on our own server, or null. */
const ours = (path, at) => {
  const found = path ? address(path, at) : null;
  return found?.origin === HOME.origin ? found : null;
};

/** An element; what it says is always text. */
const make = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(attribute, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child || child === 0));
  return made;
};
const hidden = (...children) => make("span", { class: "hidden" }, ...children);

/* ---- Dates: the event's own clock, as the data has it; no zone is computed here ---- */

const formats = new Map();
const format = (lang, options) => {
  const name = lang + JSON.stringify(options);
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(lang, { timeZone: "UTC", ...options }));
  return formats.get(name);
};
const dayOf = (iso) => iso.slice(0, 10);
const monthOf = (iso) => iso.slice(0, 7);
const timed = (event) => event.start.length > 10 && !event.long;
/** The wall clock as if it were UTC: what Intl then formats in UTC is what people there read. */
const wall = (iso) => new Date(iso.length > 10 ? `${iso.slice(0, 16)}Z` : `${iso}T12:00Z`);
const moved = (day, days) => new Date(wall(day).getTime() + days * 86_400_000).toISOString().slice(0, 10);
const inMonth = (month, by) => {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + by, 15)).toISOString().slice(0, 7);
};

/** What day it is at `instant` where the clock of `zone` goes. */
const dayIn = (zone, instant) => {
  try {
    const parts = new Intl.DateTimeFormat("en", { timeZone: zone, calendar: "gregory", year: "numeric", month: "2-digit", day: "2-digit" });
    const found = Object.fromEntries(parts.formatToParts(instant).map((part) => [part.type, part.value]));
    return `${found.year}-${found.month}-${found.day}`;
  } catch {
    return new Date(instant).toISOString().slice(0, 10);
  }
};

/** Whether it was over when this day began: it stays until midnight. */
const over = (event, data, now) => {
  const end = event.end ?? event.start;
  if (end.length > 10) return dayIn(data.timezone, Date.parse(end)) < dayIn(data.timezone, now);
  return end < dayIn(event.timezone, now);
};
const begun = (event, now) => (event.start.length > 10 ? Date.parse(event.start) <= now : event.start <= dayIn(event.timezone, now));

/** "20h30", "8:30 pm": as the sentences that come with the data have it. */
const clock = (event, lang) => {
  if (!timed(event)) return "";
  const [hour, minute] = [Number(event.start.slice(11, 13)), event.start.slice(14, 16)];
  if (spoken(lang) === "fr") return `${hour}h${minute === "00" ? "" : minute}`;
  if (base(lang) !== "en") return format(lang, { timeStyle: "short" }).format(wall(event.start));
  if (hour === 12 && minute === "00") return "noon";
  return `${hour % 12 || 12}${minute === "00" ? "" : `:${minute}`} ${hour < 12 ? "am" : "pm"}`;
};

/** French and English come with the data, the same as on every page of ours; for other languages the browser has the words. */
const when = (event, data, lang) => {
  const written = event.when?.[spoken(lang)];
  if (written && (spoken(lang) === "fr" || base(lang) === "en")) return written;
  const style = timed(event) ? { dateStyle: "full", timeStyle: "short" } : { dateStyle: "full" };
  const [start, end] = [wall(event.start), wall(event.end ?? event.start)];
  const ends = event.end && end > start && (event.end.length > 10 || event.end > dayOf(event.start));
  let text = format(lang, style).format(start);
  if (ends && timed(event) && event.end.length === 10) text += ` – ${format(lang, { dateStyle: "full" }).format(end)}`;
  else if (ends) text = format(lang, style).formatRange(start, end);
  return timed(event) && event.timezone !== data.timezone ? `${text} (${event.timezone.split("/").pop().replaceAll("_", " ")})` : text;
};

/** 1 for Monday to 7 for Sunday. English alone is a European's here; with a region, it is that region's. */
const firstWeekday = (lang) => {
  const locale = new Intl.Locale(lang);
  if (locale.language === "en" && !locale.region) return 1;
  return (locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1;
};

/* ---- Data ---- */

const fetched = new Map();

/** One request a page for each folder, however many elements show it. */
const data = (folder) => {
  if (!fetched.has(folder.href)) {
    const answer = load(folder);
    fetched.set(folder.href, answer);
    answer.catch(() => fetched.delete(folder.href));
  }
  return fetched.get(folder.href);
};

const load = async (folder) => {
  const signal = AbortSignal.timeout?.(PATIENCE_MS);
  const answer = await fetch(new URL("widget.json", folder), { credentials: "omit", referrerPolicy: "no-referrer", redirect: "error", signal });
  if (!answer.ok) throw new Error(`fediverse-agenda: ${answer.status}`);
  const found = await answer.json();
  if (found.version !== VERSION) throw new Error(`fediverse-agenda: version ${found.version}`);
  return found;
};

/* ---- Which ---- */

/** What the attributes ask for. */
const asked = (node) => {
  const words = (name) => several(node.getAttribute(name)).map(folded);
  const date = (name) => (/^\d{4}-\d{2}-\d{2}$/.test(node.getAttribute(name) ?? "") ? node.getAttribute(name) : null);
  const kinds = (node.getAttribute("kind") ?? "").toLowerCase().split(/[\s,]+/).filter((kind) => ["event", "post", "video"].includes(kind));
  const [limit, level] = ["limit", "heading-level"].map((name) => Number.parseInt(node.getAttribute(name) ?? "", 10));
  return {
    tags: several(node.getAttribute("tag")).map(key),
    sources: several(node.getAttribute("source")).map(key),
    places: words("place"),
    from: date("from"),
    until: date("until"),
    kinds: kinds.length ? kinds : ["event"],
    limit: limit > 0 ? limit : Infinity,
    view: ["cards", "month"].includes(node.getAttribute("view")) ? node.getAttribute("view") : "list",
    past: node.hasAttribute("past") ? node.getAttribute("past") || "too" : "",
    level: level >= 1 && level <= 6 ? level : 3,
  };
};

const passes = (item, want, all) => {
  const first = dayOf(item.start ?? item.published), last = item.last ?? first;
  const names = () => [...(item.sources ?? []).flatMap((name) => [name, all.sources?.[name] ?? ""]), item.organizer ?? "", item.author ?? ""];
  return (!want.tags.length || (item.tags ?? []).some((tag) => want.tags.includes(key(tag))))
    && (!want.sources.length || names().some((name) => want.sources.includes(key(name))))
    && (!want.places.length || want.places.some((place) => folded(item.place ?? "").includes(place)))
    && (!want.from || last >= want.from)
    && (!want.until || first <= want.until);
};

/** Dates to come, then what goes on for weeks, then what is over, latest first. */
const ordered = (events, want, all, now) => {
  const past = events.filter((event) => over(event, all, now)).reverse();
  const coming = events.filter((event) => !past.includes(event));
  const next = [...coming.filter((event) => !event.long), ...coming.filter((event) => event.long)];
  return [...(want.past === "only" ? [] : next.slice(0, want.limit)), ...(want.past ? past.slice(0, want.limit) : [])];
};

/* ---- Pieces ---- */

const badge = (kind, text) => make("span", { class: `badge ${kind}`, part: `badge badge-${kind}` }, text);

/** Every state in words; `brief` where there is little room, and the date is elsewhere. */
const badges = (event, scene, brief) => {
  const { t, all, now, lang } = scene;
  if (event.status === "cancelled") return [badge("cancelled", t.cancelled)];
  const found = [];
  if (over(event, all, now)) found.push(badge("past", t.past));
  else if (event.long && begun(event, now)) found.push(badge("now", t.now));
  if (event.was) found.push(badge("moved", brief ? t.moved : `${t.moved} (${t.before}${t.colon}${event.was[spoken(lang)]})`));
  if (event.full) found.push(badge("full", t.full));
  if (event.status === "tentative") found.push(badge("tentative", t.tentative));
  if (event.online) found.push(badge("online", t.online));
  return found;
};

/** The lang of a text that is not in the language around it. */
const foreign = (item, scene) => {
  const lang = item.language && canonical(item.language);
  return lang && base(lang) !== base(scene.ui) ? lang : null;
};
const target = (item, scene) => ours(item.page, scene.folder) ?? (item.url ? address(item.url) : null);
const linked = (text, item, scene) => {
  const url = target(item, scene);
  return url ? make("a", { href: url.href, part: "link" }, text) : text;
};
const titled = (text, item, scene, hide) =>
  make(`h${scene.want.level}`, { class: hide ? "hidden" : "title", part: "title", lang: foreign(item, scene) }, hide ? text : linked(text, item, scene));

/** How wide a picture is shown, roughly: what the browser chooses a copy by. */
const SIZES = { list: "(min-width: 36em) 9em, 90vw", cards: "(min-width: 36em) 22em, 90vw" };
const picture = (item, scene) => {
  const file = ours(item.image?.file, scene.folder);
  if (!file) return null;
  const { width, height, alt, set } = item.image;
  const copies = (set ?? []).map(([path, wide]) => [ours(path, scene.folder), Number(wide)]).filter(([copy, wide]) => copy && wide);
  return make("img", { alt: alt ?? "", sizes: copies.length ? SIZES[scene.want.view] ?? SIZES.list : null,
    srcset: copies.map(([copy, wide]) => `${copy.href} ${wide}w`).join(", ") || null, src: file.href, width: Number(width) || null,
    height: Number(height) || null, loading: "lazy", decoding: "async", part: "image", lang: foreign(item, scene) });
};

const paragraph = (name, ...children) => (children.flat().some(Boolean) ? make("p", { class: name, part: name }, ...children) : null);
const spaced = (nodes) => nodes.flatMap((node, at) => (at ? [" ", node] : [node]));

const addLink = (event, scene) => {
  const file = ours(event.ics, scene.folder);
  if (!file || event.status === "cancelled" || over(event, scene.all, scene.now)) return null;
  return make("a", { href: file.href, part: "link add" }, scene.t.add, hidden(`${scene.t.colon}${event.title}`));
};

const eventItem = (event, scene) => {
  const { t, all, lang, ui, want } = scene;
  const date = make("time", { datetime: event.start, lang: lang === ui ? null : lang }, when(event, all, lang));
  const off = event.status === "cancelled" ? " off" : "";
  return make("li", { part: "item event" }, make("article", { class: `item${off}`, part: `article${off}` },
    picture(event, scene),
    make("div", { class: "body" },
      titled(event.title, event, scene),
      paragraph("badges", spaced(badges(event, scene))),
      paragraph("when", date),
      paragraph("place", event.place),
      want.view === "cards" && event.text ? make("p", { class: "text", part: "text", lang: foreign(event, scene) }, event.text) : null,
      paragraph("facts", [event.organizer, event.price?.[spoken(lang)]].filter(Boolean).join(" · ")),
      paragraph("actions", addLink(event, scene)))));
};

const postItem = (post, scene) => {
  const { t, all, lang, ui } = scene;
  const date = format(lang, { day: "numeric", month: "long", year: "numeric" }).format(wall(post.published));
  const live = post.live ? `${t[post.live]}${post.when ? t.colon + post.when[spoken(lang)] : ""}` : null;
  const url = target(post, scene);
  const words = t.read[post.kind] ?? t.post;
  return make("li", { part: "item post" }, make("article", { class: "item", part: "article" },
    picture(post, scene),
    make("div", { class: "body" },
      titled(post.title || post.name, post, scene, !post.title),
      paragraph("badges", live && badge("live", live)),
      paragraph("date", make("time", { datetime: post.published, lang: lang === ui ? null : lang }, date),
        [...(post.sources ?? []).map((name) => all.sources?.[name]), post.duration].filter(Boolean).map((text) => ` · ${text}`)),
      make("p", { class: "text", part: "text", lang: foreign(post, scene) }, post.warning || post.text || ""),
      post.title || !url ? null : paragraph("actions", make("a", { href: url.href, part: "link" }, words, hidden(`${t.colon}${post.name}`))))));
};

const listOf = (items, scene, item) => make("ul", { class: scene.want.view === "cards" ? "cards" : "list", part: "list", role: "list" },
  items.map((one) => item(one, scene)));
const empty = (text) => make("p", { class: "empty", part: "empty" }, text);

/* ---- The month ---- */

/** The days of one month, each with what takes place on it. */
const daysOf = (month, events) => {
  const days = [];
  for (let day = `${month}-01`; monthOf(day) === month; day = moved(day, 1)) {
    days.push({ day, events: events.filter((event) => dayOf(event.start) <= day && day <= (event.last ?? dayOf(event.start))) });
  }
  return days;
};

const entry = (event, day, scene) => {
  const states = badges(event, scene, true).map((one) => one.textContent);
  const hour = dayOf(event.start) === day ? clock(event, scene.lang) : "";
  const off = event.status === "cancelled" ? "off" : null;
  return make("li", { class: off, part: "entry" }, hour ? make("span", { class: "hour", part: "hour" }, hour, " ") : null,
    make("span", { class: "title", lang: foreign(event, scene) }, linked(event.title, event, scene)),
    states.length ? make("span", { class: "states" }, ` (${states.join(", ")})`) : null);
};
const entries = (day, scene) => make("ul", { role: "list" }, day.events.map((event) => entry(event, day.day, scene)));

const table = (month, days, scene) => {
  const { t, lang } = scene;
  const first = firstWeekday(lang);
  const monday = wall("2024-01-01");
  const weekdays = [...Array(7).keys()].map((at) => new Date(monday.getTime() + (first - 1 + at) * 86_400_000));
  const cells = Array((((wall(days[0].day).getUTCDay() || 7) - first + 7) % 7)).fill(null).concat(days);
  while (cells.length % 7) cells.push(null);
  const row = (week) => make("tr", null, week.map((one) => (one ? cell(one, scene) : make("td", { class: "outside" }))));
  return make("table", { class: "month", part: "calendar" },
    make("caption", { class: "hidden" }, `${t.calendar} ${monthName(month, lang)}`),
    make("thead", null, make("tr", null, weekdays.map((day) =>
      make("th", { scope: "col", abbr: format(lang, { weekday: "long" }).format(day), part: "weekday" }, format(lang, { weekday: "short" }).format(day))))),
    make("tbody", null, [...Array(cells.length / 7).keys()].map((week) => row(cells.slice(week * 7, week * 7 + 7)))));
};
const cell = (one, scene) => make("td", { class: one.day === scene.today ? "today" : null, part: one.day === scene.today ? "day today" : "day",
  "aria-current": one.day === scene.today ? "date" : null },
make("time", { datetime: one.day }, String(Number(one.day.slice(8)))), one.day === scene.today ? hidden(` ${scene.t.today}`) : null,
one.events.length ? entries(one, scene) : null);

/** The same for narrow places: only the days that have something. */
const byDay = (days, scene) => {
  const held = days.filter((one) => one.events.length);
  if (!held.length) return null;
  return make("ul", { class: "days", role: "list" }, held.map((one) => make("li", { part: "day" },
    make(`h${scene.want.level}`, { class: "title", part: "title" },
      make("time", { datetime: one.day }, format(scene.lang, { weekday: "long", day: "numeric", month: "long" }).format(wall(one.day)))),
    entries(one, scene))));
};

const monthName = (month, lang) => format(lang, { month: "long", year: "numeric" }).format(wall(`${month}-15`));

/** A month with buttons to those beside it; the buttons stay while the month changes, so that the keyboard stays on them. */
const monthView = (events, scene) => {
  const { t, want, lang, today } = scene;
  const dates = events.filter((event) => !event.long);
  const months = dates.flatMap((event) => [monthOf(event.start), monthOf(event.last ?? event.start)]);
  const next = dates.find((event) => (event.last ?? dayOf(event.start)) >= today);
  const opens = want.from ? monthOf(want.from) : next && dayOf(next.start) > today ? monthOf(next.start) : monthOf(today);
  const [least, most] = [[...months, opens].reduce((a, b) => (a < b ? a : b)), [...months, opens].reduce((a, b) => (a > b ? a : b))];
  const name = make("p", { class: "name", part: "month", "aria-live": "polite", "aria-atomic": "true" });
  const sheet = make("div");
  let shown = opens;
  const show = () => {
    const days = daysOf(shown, dates.filter((event) => monthOf(event.start) <= shown && shown <= monthOf(event.last ?? event.start)));
    const nothing = days.every((day) => !day.events.length) ? empty(months.length ? t.none_month : t.none_event) : null;
    name.textContent = monthName(shown, lang);
    sheet.replaceChildren(...[table(shown, days, scene), byDay(days, scene), nothing].filter(Boolean));
    back.setAttribute("aria-disabled", String(shown <= least));
    on.setAttribute("aria-disabled", String(shown >= most));
  };
  const button = (label, sign, by, can) => {
    const made = make("button", { type: "button", part: "button", "aria-label": label, title: label }, sign);
    made.addEventListener("click", () => { if (can()) { shown = inMonth(shown, by); show(); } });
    return made;
  };
  const back = button(t.previous, "‹", -1, () => shown > least), on = button(t.next, "›", 1, () => shown < most);
  show();
  const long = events.filter((event) => event.long && !over(event, scene.all, scene.now));
  return [make("div", { class: "turn", role: "group", "aria-label": t.months, part: "navigation" }, back, name, on), sheet,
    long.length ? make("div", { class: "long" }, paragraph("name", t.ongoing), listOf(long, { ...scene, want: { ...want, view: "list" } }, eventItem)) : null];
};

/* ---- The whole ---- */

const sections = (scene) => scene.want.kinds.map((kind) => {
  const { all, want, t, now } = scene;
  const items = (all[`${kind}s`] ?? []).filter((item) => passes(item, want, all));
  if (kind === "event" && want.view === "month") return monthView(items, scene);
  const shown = kind === "event" ? ordered(items, want, all, now) : items.slice(0, want.limit);
  return shown.length ? listOf(shown, scene, kind === "event" ? eventItem : postItem) : empty(t[`none_${kind}`]);
});

const footer = (scene) => {
  const { t, all, folder, want } = scene;
  const feed = want.kinds.includes("event") && all.calendar ? address(all.calendar, folder) : null;
  return make("p", { class: "foot", part: "footer" },
    feed ? make("a", { href: feed.href.replace(/^https?:/, "webcal:"), part: "link subscribe" }, t.subscribe) : null,
    feed ? " " : null,
    make("a", { href: folder.href, part: "link all" }, t.all));
};

const STYLE = `
:host { display: block; }
.box { color-scheme: light;
  --paper: var(--fediverse-agenda-paper, #fff); --ink: var(--fediverse-agenda-ink, #2a2521); --muted: var(--fediverse-agenda-muted, #635a51);
  --line: var(--fediverse-agenda-line, #e2d9cb); --alert: var(--fediverse-agenda-alert, #a11d1d);
  --accent: var(--fediverse-agenda-accent, var(--day)); --radius: var(--fediverse-agenda-radius, .6em); }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) .box { DARK } }
:host([theme="dark"]) .box { DARK }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
.box { container-type: inline-size; padding: var(--fediverse-agenda-padding, 1em); border-radius: var(--radius); background: var(--paper);
  color: var(--ink); font: var(--fediverse-agenda-font, inherit); line-height: 1.5; overflow-wrap: anywhere; text-align: start; }
a { color: var(--accent); text-underline-offset: .18em; }
a:hover { text-decoration-thickness: .14em; }
:is(a, button):focus-visible { outline: .17em solid var(--accent); outline-offset: .15em; border-radius: .15em; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; margin: -1px; padding: 0; }
ul { margin: 0; padding: 0; list-style: none; }
p { margin: .25em 0 0; }
.title { margin: 0; font: inherit; font-weight: 600; }
h1.title, h2.title, h3.title, h4.title, h5.title, h6.title { font-size: 1.1em; line-height: 1.3; }
.list > li + li, .days > li + li { margin-top: 1em; padding-top: 1em; border-top: 1px solid var(--line); }
.item { display: flex; flex-direction: column; gap: .7em; }
.body { min-width: 0; flex: 1; }
img { display: block; max-width: 100%; height: auto; border-radius: var(--radius); }
.when { font-weight: 600; }
.date, .place, .facts, .text { color: var(--muted); }
.off .title { text-decoration: line-through; }
.off .states { color: var(--alert); }
.badges { display: flex; flex-wrap: wrap; gap: .3em .4em; }
.badge { padding: .05em .55em; border: 1px solid currentColor; border-radius: 1em; font-size: .85em; font-weight: 600; color: var(--muted); }
.cancelled, .full, .moved { color: var(--alert); }
.online, .live, .now { color: var(--accent); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15em), 1fr)); gap: 1em; }
.cards > li { padding: .9em; border: 1px solid var(--line); border-radius: var(--radius); }
.cards img { width: 100%; aspect-ratio: 16 / 9; object-fit: cover; }
.long, .list + .list, .list + .cards, .cards + .list, .cards + .cards, .foot, .empty + ul, ul + .empty { margin-top: 1.4em; }
.empty { margin: 1em 0; padding: 1.2em; border: 1px dashed var(--line); border-radius: var(--radius); color: var(--muted); text-align: center; }
.foot { display: flex; flex-wrap: wrap; gap: .4em 1.2em; padding-top: .8em; border-top: 1px solid var(--line); }
.foot a, .actions a { display: inline-block; padding: .2em 0; }
.turn { display: flex; align-items: center; justify-content: space-between; gap: .5em; margin-bottom: .7em; }
.name { margin: 0; font-weight: 600; font-size: 1.1em; }
.name::first-letter { text-transform: uppercase; }
button { min-width: 2.6em; min-height: 2.6em; border: 1px solid var(--line); border-radius: var(--radius); background: transparent; color: var(--accent);
  font: inherit; font-size: 1.1em; cursor: pointer; }
button[aria-disabled="true"] { color: var(--muted); cursor: default; opacity: .6; }
.month { display: none; width: 100%; table-layout: fixed; border-collapse: collapse; }
.month :is(th, td) { padding: .3em; border: 1px solid var(--line); text-align: start; vertical-align: top; font-size: .85em; font-weight: 400; }
.month th { color: var(--muted); }
.month td { height: 4.5em; }
.month td > time { color: var(--muted); }
.month .today > time { padding: 0 .4em; border-radius: 1em; background: var(--accent); color: var(--paper); font-weight: 700; }
.month li { margin-top: .3em; line-height: 1.3; hyphens: auto; }
.month .title { font-weight: inherit; }
.days li li { margin-top: .3em; }
.hour { font-weight: 600; }
@container (min-width: 34em) {
  .list .item { flex-direction: row; }
  .list img { width: 9em; height: fit-content; }
  .month { display: table; }
  .days { display: none; }
}
`;
const DARK = `color-scheme: dark; --paper: var(--fediverse-agenda-paper, #26221e); --ink: var(--fediverse-agenda-ink, #efe8de);
  --muted: var(--fediverse-agenda-muted, #b9aea1); --line: var(--fediverse-agenda-line, #4a433b); --alert: var(--fediverse-agenda-alert, #ff9d8f);
  --accent: var(--fediverse-agenda-accent, var(--night));`;

/** A sheet for one pair of accent colours; constructed, so that a strict Content-Security-Policy lets it be. */
const sheets = new Map();
const sheet = (accent) => {
  const [day, night] = ["#a8432f", "#d98a78"].map((usual, at) => (/^#[0-9a-f]{6}$/.test(accent?.[at]) ? accent[at] : usual));
  if (!sheets.has(day + night)) {
    const made = new CSSStyleSheet();
    made.replaceSync(`${STYLE.replaceAll("DARK", DARK)} .box { --day: ${day}; --night: ${night}; }`);
    sheets.set(day + night, made);
  }
  return sheets.get(day + night);
};

export class FediverseAgenda extends HTMLElement {
  static observedAttributes = ["tag", "source", "place", "from", "until", "kind", "limit", "view", "past", "lang", "src", "heading-level"];
  #waiting = false;

  connectedCallback() {
    if (!this.shadowRoot) this.attachShadow({ mode: "open" }).append(make("slot"));
    this.#soon();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#soon();
  }

  /** Once, when all attributes of this turn are set. */
  #soon() {
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      this.#show();
    });
  }

  /** Without data, what stands inside the element is shown. */
  async #show() {
    const src = this.getAttribute("src") ?? "";
    try {
      const folder = ours(src && !/[/.]$/.test(src) ? `${src}/` : src || "./", HOME);
      if (!folder) throw new Error(`fediverse-agenda: src is not on ${HOME.host}`);
      const all = await data(folder);
      if ((this.getAttribute("src") ?? "") === src) this.#fill(all, folder);
    } catch (error) {
      this.shadowRoot.replaceChildren(make("slot"));
      console.warn(error);
    }
  }

  #fill(all, folder) {
    const wanted = [this.closest("[lang]")?.getAttribute("lang"), all.language, "fr"].map((lang) => lang && canonical(lang));
    const lang = wanted.find(Boolean);
    const now = Date.now();
    const ui = spoken(lang) === base(lang) ? lang : spoken(lang);
    const scene = { all, folder, lang: spoken(lang) === "fr" ? ui : lang, ui, t: WORDS[spoken(lang)], now, today: dayIn(all.timezone, now), want: asked(this) };
    const box = make("div", { class: "box", part: "box", lang: ui }, sections(scene).flat(), footer(scene));
    if ("adoptedStyleSheets" in this.shadowRoot) this.shadowRoot.adoptedStyleSheets = [sheet(all.accent)];
    this.shadowRoot.replaceChildren(box);
  }
}

if (!customElements.get("fediverse-agenda")) customElements.define("fediverse-agenda", FediverseAgenda);
