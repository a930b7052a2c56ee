// Draws every <div class="graph" data-src="files/graph.json"> with WebGL. What it needs (sigma, graphology and
// graph.css) is loaded when the first graph is drawn, from the addresses in this script's data-sigma,
// data-graphology and data-styles, or else from beside it.
(() => {
  "use strict";

  const script = document.currentScript;
  const beside = (name, given) => new URL(script.dataset[given] || name, script.src).href;
  // Okabe and Ito's colours, which people with any colour vision can tell apart; the rarest groups share grey.
  const GROUPS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442"];
  const OTHERS = "#8a9299";
  const RAMPS = {
    light: ["#b5d4e9", "#6baed6", "#2c7fb8", "#0b3c7d"],
    dark: ["#24507f", "#3c82bd", "#7fbce8", "#e2f2ff"],
  };
  const SHOWN_LINKS = 200;
  const HITS = 12;

  // --- small things -----------------------------------------------------------------------------------

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  const loads = new Map();

  function load(address, tag) {
    if (!loads.has(address)) {
      loads.set(address, new Promise((resolve, reject) => {
        const attributes = tag === "link" ? { rel: "stylesheet", href: address } : { src: address };
        const element = make(tag, attributes);
        element.onload = resolve;
        element.onerror = () => {
          loads.delete(address);
          element.remove();
          reject(new Error(`${address} could not be loaded`));
        };
        document.head.append(element);
      }));
    }
    return loads.get(address);
  }

  function hasWebGL() {
    const context = document.createElement("canvas").getContext("webgl2");
    if (context) context.getExtension("WEBGL_lose_context")?.loseContext();
    return Boolean(context);
  }

  // Any CSS colour as #rrggbb, which is what sigma can read: paint one pixel and look at it.
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  function hex(colour) {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    return join(...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3));
  }

  const join = (...channels) => "#" + channels.map((c) => c.toString(16).padStart(2, "0")).join("");
  const split = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

  function blend(from, to, part) {
    const end = split(to);
    return join(...split(from).map((channel, at) => Math.round(channel * (1 - part) + end[at] * part)));
  }

  // The more lines, the fainter each: so that a dense graph is no grey plate. WebGL takes red, green and blue
  // multiplied by the opacity.
  function veil(colour, lines) {
    const opacity = Math.max(0.05, Math.min(0.5, 8 / Math.sqrt(lines)));
    const channels = split(colour).map((channel) => Math.round(channel * opacity));
    return `rgba(${channels.join(", ")}, ${opacity.toFixed(2)})`;
  }

  function themeOf(element) {
    const style = getComputedStyle(element);
    const read = (name, otherwise) => hex(style.getPropertyValue(name).trim() || otherwise);
    const [ink, soft, paper] = [read("--ink", "#1d2428"), read("--soft", "#5b6770"), read("--paper", "#ffffff")];
    const [accent, warn] = [read("--accent", "#0f6b66"), read("--warn", "#9a5b00")];
    const ramp = RAMPS[split(paper)[0] > 127 ? "light" : "dark"];
    return { ink, soft, paper, accent, warn, ramp, faint: blend(paper, soft, 0.18), font: style.fontFamily };
  }

  const words = (name) => name.replaceAll("_", " ");

  function show(value) {
    if (value === null || value === undefined || value === "") return "none";
    if (typeof value !== "number") return String(value);
    if (Number.isInteger(value)) return value.toLocaleString("en");
    return Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  }

  // --- colours and sizes from a column ----------------------------------------------------------------

  // Both give { of: value → colour, legend: [[colour, text]] }.
  function groupColours(values) {
    const times = new Map();
    for (const value of values) times.set(value, (times.get(value) || 0) + 1);
    const order = [...times].sort((a, b) => b[1] - a[1]);
    const colours = new Map(order.slice(0, GROUPS.length).map(([value], at) => [value, GROUPS[at]]));
    const legend = [...colours].map(([value, colour]) => [colour, `${show(value)} (${show(times.get(value))})`]);
    const rest = order.slice(GROUPS.length);
    if (rest.length) legend.push([OTHERS, `${rest.length} more (${show(rest.reduce((sum, [, n]) => sum + n, 0))})`]);
    return { of: (value) => colours.get(value) || OTHERS, legend };
  }

  function rampColours(values, ramp) {
    const steps = [...new Set(values.filter((value) => typeof value === "number"))].sort((a, b) => a - b);
    const place = new Map(steps.map((value, at) => [value, steps.length > 1 ? at / (steps.length - 1) : 1]));
    const colour = (part) => {
      const at = Math.min(Math.floor(part * (ramp.length - 1)), ramp.length - 2);
      return blend(ramp[at], ramp[at + 1], part * (ramp.length - 1) - at);
    };
    const of = (value) => (place.has(value) ? colour(place.get(value)) : OTHERS);
    const quarter = (part) => steps[Math.round(part * (steps.length - 1))];
    const named = steps.length <= 6 ? steps : [0, 0.25, 0.5, 0.75, 1].map(quarter);
    const legend = named.map((value) => [of(value), show(value)]);
    if (values.some((value) => typeof value !== "number")) legend.push([OTHERS, "none"]);
    return { of, legend };
  }

  function sizes(values, many) {
    let [least, most] = [Infinity, -Infinity];
    for (const value of values) {
      if (typeof value === "number") [least, most] = [Math.min(least, value), Math.max(most, value)];
    }
    const [small, large] = many > 3000 ? [1.4, 11] : [2.5, 15];
    return (value) => {
      if (typeof value !== "number" || most === least) return small;
      return small + (large - small) * Math.sqrt((value - least) / (most - least));
    };
  }

  // --- one graph --------------------------------------------------------------------------------------

  async function draw(element) {
    if (element.querySelector(".graph-stage, .graph-loading")) return;
    const said = make("p", { class: "graph-loading", role: "status" }, "Drawing the graph …");
    element.replaceChildren(said);
    try {
      if (!hasWebGL()) throw new Error("this browser has no WebGL, which draws it");
      const [answer] = await Promise.all([
        fetch(element.dataset.src, { credentials: "same-origin" }),
        load(beside("vendor/sigma.min.js", "sigma"), "script"),
        load(beside("vendor/graphology.umd.min.js", "graphology"), "script"),
        load(beside("graph.css", "styles"), "link"),
      ]);
      if (!answer.ok) throw new Error(`its file answered ${answer.status}`);
      const content = await answer.json();
      if (!content.nodes.length) throw new Error("it has no pages");
      if (said.isConnected) start(element, content);
    } catch (error) {
      said.textContent = `The graph can not be drawn here: ${error.message}. The tables have all of it.`;
    }
  }

  function start(element, content) {
    const columns = Object.keys(content.columns);
    const numeric = columns.filter((name) => content.columns[name] === "number");
    const pick = (wanted, among) => [wanted, among[0]].find((name) => among.includes(name)) || "";
    const state = { colour: pick(element.dataset.colour || content.colour, columns),
                    size: pick(element.dataset.size || content.size, numeric), page: null, near: new Set() };
    const graph = graphOf(content);
    const find = finder(content, (id) => choose(id, true));
    const colour = chooser("Colour", columns, state.colour, (name) => { state.colour = name; paint(); });
    const size = chooser("Size", numeric, state.size, (name) => { state.size = name; paint(); });
    const whole = make("button", { type: "button", class: "plain", onclick: () => reset() }, "Whole graph");
    const status = make("p", { class: "graph-status", role: "status" });
    const keys = "Arrow keys move it, plus and minus zoom, 0 shows the whole graph, Escape lets go of a page.";
    const label = `Graph of ${show(graph.order)} pages and ${show(graph.size)} links. ${keys}`;
    const stage = make("div", { class: "graph-stage", tabindex: "0", role: "application", "aria-label": label,
                                onkeydown: steer });
    const side = make("div", { class: "graph-side", role: "region", "aria-label": "The chosen page", hidden: true });
    const legend = make("ul", { class: "graph-legend", "aria-label": "Colours" });
    element.replaceChildren(make("div", { class: "graph-bar" }, find, colour, size, whole, status),
                            make("div", { class: "graph-body" }, stage, side), legend);

    let theme = themeOf(element);
    const renderer = new Sigma(graph, stage, {
      allowInvalidContainer: true, zIndex: true, minCameraRatio: 0.01, maxCameraRatio: 4,
      labelDensity: 0.6, labelGridCellSize: 120, labelRenderedSizeThreshold: graph.order > 3000 ? 7 : 6, labelSize: 12,
      // points and thin lines: three times the frames of sigma's own choice where there is no GPU
      nodeProgramClasses: { circle: Sigma.rendering.NodePointProgram },
      edgeProgramClasses: { line: Sigma.rendering.EdgeLineProgram },
      nodeReducer: (id, node) => {
        if (!state.page) return node;
        if (id === state.page) return { ...node, highlighted: true, zIndex: 2 };
        if (state.near.has(id)) return { ...node, forceLabel: state.near.size < 12, zIndex: 1 };
        return { ...node, color: theme.faint, label: null, zIndex: 0 };
      },
      edgeReducer: (id, edge) => {
        if (!state.page) return edge;
        if (graph.source(id) === state.page) return { ...edge, color: theme.accent, zIndex: 1 };
        return graph.target(id) === state.page ? { ...edge, color: theme.warn, zIndex: 1 } : { ...edge, hidden: true };
      },
      defaultDrawNodeLabel: (context, node, settings) => drawLabel(context, node, settings, theme),
      defaultDrawNodeHover: (context, node, settings) => drawHover(context, node, settings, theme),
    });
    renderer.on("clickNode", ({ node }) => choose(node, false));
    renderer.on("clickStage", () => choose(null));
    renderer.on("enterNode", () => stage.classList.add("graph-over"));
    renderer.on("leaveNode", () => stage.classList.remove("graph-over"));
    element.graphRenderer = renderer;

    function paint() {
      theme = themeOf(element);
      const of = (column) => content.nodes.map((node) => node[column] ?? null);
      const number = content.columns[state.colour] === "number";
      const coloured = number ? rampColours(of(state.colour), theme.ramp) : groupColours(of(state.colour));
      const sized = sizes(of(state.size), graph.order);
      graph.updateEachNodeAttributes((id, node) => ({
        ...node, color: coloured.of(node.values[state.colour] ?? null), size: sized(node.values[state.size]),
      }));
      legend.replaceChildren(make("li", { class: "graph-legend-name" }, words(state.colour)),
        ...coloured.legend.map(([colour, text]) => make("li", {}, swatch(colour), text)));
      renderer.setSettings({ labelFont: theme.font, defaultEdgeColor: veil(theme.soft, graph.size) });
      renderer.refresh();
    }

    function choose(id, travel) {
      state.page = id;
      state.near = new Set(id ? [id, ...graph.neighbors(id)] : []);
      side.hidden = !id;
      side.replaceChildren(...(id ? details(graph, content, id, (next) => choose(next, true), letGo) : []));
      status.textContent = id ? `${graph.getNodeAttribute(id, "label")}: ${degrees(graph, id)}` : "";
      renderer.refresh({ skipIndexation: true });
      if (id && travel) requestAnimationFrame(() => {
        const { x, y } = renderer.getNodeDisplayData(id);
        move({ x, y, ratio: Math.min(renderer.getCamera().getState().ratio, 0.4) });
        side.querySelector("button, a")?.focus({ preventScroll: true });
      });
    }

    function letGo() {
      choose(null);
      stage.focus();
    }

    function move(to) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (calm) renderer.getCamera().setState(to);
      else renderer.getCamera().animate(to, { duration: 250 });
    }

    function reset() {
      choose(null);
      move({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
    }

    function steer(event) {
      if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
      const { x, y, ratio } = renderer.getCamera().getState();
      const step = 0.15 * ratio;
      const [nearer, farther] = [{ ratio: Math.max(0.01, ratio / 1.4) }, { ratio: Math.min(4, ratio * 1.4) }];
      const to = {
        ArrowLeft: { x: x - step }, ArrowRight: { x: x + step }, ArrowUp: { y: y + step }, ArrowDown: { y: y - step },
        "+": nearer, "=": nearer, "-": farther,
      }[event.key];
      if (to) move(to);
      else if (event.key === "0") reset();
      else if (event.key === "Escape" && state.page) choose(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    paint();
    watch(element, stage, renderer, paint);
  }

  // Follows theme and size, and lets go of the GPU when the graph leaves the page.
  function watch(element, stage, renderer, paint) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const themes = new MutationObserver(() => paint());
    themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
    dark.addEventListener("change", paint);
    const sized = new ResizeObserver(() => {
      if (stage.isConnected) return stage.clientWidth ? renderer.resize().scheduleRefresh() : undefined;
      sized.disconnect();
      themes.disconnect();
      dark.removeEventListener("change", paint);
      renderer.kill();
      delete element.graphRenderer;
    });
    sized.observe(stage);
  }

  function graphOf(content) {
    const graph = new graphology.DirectedGraph();
    content.nodes.forEach((node, at) => {
      // without a place of its own a page goes on a spiral, where it can be seen
      const placed = Number.isFinite(node.x) && Number.isFinite(node.y);
      const [x, y] = placed ? [node.x, node.y] : [Math.sqrt(at) * Math.cos(2.4 * at), Math.sqrt(at) * Math.sin(2.4 * at)];
      graph.mergeNode(node.id, { x, y, label: node.label, size: 3, color: OTHERS, values: node });
    });
    for (const [source, target] of content.edges) {
      if (source !== target && graph.hasNode(source) && graph.hasNode(target)) graph.mergeEdge(source, target, { size: 1 });
    }
    return graph;
  }

  const degrees = (graph, id) => `linked from ${show(graph.inDegree(id))}, links to ${show(graph.outDegree(id))}`;
  const short = (label) => (label && label.length > 40 ? `${label.slice(0, 39)}…` : label || "");

  function drawLabel(context, node, settings, theme) {
    context.font = `${settings.labelWeight} ${settings.labelSize}px ${settings.labelFont}`;
    const [label, x, y] = [short(node.label), node.x + node.size + 4, node.y + settings.labelSize / 3];
    context.lineWidth = 3; // a rim of paper, so that it can be read on dots and lines
    context.lineJoin = "round";
    context.strokeStyle = theme.paper;
    context.strokeText(label, x, y);
    context.fillStyle = theme.ink;
    context.fillText(label, x, y);
  }

  function drawHover(context, node, settings, theme) {
    context.font = `${settings.labelWeight} ${settings.labelSize}px ${settings.labelFont}`;
    const label = short(node.label);
    const height = settings.labelSize + 10;
    context.fillStyle = theme.paper;
    context.strokeStyle = theme.soft;
    context.lineWidth = 1;
    context.beginPath();
    context.arc(node.x, node.y, node.size + 3, 0, Math.PI * 2);
    const width = context.measureText(label).width + 12;
    if (label) context.roundRect(node.x + node.size + 6, node.y - height / 2, width, height, 4);
    context.fill();
    context.stroke();
    context.fillStyle = node.color;
    context.beginPath();
    context.arc(node.x, node.y, node.size, 0, Math.PI * 2);
    context.fill();
    context.fillStyle = theme.ink;
    context.fillText(label, node.x + node.size + 12, node.y + settings.labelSize / 3);
  }

  // --- the controls -----------------------------------------------------------------------------------

  function chooser(label, names, chosen, changed) {
    const options = names.map((name) => make("option", { value: name, selected: name === chosen }, words(name)));
    const select = make("select", { onchange: (event) => changed(event.target.value) }, ...options);
    return make("label", { class: "graph-choose" }, label, select);
  }

  function swatch(colour) {
    const mark = make("span", { class: "graph-swatch", "aria-hidden": "true" });
    mark.style.background = colour;
    return mark;
  }

  let boxes = 0;

  // A search box with its hits below it (the combobox pattern): arrows go through them, Enter takes one.
  function finder(content, taken) {
    const name = `graph-hits-${++boxes}`;
    const index = content.nodes.map((node) => [`${node.label} ${node.id}`.toLowerCase(), node]);
    let hits = [], at = 0;
    const list = make("ul", { class: "graph-hits", id: name, role: "listbox", "aria-label": "Pages found",
                              hidden: true });
    const input = make("input", { type: "search", role: "combobox", autocomplete: "off", placeholder: "Find a page",
      "aria-label": "Find a page", "aria-expanded": "false", "aria-controls": name, "aria-autocomplete": "list",
      oninput: () => search(), onkeydown: keys, onblur: () => setTimeout(close, 150) });

    function search() {
      const parts = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const starts = (node) => (parts.length && node.label.toLowerCase().startsWith(parts[0]) ? 0 : 1);
      hits = parts.length ? index.filter(([text]) => parts.every((part) => text.includes(part))).map(([, node]) => node) : [];
      hits = hits.sort((a, b) => starts(a) - starts(b) || a.label.length - b.label.length).slice(0, HITS);
      at = 0;
      open(parts.length > 0);
    }

    function open(any) {
      const items = hits.map((node, number) => make("li", {
        role: "option", id: `${name}-${number}`, "aria-selected": String(number === at),
        onmousedown: (event) => { event.preventDefault(); take(node); },
      }, node.label, make("small", {}, node.id)));
      const none = make("li", { role: "option", "aria-disabled": "true", "aria-selected": "false" },
                        "No page has that in its title or address.");
      list.replaceChildren(...(any && !items.length ? [none] : items));
      list.hidden = !any;
      input.setAttribute("aria-expanded", String(any));
      if (items.length) input.setAttribute("aria-activedescendant", `${name}-${at}`);
      else input.removeAttribute("aria-activedescendant");
    }

    function close() {
      hits = [];
      open(false);
    }

    function take(node) {
      close();
      taken(node.id);
    }

    function keys(event) {
      if (event.key === "Enter" && hits[at]) take(hits[at]);
      else if (event.key === "Escape" && !list.hidden) close();
      else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && hits.length) {
        at = (at + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length;
        open(true);
      } else if (event.key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
    }

    return make("div", { class: "graph-find" }, input, list);
  }

  // What the side list shows of a page: its address and values, the pages that link to it and that it links to.
  function details(graph, content, id, go, close) {
    const node = graph.getNodeAttributes(id);
    const web = /^https?:\/\//.test(id);
    const name = web ? make("a", { href: id, target: "_blank", rel: "noopener noreferrer" }, id) : id;
    const values = Object.keys(content.columns).flatMap((column) => [
      make("dt", {}, words(column)), make("dd", {}, show(node.values[column])),
    ]);
    const item = (other) => make("li", {}, make("button", { type: "button", onclick: () => go(other) },
      swatch(graph.getNodeAttribute(other, "color")), graph.getNodeAttribute(other, "label")));
    const section = (text, kind, ids) => {
      ids.sort((a, b) => graph.degree(b) - graph.degree(a));
      const items = ids.slice(0, SHOWN_LINKS).map(item);
      const more = ids.length - SHOWN_LINKS;
      if (more > 0) items.push(make("li", {}, `and ${show(more)} more, in the table of links`));
      const list = ids.length ? make("ul", { "aria-label": text }, ...items) : make("p", {}, "None.");
      return [make("p", { class: kind }, `${text} (${show(ids.length)})`), list];
    };
    const leave = make("button", { type: "button", class: "plain", "aria-label": "Let go of the page", onclick: close },
                       "Close");
    return [
      make("header", {}, make("strong", {}, node.label), leave),
      make("p", { class: "graph-address" }, name),
      make("dl", {}, ...values),
      ...section("Linked from", "graph-in", graph.inNeighbors(id)),
      ...section("Links to", "graph-out", graph.outNeighbors(id)),
    ];
  }

  window.assistantGraph = draw;
  for (const element of document.querySelectorAll("div.graph[data-src]")) draw(element);
})();
