// Another entry of a session without loading the page again: by slider, step by step, or as a replay. What is
// shown is the server's page of that entry, of which the parts named in data-swap are taken over.
"use strict";

(() => {
  const form = document.getElementById("timeline");
  const slider = document.getElementById("timeline-at");
  const playing = document.getElementById("timeline-play");
  const speed = document.getElementById("timeline-speed");
  const PARTS = ["timeline-back", "timeline-on", "timeline-now", "timeline-links"];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const narrow = matchMedia("(max-width: 800px)");
  let replay = null; // what ends the replay that is under way
  let asked = null; // what ends the request that is under way
  let timer = null;

  const addressOf = (n) => {
    const query = new URLSearchParams(location.search);
    for (const name of ["near", "at"]) query.delete(name);
    query.append("at", n);
    return `${form.getAttribute("action")}?${query}`;
  };

  async function get(n, signal) {
    const answer = await fetch(addressOf(n), { signal, headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  // attributes and content, but not the element itself: it may have the focus
  function become(element, fresh) {
    for (const { name } of [...element.attributes]) if (!fresh.hasAttribute(name)) element.removeAttribute(name);
    for (const { name, value } of fresh.attributes) element.setAttribute(name, value);
    element.replaceChildren(...fresh.childNodes);
  }

  const shown = new Map(); // each part as it came, since scripts draw into it
  function show(n, page) {
    for (const fresh of page.querySelectorAll(form.dataset.swap)) {
      const there = document.getElementById(fresh.id);
      const text = fresh.outerHTML;
      if (!there || shown.get(fresh.id) === text || (there.matches("form") && there.contains(document.activeElement))) continue;
      shown.set(fresh.id, text);
      there.replaceWith(document.adoptNode(fresh));
    }
    const line = page.getElementById("timeline");
    for (const id of PARTS) become(document.getElementById(id), page.getElementById(id));
    Object.assign(form.dataset, line.dataset);
    slider.max = page.getElementById("timeline-at").max;
    slider.value = n;
    slider.setAttribute("aria-valuetext", page.getElementById("timeline-at").getAttribute("aria-valuetext"));
    document.body.dataset.at = n;
    history.replaceState(null, "", addressOf(n));
    follow();
    drawGraphs();
  }

  // what the entry brought is in view: in the chat, or in both columns of the record
  function follow() {
    const log = document.getElementById("chat-log");
    if (log) log.scrollTop = log.scrollHeight;
    if (narrow.matches && !replay) return;
    for (const column of document.querySelectorAll("#conversation, #parameters")) {
      const at = column.querySelector(".at");
      if (at) at.scrollIntoView({ block: "nearest", behavior: replay && !calm.matches ? "smooth" : "instant" });
      else column.scrollTop = column.scrollHeight;
    }
  }

  function failed(error) {
    if (error.name === "AbortError") return;
    stop();
    document.getElementById("timeline-now").textContent = "The program did not answer. Try again.";
  }

  async function go(n) {
    asked?.abort();
    asked = new AbortController();
    try {
      show(n, await get(n, asked.signal));
    } catch (error) {
      failed(error);
    }
  }

  const pause = (milliseconds, signal) =>
    new Promise((resolve) => {
      const over = setTimeout(resolve, milliseconds);
      signal.addEventListener("abort", () => (clearTimeout(over), resolve()));
    });

  async function play() {
    asked?.abort();
    const ending = (replay = new AbortController());
    const { signal } = ending;
    playing.textContent = "Pause";
    try {
      if (slider.value === slider.max) show(1, await get(1, signal));
      while (!signal.aborted && Number(slider.value) < Number(slider.max)) {
        const next = Number(form.dataset.next);
        const wait = Number(form.dataset.wait) / Number(speed.value);
        const [page] = await Promise.all([get(next, signal), pause(wait, signal)]);
        if (!signal.aborted) show(next, page);
      }
    } catch (error) {
      failed(error);
    }
    if (replay === ending) stop();
  }

  function stop() {
    replay?.abort();
    replay = null;
    playing.textContent = "Play";
  }

  playing.addEventListener("click", () => (replay ? stop() : play()));
  slider.addEventListener("input", () => {
    stop();
    asked?.abort(); // its answer would move the slider back
    document.getElementById("timeline-now").textContent = `entry ${slider.value} of ${slider.max}`;
    document.querySelector("#timeline-links [name=at]").value = slider.value;
    clearTimeout(timer);
    timer = setTimeout(() => go(slider.value), 80);
  });
  form.addEventListener("click", (event) => {
    const step = event.target.closest("#timeline-back, #timeline-on");
    if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    stop();
    clearTimeout(timer);
    if (step.hasAttribute("href")) go(step.dataset.at);
  });
  window.addEventListener("pagehide", stop);
  if (new URLSearchParams(location.search).has("at") && !location.hash) follow();
})();
