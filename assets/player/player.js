"use strict";
// Shows a run that bellwire has painted and told. Every picture and every sentence is carried in the page as data: this
// program only chooses which moment is shown, and when the next one follows.

const { about, runs, shared, lesson, words } = JSON.parse(document.getElementById("run").textContent);
const PACES = [
  ...[10, 5, 3, 2, 1, 0.5].map((seconds) => ({ seconds })), // of a stage, on the screen
  ...[10e6, 1e6, 100e3, 10e3].map((factor) => ({ factor })), // so many times slower than it was
];
const SLOW = PACES.findIndex(({ factor }) => factor); // the first that is none of a story
const PICTURES = ["diagram", "panel", "timeline"]; // a panel, if its lesson has one in front
const QUIET = 1; // seconds on the screen for a time in which nothing travels
let moments = []; // of the run that is shown: stages and events
let journeys = [];
let stages = []; // the numbers of those moments
let events = [];
let shown = -1; // the number of the moment
let wanted = 3; // the pace that was chosen
let pace = wanted; // and the one in use: a run without stages has none of a story
let timer = 0; // while it plays
let place = 0; // of a lesson: the number of its step
const chosen = new Map(); // by step: which choice was taken
const revealed = new Set(); // steps whose answer was looked at

// -- what the page consists of

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function picture(name, title, role = "img") {
  const box = element("div", { class: `picture ${name}`, tabindex: "0", role: "region", "aria-label": title });
  box.innerHTML = `<svg role="${role}"><title></title><g></g></svg>`;
  box.querySelector("title").textContent = title;
  return box;
}

const ICONS = {
  play: "M7 4l13 8-13 8z",
  pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  start: "M5 4h3v16H5zM20 4v16L9 12z",
  back: "M16 4v16L5 12z",
  on: "M8 4l11 8-11 8z",
  theme: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 2v16a8 8 0 0 1 0-16z",
};

