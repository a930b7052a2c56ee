// What HTML alone cannot do: keep what is typed, follow the chat, mend the connection. No state lives here.
"use strict";

const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const body = document.body;
const sid = body.dataset.sid;
const CONTROLS = "input:not([type=hidden]), textarea, select";
const isTyped = (element) => !!element.closest?.("[data-typed]");

// --- what is typed stays: a field with unsent input is not overwritten; the other's value stands beside it ---

htmx.registerExtension("keep-typed", {
  htmx_before_morph_attr: (element, { attrName, newValue }) => {
    if (!["value", "checked"].includes(attrName) || !element.matches?.(CONTROLS) || !isTyped(element)) return true;
    // the default changes, what is shown does not
    if (newValue === null) element.removeAttribute(attrName);
    else element.setAttribute(attrName, newValue);
    return false;
  },
  htmx_before_morph_node: (element) => !(element.matches?.("textarea, select") && isTyped(element)),
});

const keyOf = (element) => {
  const form = element.form;
  return form && element.name && sid ? `typed ${sid} ${form.id} ${element.name}` : null;
};
const held = (form, name) => $$(CONTROLS, form).filter((e) => e.name === name);
const valueOf = (form, name) =>
  JSON.stringify(held(form, name).map((e) => (["checkbox", "radio"].includes(e.type) ? e.checked : e.value)));

function remember(element) {
  const key = keyOf(element);
  if (!key || ["file", "password"].includes(element.type)) return;
  sessionStorage.setItem(key, valueOf(element.form, element.name));
  element.closest(".field")?.setAttribute("data-typed", "");
}

function restore(form) {
  for (const name of new Set($$(CONTROLS, form).map((e) => e.name))) {
    const stored = sessionStorage.getItem(`typed ${sid} ${form.id} ${name}`);
    if (stored === null || stored === valueOf(form, name)) continue;
    const values = JSON.parse(stored);
    held(form, name).forEach((element, i) => {
      if (values[i] === undefined) return;
      if (typeof values[i] === "boolean") element.checked = values[i];
      else element.value = values[i];
      element.closest(".field")?.setAttribute("data-typed", "");
    });
  }
}

function forget(form) {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(`typed ${sid} ${form.id} `)) sessionStorage.removeItem(key);
}

document.addEventListener("input", (event) => {
  if (event.target.matches?.(CONTROLS)) remember(event.target);
  if (event.target.id === "timeline-at") showEntry(event.target);
});
$$("form[id^='form-'], #chat-form").forEach(restore);

function useTheirs(field) {
  for (const element of $$(CONTROLS, field)) {
    if (["checkbox", "radio"].includes(element.type)) element.checked = element.defaultChecked;
    else if (element.options) $$("option", element).forEach((option) => (option.selected = option.defaultSelected));
    else element.value = element.defaultValue;
    const key = keyOf(element);
    if (key) sessionStorage.removeItem(key);
  }
  field.removeAttribute("data-typed");
}

// --- the chat ---

const log = $("#chat-log");
const input = () => $("#chat-input");
let atEnd = true;
const toEnd = () => log && atEnd && (log.scrollTop = log.scrollHeight);
if (log) {
  log.addEventListener("scroll", () => (atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60));
  toEnd();
}

function say(text) {
  input().value = text;
  $("#chat-send").click();
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.target.id === "chat-input" && event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    if (input().value.trim()) $("#chat-send").click();
  }
  const stop = $("#chat-stop");
  if (event.key === "Escape" && stop && !stop.hidden) stop.click();
});

document.addEventListener("submit", (event) => {
  if (event.target.id === "chat-form" && event.submitter?.id !== "chat-stop" && !input().value.trim()) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

// --- clicks ---

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button, .chip");
  $("#toast")?.replaceChildren();
  if (!button) return;
  if (button.matches(".say")) say(button.dataset.say);
  if (button.matches(".use")) useTheirs(button.closest(".field"));
  if (button.matches(".add-row")) addRow(button);
  if (button.matches(".copy")) await copy(button);
  if (button.id === "theme") switchTheme();
  if (button.id === "chat-toggle") body.classList.toggle("no-chat");
  if (button.id === "rail-toggle") {
    localStorage.setItem("rail", body.classList.toggle("no-rail") ? "folded" : "");
  }
});

function addRow(button) {
  const rows = $$(":scope > .row", button.parentElement);
  const last = rows.at(-1);
  const next = last.cloneNode(true);
  const name = button.parentElement.dataset.rows;
  for (const element of $$(CONTROLS, next)) {
    element.name = element.name.replace(`${name}.${rows.length - 1}`, `${name}.${rows.length}`);
    if (["checkbox", "radio"].includes(element.type)) element.checked = false;
    else element.value = "";
    element.removeAttribute("id");
  }
  last.after(next);
  $(CONTROLS, next)?.focus();
}

async function copy(button) {
  const before = button.textContent;
  try {
    // asked for inside the click, as browsers demand; the text may come later
    const text = fetch(button.dataset.copy).then((answer) => answer.blob());
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((b) => new Blob([b], { type: "text/plain" })) })]);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied";
  }
  setTimeout(() => (button.textContent = before), 1500);
}

