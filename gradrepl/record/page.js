"use strict";
const root = document.documentElement;
root.classList.add("js");

// A file opened from disk may have no storage: then the choice lasts as long as the page.
function remembered(name) {
  try { return localStorage.getItem("gradrepl-" + name); } catch { return null; }
}

function remember(name, value) {
  try { localStorage.setItem("gradrepl-" + name, value); } catch { return; }
}

const SWITCHES = {speech: ["vi", "en", "both"], theme: ["auto", "light", "dark"]};

function choose(name, value) {
  root.dataset[name] = value;
  if (name === "speech") root.lang = value === "en" ? "en" : "vi";
  for (const button of document.querySelectorAll(`button[data-${name}]`))
    button.setAttribute("aria-pressed", String(button.dataset[name] === value));
}

for (const name of Object.keys(SWITCHES))
  if (SWITCHES[name].includes(remembered(name))) choose(name, remembered(name));

// Answers: their meaning counts, not their spelling.
const WORDS = new Map();
for (const [value, words] of [
  [true, ["true", "đúng", "dung", "yes", "có", "co", "bật", "bat", "on"]],
  [false, ["false", "sai", "no", "không", "khong", "tắt", "tat", "off"]],
  [null, ["none", "nothing", "null", "không có", "khong co", "không có gì", "khong co gi"]],
]) for (const word of words) WORDS.set(word, value);
const NODE = /^(?:grad_fn=)?<?([\p{L}\p{N}_]+?backward|accumulategrad)\d*(?: object at 0x[0-9a-f]+)?>?$/u;
const NUMBER = /^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+)?$/;

function meaning(text) {
  const word = text.normalize("NFC").toLowerCase().trim().replace(/^`+|`+$/g, "").trim().replace(/\s+/g, " ");
  if (WORDS.has(word)) return WORDS.get(word);
  const node = NODE.exec(word);
  if (node) return node[1];
  const number = word.split(",").length === 2 ? word.replace(",", ".") : word;
  if (NUMBER.test(number)) return String(Number(Number(number.replaceAll("_", "")).toPrecision(4)));
  return word.replace(/\s/g, "");
}

function same(one, other) {
  return meaning(one) === meaning(other);
}

function sentence(id, slots = {}) {
  const copy = document.getElementById(id).content.cloneNode(true);
  for (const slot of copy.querySelectorAll("[data-slot]")) slot.textContent = slots[slot.dataset.slot];
  return copy;
}

// The reply of the lesson that stands in the step's templates.
function reply(step, fits) {
  const found = [...step.querySelectorAll("template")].find(fits);
  return found ? [found.content.cloneNode(true)] : [];
}

function chosen(ask) {
  const radio = ask.querySelector("input[type=radio]:checked");
  const field = ask.querySelector("input[type=text]");
  return field ? field.value.trim() : radio ? radio.value : "";
}

function verdict(step, ask, place) {
  const slots = {cell: ask.dataset.name, truth: ask.dataset.truth, answer: chosen(ask)};
  if (!slots.answer) return [sentence("said-nothing", slots)];
  if (same(slots.answer, slots.truth)) return [sentence("said-right", slots)];
  const fits = (item) => item.dataset.cell === String(place) && same(slots.answer, item.dataset.value);
  return [sentence("said-wrong", slots), ...reply(step, fits)];
}

// Each kind of task: what to say, and whether the task is over.
const TASKS = {
  predict(step, form, leaving) {
    const asks = [...form.querySelectorAll(".ask")];
    if (!leaving && !asks.some(chosen)) return {said: [sentence("unanswered")], over: false};
    return {said: asks.flatMap((ask, place) => verdict(step, ask, place)), over: true};
  },
  choice(step, form, leaving) {
    const right = form.dataset.right;
    const number = leaving ? right : chosen(form);
    if (!number) return {said: [sentence("unanswered")], over: false};
    const first = sentence(leaving ? "right-is" : number === right ? "right" : "not", {number});
    return {said: [first, ...reply(step, (item) => item.dataset.value === number)], over: number === right};
  },
  parsons(step, form) {
    const numbers = chosen(form).match(/\d+/g) || [];
    if (!numbers.length) return {said: [sentence("unanswered")], over: false};
    const lines = [...form.querySelectorAll(".lines li")];
    const program = (order) => order.map((number) => lines[number - 1]?.textContent).join("\n");
    if (program(numbers) === program(form.dataset.right.split(" "))) return {said: [sentence("right")], over: true};
    const stray = reply(step, (item) => numbers.includes(item.dataset.value));
    return {said: stray.length ? stray : [sentence("other-order")], over: false};
  },
};