function icon(name) {
  return `<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
}

function button(name, shape, key, act) {
  const made = element("button", { type: "button", id: name, "aria-label": words[name] });
  made.innerHTML = icon(shape);
  made.title = key ? `${words[name]} (${key})` : words[name];
  made.addEventListener("click", act);
  return made;
}

function both(kind, back, on, go) {
  // Back and on, under the name of what it goes by.
  const name = element("span", { "aria-hidden": "true" }, words[`${kind}_name`]);
  return element(
    "div",
    { class: "both" },
    name,
    button(`${kind}_back`, "back", back, () => go(-1)),
    button(`${kind}_on`, "on", on, () => go(1)),
  );
}

function section(name, title, ...children) {
  return element("section", { id: name, "aria-label": title }, element("h2", {}, title), ...children);
}

const parts = {
  diagram: picture("diagram", words.diagram),
  timeline: picture("timeline", words.timeline),
  panel: picture("panel", "", "group"), // its words are words
  notes: element("ul", { id: "notes", "aria-label": words.notes }),
  title: element("p", { class: "muted", id: "title" }),
  stage: element("p", { id: "stage" }),
  clock: element("p", { id: "clock" }),
  how: element("p", { class: "muted", id: "how" }),
  said: element("p", { id: "said", "aria-live": "polite" }),
  figures: element("p", { class: "muted", id: "figures" }),
  list: element("ol", { id: "stages" }),
  lesson: element("section", { id: "lesson", "aria-label": words.lesson }),
  numbers: element("dl", { id: "strip" }),
  events: element("ol", { id: "events" }),
  journey: element("select", { id: "which", "aria-label": words.journeys }),
  pace: element("select", { id: "pace", "aria-label": words.pace }),
};

function build() {
  const { space, home, shift } = words;
  const controls = element(
    "div",
    { id: "controls", role: "toolbar", "aria-label": words.play },
    button("start", "start", home, toStart),
    button("play", "play", space, playOrPause),
    both("journey", "P", "N", toJourney),
    both("stage", "←", "→", (by) => step(stages, by)),
    both("event", `${shift}+←`, `${shift}+→`, (by) => step(events, by)),
    parts.journey,
    parts.pace,
  );
  const head = element(
    "header",
    {},
    element("h1", {}, about.title),
    element("span", { class: "badge" }, words.replay),
    button("theme", "theme", "", otherTheme),
  );
  const told = element(
    "div",
    { id: "told" },
    parts.title,
    parts.stage,
    element("div", { id: "stopwatch" }, parts.clock, parts.how),
    parts.said,
    parts.notes,
    parts.figures,
  );
  document.getElementById("page").append(
    definitions(),
    head,
    element(
      "main",
      {},
      element("div", { id: "pictures" }, parts.diagram, parts.panel, parts.timeline),
      element("div", { id: "story" }, parts.lesson, told, section("passed", words.stages, parts.list)),
      section("numbers", words.numbers, parts.numbers),
      section("happened", words.events, parts.events),
      section("about", words.about, ...aboutPage()),
    ),
    controls,
  );
}

function definitions() {
  const box = element("div", { class: "definitions", "aria-hidden": "true" });
  box.innerHTML = `<svg width="0" height="0"><defs>${shared.defs}</defs></svg>`;
  return box;
}

function aboutPage() {
  const recorded = words.recorded.replace("{machine}", about.machine).replace("{date}", about.recorded || "–");
  const { space, home, shift, play, start, slower, faster } = words;
  const keys = [
    [space, play],
    ["← →", words.stage_name],
    [`${shift}+← →`, words.event_name],
    ["P N", words.journey_name],
    [home, start],
    ["[ ]", `${slower}, ${faster}`],
    ["?", words.keys],
  ];
  const list = element("dl", { class: "keys" });
  for (const [key, what] of keys) list.append(element("dt", {}, element("kbd", {}, key)), element("dd", {}, what));
  return [about.purpose, about.left_out, about.warning, recorded]
    .filter(Boolean)
    .map((text) => element("p", {}, text))
    .concat(element("h3", { id: "keys", tabindex: "-1" }, words.keys), list);
}

function load(number) {
  // Takes up a run; what is shown of it is still to be said.
  const run = runs[number];
  ({ moments, journeys } = run);
  stages = moments.flatMap((moment, index) => (moment.kind === "stage" ? [index] : []));
  events = moments.flatMap((moment, index) => (moment.kind === "event" ? [index] : []));
  shown = -1;
  for (const name of PICTURES) {
    parts[name].hidden = !run.views[name];
    if (run.views[name]) parts[name].querySelector("svg").setAttribute("viewBox", run.views[name]);
  }
  parts.panel.setAttribute("aria-label", run.panel);
  parts.panel.querySelector("title").textContent = run.panel;
  delete parts.list.dataset.journey;
  parts.list.replaceChildren();
  parts.journey.replaceChildren(...journeys.map((one, index) => element("option", { value: index }, one.name)));
  parts.journey.hidden = document.getElementById("passed").hidden = !journeys.length;
  listEvents();
  setPace(wanted, wanted);
}

function listEvents() {
  parts.events.replaceChildren();
  for (const index of events) {
    const { clock, where, title } = moments[index];
    const row = element("button", { type: "button", "data-moment": index });
    row.append(element("span", {}, clock), element("span", {}, where), element("span", {}, title));
    row.addEventListener("click", () => halt(index));
    parts.events.append(element("li", {}, row));
  }
}

function fill() {
  const groups = [words.story, words.slow].map((label) => element("optgroup", { label }));
  PACES.forEach((one, index) => {
    const name = one.seconds
      ? words.stage_seconds.replace("{seconds}", one.seconds.toLocaleString(document.documentElement.lang))
      : `1 : ${one.factor.toLocaleString("fr")}`;
    groups[one.seconds ? 0 : 1].append(element("option", { value: index }, name));
  });
  parts.pace.append(...groups);
  parts.journey.addEventListener("change", () => halt(journeys[parts.journey.value].first));
  parts.pace.addEventListener("change", () => setPace(Number(parts.pace.value)));
}

// -- a lesson

function showStep(number) {
  const step = lesson.steps[number];
  place = number;
  pause();
  const run = revealed.has(number) && step.reveal !== undefined ? step.reveal : step.run;
  load(run);
  parts.lesson.replaceChildren(...stepWords(step, number), stepButtons(number));
  show(runs[run].start ?? 0);
}

function stepWords(step, number) {
  const paragraphs = step.text.map((text) => element("p", {}, text));
  const counted = words.step.replace("{step}", number + 1).replace("{steps}", lesson.steps.length);
  const title = element("h2", { tabindex: "-1" }, step.title);
  return [element("p", { class: "muted" }, counted), title, ...paragraphs, ...(step.ask ? [question(step, number)] : [])];
}

function question(step, number) {
  const box = element("div", { class: "question", role: "group", "aria-label": step.ask }, element("p", {}, step.ask));
  step.choices.forEach((text, index) => box.append(choice(step, number, text, index)));
  if (revealed.has(number)) return box;
  const answer = element("button", { type: "button", id: "reveal" }, words.reveal);
  answer.addEventListener("click", () => {
    revealed.add(number);
    toStep(number);
  });
  box.append(answer);
  return box;
}

function choice(step, number, text, index) {
  const taken = String(chosen.get(number) === index);
  const made = element("button", { type: "button", class: "choice", "aria-pressed": taken }, text);
  if (revealed.has(number)) {
    const { right, reason } = step.answers[index];
    made.disabled = true;
    const verdict = right === null ? "untold" : right ? "right" : "wrong";
    made.classList.add(verdict);
    made.append(element("span", {}, `${words[verdict]}. ${reason}`));
  }
  made.addEventListener("click", () => {
    chosen.set(number, index);
    for (const other of made.parentElement.querySelectorAll(".choice")) other.setAttribute("aria-pressed", other === made);
  });
  return made;
}

function stepButtons(number) {
  const back = element("button", { type: "button", id: "step_back" }, words.step_back);
  const on = element("button", { type: "button", id: "step_on" }, words.step_on);
  back.disabled = number === 0;
  on.disabled = number === lesson.steps.length - 1;
  back.addEventListener("click", () => toStep(number - 1));
  on.addEventListener("click", () => toStep(number + 1));
  return element("div", { class: "steps" }, back, on);
}

function toStep(number) {
  showStep(number);
  parts.lesson.querySelector("h2").focus({ preventScroll: true });
  parts.lesson.scrollIntoView({ block: "nearest" });
}

// -- showing a moment

function markup(numbers) {
  const found = [];
  for (let at = 0; at < numbers.length; at += 2)
    for (let more = 0; more < numbers[at + 1]; more++) found.push(shared.shapes[numbers[at] + more]);
  return found.join("");
}

function show(index) {
  if (index === shown || !moments.length) return;
  const moment = moments[index];
  const before = moments[shown];
  shown = index;
  for (const name of PICTURES) parts[name].querySelector("g").innerHTML = markup(moment[name] ?? []);
  parts.diagram.querySelector("title").textContent = `${words.diagram}. ${moment.said}`;
  parts.stage.textContent = moment.title;
  parts.clock.textContent = moment.clock;
  parts.how.textContent = [moment.how, moment.wait].filter(Boolean).join(" · ");
  parts.said.textContent = moment.said;
  parts.notes.replaceChildren(...moment.notes.map(note));
  showJourney(moment);
  if (!before || before.numbers !== moment.numbers) showNumbers(shared.numbers[moment.numbers]);
  for (const row of parts.events.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
  parts.events.querySelector(`[data-moment="${index}"]`)?.setAttribute("aria-current", "true");
  location.replace(lesson ? `#${place + 1}.${index}` : `#${index}`);
  follow(moment);
}