// --- light and dark, the list of sessions ---

const theme = $("#theme");
function nameTheme() {
  const dark = document.documentElement.dataset.theme === "dark";
  theme.textContent = dark ? "Light" : "Dark";
  theme.setAttribute("aria-label", `Switch to ${dark ? "light" : "dark"}`);
}
function switchTheme() {
  const to = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", to);
  document.documentElement.dataset.theme = to;
  nameTheme();
}
theme.hidden = false;
nameTheme();
if (localStorage.getItem("rail") === "folded") body.classList.add("no-rail");

// --- after each swap: the end of the chat, the new card's first field, a graph that needs drawing ---

let openCard = $('article.card[data-state="open"]')?.id;

function afterSwap() {
  toEnd();
  const card = $('article.card[data-state="open"]');
  if (card && card.id !== openCard) {
    const inChat = document.activeElement?.closest?.("#chat");
    if (!inChat) {
      const first = $(`${CONTROLS}, button.next`, $("form .body", card) || card) || $("button.next", card);
      first?.focus({ preventScroll: true });
    }
    card.scrollIntoView({ block: "nearest", behavior: "instant" });
    const form = $("form[id]", card);
    if (form) restore(form);
  }
  openCard = card?.id;
  if (sid && !document.hidden) document.title = $("#where").textContent;
  drawGraphs();
}

async function drawGraphs() {
  const graphs = $$(".graph:not([data-drawn])");
  if (!graphs.length) return;
  graphs.forEach((graph) => graph.setAttribute("data-drawn", ""));
  if (!window.assistantGraph) {
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const us = $("script[data-graph]");
      script.src = us.dataset.graph;
      // whole addresses: the page's are relative to its base, and a script's to itself
      for (const name of ["sigma", "graphology", "styles"]) script.dataset[name] = new URL(us.dataset[name], document.baseURI).href;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
  }
  graphs.forEach((graph) => window.assistantGraph(graph));
}

document.addEventListener("htmx:after:swap", afterSwap);
document.addEventListener("htmx:sse:after:message", afterSwap);
drawGraphs();

let sentText = null;
document.addEventListener("htmx:before:request", (event) => {
  if (event.detail.ctx.sourceElement?.id === "chat-form") sentText = input().value;
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement?.closest?.("form");
  const status = ctx.response?.raw?.status ?? ctx.response?.status;
  if (!form || status !== 204) return;
  if (form.id === "chat-form" && !ctx.request.action.endsWith("/stop")) {
    if (input().value === sentText) {
      input().value = "";
      forget(form);
    }
    atEnd = true;
    toEnd();
  } else if (form.id.startsWith("form-")) forget(form);
});

document.addEventListener("htmx:error", (event) => {
  if (event.target.id === "stream" || !$("#toast")) return;
  const p = document.createElement("p");
  p.textContent = "The program did not answer. What you typed is still here; try again.";
  $("#toast").replaceChildren(p);
});

// --- the connection ---

const stream = $("#stream");
if (stream) {
  const lost = (is) => ($("#lost").hidden = !is);
  let broken = null;
  const connected = () => {
    clearTimeout(broken);
    broken = null;
    lost(false);
  };
  const failed = () => {
    broken ??= setTimeout(() => lost(true), 300);
  };
  stream.addEventListener("reload", () => location.reload());
  stream.addEventListener("htmx:sse:after:connection", connected);
  stream.addEventListener("htmx:sse:error", failed);
  stream.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail.connection.attempt > 1) failed();
  });
  // htmx does not try a first connection again
  const again = () => {
    if (stream._htmx?.sse) return;
    failed();
    setTimeout(() => htmx.trigger(stream, "again"), 1500);
  };
  stream.addEventListener("htmx:error", again);
  stream.addEventListener("htmx:response:error", again);

  // a hidden tab lets its stream go; a slow look says in its title that something has ended
  const title = () => $("#where").textContent;
  let timer = null;
  const busy = { answer: false, run: false };
  const look = async () => {
    try {
      const now = await (await fetch(`sessions/${sid}/status`)).json();
      if (busy.run && !now.running) document.title = `Run ended · ${title()}`;
      else if (busy.answer && !now.answering) document.title = `Answered · ${title()}`;
      busy.run ||= now.running;
      busy.answer ||= now.answering;
    } catch {
      // the program may be restarting; the next look tells
    }
  };
  document.addEventListener("visibilitychange", () => {
    clearInterval(timer);
    if (document.hidden) {
      busy.answer = !!$("#draft[data-turn]");
      busy.run = !!$("#runs [data-state=running]");
      timer = setInterval(look, 3000);
    } else document.title = title();
  });
}

// --- the record ---

function showEntry(slider) {
  $("#timeline-now").textContent = `entry ${slider.value} of ${slider.max}`;
}
$("#timeline-at")?.addEventListener("change", (event) => event.target.form.requestSubmit());
