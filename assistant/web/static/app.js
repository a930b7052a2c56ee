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
  if (event.target.id === "tick-all") $$(".tick").forEach((tick) => (tick.checked = event.target.checked));
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
// with the next frame: asking for the height at once would lay the page out for each word that comes
let frame = 0;
const toEnd = () => {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    if (log && atEnd) log.scrollTop = log.scrollHeight;
  });
};
const follow = () => {
  if (atEnd) return; // and a frame that shows nothing new keeps the next words waiting
  atEnd = true;
  toEnd();
};
if (log) {
  let last = 0;
  log.addEventListener("scroll", () => {
    // told a frame late: more may stand below by then, and only who scrolls up leaves the end
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60 || (atEnd && log.scrollTop >= last);
    last = log.scrollTop;
  });
  new ResizeObserver(toEnd).observe(log);
  toEnd();
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  if (event.target.id === "chat-input" && writing(event)) return event.preventDefault();
  if (event.key !== "Escape") return;
  const menu = $(".menu[open]");
  if (menu) {
    menu.open = false;
    return $("summary", menu).focus();
  }
  const stop = $("#chat-stop");
  if ($("#chat-edit")?.value) {
    leaveEdit();
    input().focus();
  } else if (stop && !stop.hidden) stop.click();
});

// a key in the field; whether it was ours
function writing(event) {
  if (!listed().hidden && choosing(event.key)) return true;
  if (event.key === "Enter" && !event.shiftKey) {
    if (input().value.trim()) $("#chat-send").click();
    return true;
  }
  const last = $$("#chat-log .message[data-by=user][data-did=said] > .edit").at(-1);
  if (event.key !== "ArrowUp" || input().value || !last) return false;
  startEdit(last);
  return true;
}

document.addEventListener("submit", (event) => {
  const own = event.submitter?.id === "chat-send" || !event.submitter;
  const said = !input()?.value.trim() || (leaving && input().value === sentText);
  if (event.target.id === "chat-form" && own && said) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

// a sent message is said anew: the field holds its words until they are sent or left

function startEdit(link) {
  sentText = null; // it has left the field for other words
  $("#chat-edit").value = link.dataset.edit;
  $("#editing").hidden = false;
  input().value = $(".words", link.closest(".message")).textContent;
  input().focus();
  input().setSelectionRange(input().value.length, input().value.length);
}

function leaveEdit() {
  $("#chat-edit").value = input().value = "";
  $("#editing").hidden = true;
  forget($("#chat-form"));
}

// what unfolds at the end of the chat is not left below its edge
log?.addEventListener("toggle", (event) => event.target.open && event.target.scrollIntoView({ block: "nearest" }), true);

// what begins with a slash is completed from the list of commands

const listed = () => $("#slash");
const fitting = () => $$("[role=option]:not([hidden])", listed());
const mark = (option) => {
  for (const each of fitting()) each.setAttribute("aria-selected", String(each === option));
  if (option) input().setAttribute("aria-activedescendant", option.id);
  else input().removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};

// after "/model " the models that there are
function listModels(typed) {
  $$("[data-model]", listed()).forEach((each) => each.remove());
  if (!typed.startsWith("/model ")) return;
  for (const { value } of $$("#model-select option")) {
    const item = document.createElement("li");
    Object.assign(item, { id: `slash-model-${value}`, role: "option", textContent: value });
    Object.assign(item.dataset, { model: "", command: `/model ${value}` });
    listed().append(item);
  }
}

function list() {
  const typed = input().value.toLowerCase();
  listModels(typed);
  const open = /^\/([a-z]*|model \S*)$/.test(typed);
  for (const each of $$("[role=option]", listed())) each.hidden = !each.dataset.command.toLowerCase().startsWith(typed);
  listed().hidden = !open || !fitting().length;
  mark(listed().hidden ? null : fitting()[0]);
}

function choosing(key) {
  const options = fitting();
  const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (key === "ArrowDown" || key === "ArrowUp") {
    mark(options.at((at + (key === "ArrowDown" ? 1 : -1) + options.length) % options.length));
  } else if (key === "Escape") {
    listed().hidden = true;
    mark(null);
  } else if (key === "Enter" || key === "Tab") complete(options[at], key === "Enter");
  else return false;
  return true;
}

function complete(option, send) {
  const { command, takes } = option.dataset;
  input().value = takes ? `${command} ` : command;
  listed().hidden = true;
  mark(null);
  input().focus();
  if (send && !takes) $("#chat-send").click();
}

document.addEventListener("input", (event) => event.target.id === "chat-input" && list());
document.addEventListener("focusout", (event) => {
  if (event.target.id === "chat-input" && listed()) listed().hidden = true;
});
// a click on an option must not take the focus out of the field first
listed()?.addEventListener("mousedown", (event) => event.preventDefault());
listed()?.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (option) complete(option, true);
});

// a file that is dropped on the chat goes to the field of the open card that it fits

const tell = (text) => ($("#chat-notice").textContent = text);
const hasFiles = (event) => !!event.target.closest?.("#chat") && event.dataTransfer?.types.includes("Files");
const fits = (field, file) => {
  const kinds = field.accept.split(",").map((kind) => kind.trim().toLowerCase()).filter(Boolean);
  const name = file.name.toLowerCase();
  return !kinds.length || kinds.some((kind) =>
    kind.startsWith(".") ? name.endsWith(kind) : kind.endsWith("/*") ? file.type.startsWith(kind.slice(0, -1)) : file.type === kind);
};