function answer(form, leaving) {
  const step = form.closest(".step");
  const {said, over} = TASKS[form.dataset.kind](step, form, leaving);
  form.querySelector(".feedback").replaceChildren(...said);
  if (!over) return;
  form.classList.add("over");
  for (const field of form.querySelectorAll("input")) field.disabled = true;
  const result = step.querySelector(".result");
  if (result) result.classList.add("open");
  for (const details of step.querySelectorAll(".parsons > details")) details.open = true;
  const next = document.getElementById("next");
  (next.disabled ? step.querySelector("h2") : next).focus({preventScroll: true});
}

function start() {
  const steps = [...document.querySelectorAll(".step")];
  const links = [...document.querySelectorAll(".contents a")];
  let now = -1;

  function show(index, focus) {
    if (index < 0 || index >= steps.length || index === now) return;
    now = index;
    steps.forEach((step, place) => step.classList.toggle("current", place === index));
    links.forEach((link, place) => {
      if (place === index) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    document.getElementById("progress").value = index + 1;
    for (const slot of document.querySelectorAll("#place [data-slot]")) slot.textContent = index + 1;
    document.getElementById("back").disabled = index === 0;
    document.getElementById("next").disabled = index === steps.length - 1;
    if (!focus) return;
    history.replaceState(null, "", "#" + steps[index].id);
    const heading = steps[index].querySelector("h2");
    heading.focus({preventScroll: true});
    if (index) heading.scrollIntoView();
    else scrollTo(0, 0);
  }

  function named() {
    const wanted = decodeURIComponent(location.hash.slice(1));
    return steps.findIndex((step) => step.id === wanted);
  }

  // What is being read stays where it is while the words above it change.
  function keepingPlace(change) {
    const parts = steps.length ? [...steps[now].children] : [];
    const seen = parts.find((part) => part.getBoundingClientRect().top >= 0) || parts.at(-1);
    const before = seen ? seen.getBoundingClientRect().top : 0;
    change();
    if (seen && scrollY) scrollBy(0, seen.getBoundingClientRect().top - before);
  }

  for (const name of Object.keys(SWITCHES)) {
    choose(name, root.dataset[name]);
    for (const button of document.querySelectorAll(`button[data-${name}]`))
      button.addEventListener("click", () => keepingPlace(() => {
        choose(name, button.dataset[name]);
        remember(name, button.dataset[name]);
      }));
  }
  if (!steps.length) return;

  document.getElementById("back").addEventListener("click", () => show(now - 1, true));
  document.getElementById("next").addEventListener("click", () => show(now + 1, true));
  links.forEach((link, place) => link.addEventListener("click", (event) => {
    event.preventDefault();
    show(place, true);
  }));
  for (const form of document.querySelectorAll(".task")) {
    form.addEventListener("submit", (event) => { event.preventDefault(); answer(form, false); });
    const leave = form.querySelector(".give-up");
    if (leave) leave.addEventListener("click", () => answer(form, true));
  }
  addEventListener("hashchange", () => show(named(), true));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.target.matches("input")) return;
    if (event.key === "ArrowRight") show(now + 1, true);
    if (event.key === "ArrowLeft") show(now - 1, true);
  });

  let touch = null;
  addEventListener("touchstart", (event) => { touch = event.touches.length === 1 ? event.touches[0] : null; }, {passive: true});
  addEventListener("touchend", (event) => {
    const end = event.changedTouches[0];
    const across = touch ? end.clientX - touch.clientX : 0;
    if (Math.abs(across) > 70 && Math.abs(end.clientY - touch.clientY) < 40 && !String(getSelection()))
      show(now + (across < 0 ? 1 : -1), true);
    touch = null;
  });

  const contents = document.querySelector(".contents details");
  const wide = matchMedia("(min-width: 64rem)");
  const fit = () => { contents.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
  show(Math.max(named(), 0), false);
}

addEventListener("DOMContentLoaded", start);