function note([ink, text]) {
  const made = element("li", {}, text);
  made.style.borderColor = `var(--${ink})`;
  return made;
}

function showJourney(moment) {
  const number = journeyShown();
  const journey = journeys[moment.journey];
  parts.title.textContent = journey ? `${journey.title}: ${moment.where}` : moment.where;
  parts.figures.textContent = journey ? journey.figures : "";
  if (journeys.length && parts.list.dataset.journey !== String(number)) listStages(journeys[number], number);
  parts.journey.value = number;
  for (const row of parts.list.querySelectorAll("button")) {
    const current = Number(row.dataset.moment) === shown;
    if (current) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
    if (current) parts.list.scrollTop = row.offsetTop - parts.list.offsetTop - parts.list.clientHeight / 2;
  }
}

function listStages(journey, number) {
  parts.list.dataset.journey = number;
  parts.list.replaceChildren();
  for (let index = journey.first; index <= journey.last; index++) {
    const { title, clock, out } = moments[index];
    const row = element("button", { type: "button", "data-moment": index, class: out ? "doorbell" : "interrupt" });
    row.append(element("span", {}, title), element("span", {}, clock));
    row.addEventListener("click", () => halt(index));
    parts.list.append(element("li", {}, row));
  }
}

function showNumbers(strip) {
  parts.numbers.replaceChildren();
  for (const [value, unit, label, color] of strip) {
    const number = element("dd", {}, value, " ", element("small", {}, unit));
    number.style.color = `var(--${color.replaceAll("_", "-")})`;
    parts.numbers.append(element("div", {}, element("dt", {}, label), number));
  }
}