document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  $("#chat").classList.add("drop");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget?.closest?.("#chat")) $("#chat")?.classList.remove("drop");
});
document.addEventListener("drop", (event) => {
  if (!hasFiles(event) || !$("#chat-notice")) return;
  event.preventDefault();
  $("#chat").classList.remove("drop");
  const file = event.dataTransfer.files[0];
  const fields = $$('article.card[data-state="open"] input[type=file]').filter((field) => fits(field, file));
  const field = fields.find((each) => !each.files.length) || fields[0];
  if (!field) return tell(`No field of the open card takes ${file.name}.`);
  const given = new DataTransfer();
  given.items.add(file);
  field.files = given.files;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
  const label = field.closest(".field")?.querySelector("label, legend")?.firstChild?.textContent.trim();
  tell(`${file.name} is in the field “${label || field.name}”. Next takes it.`);
  field.focus();
});

// --- clicks ---

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const there = link.dataset.goto && document.getElementById(link.dataset.goto);
  if (link.matches(".edit") && input()) startEdit(link);
  else if (link.id === "leave") {
    leaveEdit();
    input().focus();
  } else if (there) {
    there.scrollIntoView({ block: "center" });
    there.classList.add("at");
    setTimeout(() => there.classList.remove("at"), 2500);
  } else return;
  event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button, .chip");
  $("#toast")?.replaceChildren();
  for (const menu of $$(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (!button) return;
  if (button.matches(".use")) useTheirs(button.closest(".field"));
  if (button.matches(".add-row")) addRow(button);
  if (button.matches(".copy")) await copy(button);
  if (button.id === "theme") switchTheme();
  if (button.id === "chat-toggle") button.setAttribute("aria-expanded", !body.classList.toggle("no-chat"));
  if (button.id === "rail-toggle") {
    const folded = body.classList.toggle("no-rail");
    button.setAttribute("aria-expanded", !folded);
    localStorage.setItem("rail", folded ? "folded" : "");
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
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
if (localStorage.getItem("rail") === "folded") {
  body.classList.add("no-rail");
  $("#rail-toggle")?.setAttribute("aria-expanded", "false");
}

// --- after each swap: the end of the chat, the new card's first field, a graph that needs drawing ---

let openCard = $('article.card[data-state="open"]')?.id;

// the button that was pressed in the chat has gone; not where a keyboard would open
let pressed = false;
function refocus() {
  if (!pressed || document.activeElement !== body) return;
  pressed = false;
  if (!matchMedia("(pointer: coarse)").matches) input().focus({ preventScroll: true });
}

function afterSwap() {
  toEnd();
  refocus();
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

document.addEventListener("htmx:after:swap", (event) => event.detail.ctx?.response?.status !== 204 && afterSwap());
document.addEventListener("htmx:sse:after:message", afterSwap);
drawGraphs();

// messages that come in above those that are read must not move them
let fromEnd = null;
document.addEventListener("htmx:before:swap", () => {
  fromEnd = log && !atEnd ? log.scrollHeight - log.scrollTop : null;
});
document.addEventListener("htmx:after:swap", (event) => {
  if (fromEnd !== null && event.detail.ctx?.request?.action?.includes("/earlier?before=")) {
    log.scrollTop = log.scrollHeight - fromEnd;
  }
  fromEnd = null;
});

// what was sent leaves the field in the frame in which it comes to the chat, not in one of its own before
let sentText = null;
let leaving = 0;
let shown = false; // whether the stream brought anything since
let goesOn = null; // whether what was typed since then stands behind it: the next message
function left() {
  if (!leaving) return;
  clearTimeout(leaving);
  leaving = 0;
  const { value } = input();
  if (sentText === null || (value !== sentText && !(goesOn && value.startsWith(sentText)))) return;
  leaveEdit();
  input().value = value.slice(sentText.length);
  if (input().value) remember(input());
}
document.addEventListener("htmx:sse:after:message", () => {
  shown = true;
  left();
});
document.addEventListener("beforeinput", ({ target }) => {
  if (target.id !== "chat-input") return;
  goesOn ??= target.value === sentText && target.selectionStart === sentText.length;
  left();
});

document.addEventListener("htmx:before:request", (event) => {
  pressed = !!event.detail.ctx.sourceElement?.closest("#chat");
  if (event.detail.ctx.sourceElement?.id === "chat-form") [sentText, goesOn, shown] = [input().value, null, false];
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement?.closest?.("form");
  const status = ctx.response?.raw?.status ?? ctx.response?.status;
  if (!form || status !== 204) return;
  if (form.id === "chat-form") {
    // what stands in the field was not sent by Stop, Realign or a quick reply
    if (ctx.sourceElement === form && !ctx.request.submitter?.matches(".chip")) {
      clearTimeout(leaving);
      leaving = setTimeout(left, 50);
      if (shown) left();
    }
    tell("");
    follow();
  } else if (form.id.startsWith("form-")) {
    forget(form);
    tell("");
  } else if (/\/(answers|again)\b/.test(form.getAttribute("action"))) follow(); // what comes of it stands at the end
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