function follow({ x }) {
  // Where a picture is wider than the screen, what happens is brought into its middle.
  const box = parts.diagram;
  if (x !== undefined) box.scrollLeft = x * box.scrollWidth - box.clientWidth / 2;
}

// -- moving

function step(track, by) {
  halt(neighbour(track, by));
}

function neighbour(track, by) {
  // The next moment of a kind, or the one before; from a moment of the other kind the next in time.
  const at = track.indexOf(shown);
  if (at >= 0) return track[Math.min(Math.max(at + by, 0), track.length - 1)];
  const now = moments[shown]?.t ?? 0;
  const near = by > 0 ? track.find((index) => moments[index].t > now) : track.findLast((index) => moments[index].t < now);
  return near ?? track.at(by > 0 ? -1 : 0) ?? shown;
}

function journeyShown() {
  const { journey, t } = moments[shown] ?? { t: 0 };
  return journey ?? Math.max(journeys.findLastIndex(({ first }) => moments[first].t <= t), 0);
}

function toJourney(by) {
  if (journeys.length) halt(journeys[Math.min(Math.max(journeyShown() + by, 0), journeys.length - 1)].first);
}

function toStart() {
  halt(0);
}

function halt(index) {
  pause();
  show(index);
}

// -- playing

const track = () => (PACES[pace].seconds ? stages : events);

function playOrPause() {
  if (timer) pause();
  else play();
}

function play() {
  if (shown === track().at(-1)) show(track()[0]);
  else if (!track().includes(shown)) show(neighbour(track(), 1));
  schedule();
  showPlaying();
}

function pause() {
  clearTimeout(timer);
  timer = 0;
  showPlaying();
}

function showPlaying() {
  const made = document.getElementById("play");
  made.innerHTML = icon(timer ? "pause" : "play");
  made.setAttribute("aria-label", timer ? words.pause : words.play);
  document.documentElement.toggleAttribute("data-plays", Boolean(timer));
}

function schedule() {
  const next = neighbour(track(), 1);
  timer = next === shown ? 0 : setTimeout(() => goOn(next), 1000 * secondsUntil(next));
}

function goOn(next) {
  show(next);
  schedule();
  if (!timer) showPlaying();
}

function secondsUntil(next) {
  const { seconds, factor } = PACES[pace];
  if (seconds) return seconds;
  const wanted = ((moments[next].t - moments[shown].t) * factor) / 1e9;
  return moments[shown].busy ? wanted : Math.min(wanted, QUIET);
}

function setPace(number, chosen) {
  pace = Math.min(Math.max(number, stages.length ? 0 : SLOW), PACES.length - 1);
  wanted = chosen ?? pace;
  parts.pace.value = pace;
  if (!timer) return;
  clearTimeout(timer);
  play();
}

function otherTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

// -- the keyboard

const KEYS = {
  " ": playOrPause,
  ArrowRight: () => step(stages.length ? stages : events, 1),
  ArrowLeft: () => step(stages.length ? stages : events, -1),
  "Shift+ArrowRight": () => step(events, 1),
  "Shift+ArrowLeft": () => step(events, -1),
  n: () => toJourney(1),
  p: () => toJourney(-1),
  Home: toStart,
  "[": () => setPace(pace - 1),
  "]": () => setPace(pace + 1),
  "?": showKeys,
};

function showKeys() {
  const keys = document.getElementById("keys");
  keys.focus({ preventScroll: true });
  keys.scrollIntoView({ block: "center" });
}

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("select")) return;
  if (event.key === " " && event.target.closest("button")) return; // which it presses
  const act = KEYS[(event.shiftKey && event.key.startsWith("Arrow") ? "Shift+" : "") + event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

// -- where the address says that it begins

function begin() {
  const [first, second] = location.hash.slice(1).split(".").map((text) => Number(text) || 0);
  if (lesson) {
    const number = Math.min(Math.max(first - 1, 0), lesson.steps.length - 1);
    if (number !== place || shown < 0) showStep(number);
    if (second !== undefined) show(Math.min(second, moments.length - 1));
  } else {
    if (shown < 0) load(0);
    show(Math.min(first, moments.length - 1));
  }
}

build();
fill();
parts.lesson.hidden = !lesson;
showPlaying();
begin();
addEventListener("keydown", pressed);
addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault()); // keeps the focus
addEventListener("hashchange", begin);
