// A violation of linearizability: which operations were open when, in which order most of them can have happened, and
// which one does not fit behind that. Distances are those between events, not times.
const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
const ROLE = {placed: ["--a", "has its place in the order"], earlier: ["--g", "placed before the steps shown"],
  pending: ["--b", "was open, and is not placed"], stuck: ["--bad", "cannot be placed"], free: ["--soft", "unknown, and not needed"]};
const shortened = (text, chars) => text.length <= chars ? text : text.slice(0, chars - 1) + "…";
const span = o => `${at(sec(o.startNs), 4)} to ${o.outcome === "info" ? "unknown" : at(sec(o.endNs), 4)}`;
const outcome = o => o.outcome === "info" ? `unknown${o.error ? ": " + o.error : ""}` : o.outcome;

function roles(v, lin) {
  const role = new Map();
  for (const o of v.operations) role.set(o.id, "free");
  for (const id of lin.placedHere) role.set(id, "earlier");
  for (const s of lin.steps) role.set(s.id, "placed");
  for (const id of lin.pending) role.set(id, "pending");
  role.set(v.stuck, "stuck");
  return role;
}
// Where everything is: events and places of the order in one sequence, each operation as wide as its text.
function placed(v, lin) {
  const byId = new Map(v.operations.map(o => [o.id, o]));
  const events = v.operations.flatMap(o => o.end < 0 ? [[o.id, o, true]] : [[o.id, o, true], [o.end, o, false]])
    .sort((x, y) => x[0] - y[0]);
  const order = lin.steps.map(s => byId.get(s.id)), from = new Map(), to = new Map(), points = [];
  const wide = o => shortened(o.text, 26).length * 6.6 + 16, textFrom = new Map();
  let x = 0, next = 0;
  for (const [, o, begins] of events) {
    x += 10;
    if (begins) {
      from.set(o.id, x);
      textFrom.set(o.id, x + 6);
    } else {
      x = Math.max(x, textFrom.get(o.id) + wide(o) - 6);
      to.set(o.id, x);
    }
    while (next < order.length && from.has(order[next].id)) {
      x += points.length && points.at(-1).x + 22 > x ? 22 : 10;
      textFrom.set(order[next].id, x + 6);
      points.push({x, o: order[next++]});
    }
  }
  const end = Math.max(x, ...v.operations.map(o => textFrom.get(o.id) + wide(o))) + 12;
  for (const o of v.operations) if (!to.has(o.id)) to.set(o.id, end);
  return {from, to, textFrom, points, end};
}
function picture(v, lin) {
  const role = roles(v, lin), where = placed(v, lin), left = 150, tall = 38;
  const lanes = [...new Map(v.operations.map(o => [o.process, o])).values()]
    .sort((x, y) => x.client.localeCompare(y.client, "en", {numeric: true}) || x.process - y.process);
  const y = o => lanes.findIndex(l => l.process === o.process) * tall + 24;
  const root = svg("svg", {width: left + where.end + 10, height: lanes.length * tall + 16, role: "img"});
  lanes.forEach(l => root.append(svg("line", {class: "lane", x1: left, x2: left + where.end, y1: y(l) + 11, y2: y(l) + 11}),
    svg("text", {x: left - 10, y: y(l) + 15, "text-anchor": "end"}, `${l.client}, process ${l.process}`)));
  for (const o of v.operations) {
    const x = left + where.from.get(o.id), wide = left + where.to.get(o.id) - x;
    root.append(svg("g", {}, svg("title", {}, `${o.text} (${outcome(o)})\n${o.client}, process ${o.process}, ${span(o)}\n${ROLE[role.get(o.id)][1]}`),
      svg("rect", {x, y: y(o), width: wide, height: 22, rx: 3, fill: css(ROLE[role.get(o.id)][0]), "fill-opacity": o.end < 0 ? 0.75 : 1}),
      svg("text", {class: "on", x: left + where.textFrom.get(o.id), y: y(o) + 15}, shortened(o.text, 26))));
  }
  const dots = where.points.map(p => [left + p.x, y(p.o) + 11]);
  root.append(svg("polyline", {class: "path", points: dots.map(d => d.join(",")).join(" ")}));
  where.points.forEach((p, i) => root.append(svg("line", {class: "point", x1: left + p.x, x2: left + p.x, y1: y(p.o) - 4, y2: y(p.o) + 26}),
    svg("text", {class: "number", x: left + p.x, y: y(p.o) - 7, "text-anchor": "middle"}, String(lin.placed - where.points.length + i + 1))));
  const used = new Set(role.values());
  return [el("div", {class: "picture"}, root), el("div", {class: "chips", style: "margin-left:0"},
    ...Object.entries(ROLE).filter(([name]) => used.has(name)).map(([, [color, text]]) => el("span", {class: "chip", style: `--chip: var(${color})`}, text)))];
}
const operationTable = (v, ids, more) => {
  const byId = new Map(v.operations.map(o => [o.id, o]));
  return table(["operation", "ended", "client", "process", "from, to", ...(more ? [more[0]] : [])], ids.map((id, i) => {
    const o = byId.get(id);
    return [el("td", {class: id === v.stuck ? "value stuck" : "value"}, o.text), outcome(o), o.client, o.process, span(o), ...(more ? [more[1](i)] : [])];
  }));
};
function linearisation(v, lin) {
  const steps = lin.steps.map(s => s.id), first = lin.placed - steps.length;
  return [...picture(v, lin),
    el("h3", {}, first > 0 ? `Its last ${steps.length} steps of ${lin.placed}` : `All of its ${steps.length} steps`),
    table(["", "operation", "ended", "client", "from, to", "state after it"], lin.steps.map((s, i) => {
      const o = v.operations.find(o => o.id === s.id);
      return [first + i + 1, el("td", {class: "value"}, o.text), outcome(o), o.client, span(o), el("td", {class: "value"}, s.state)];
    })),
    el("h3", {}, `Then the state is ${lin.state}. Open, and not placed`),
    operationTable(v, [v.stuck, ...lin.pending.filter(id => id !== v.stuck)])];
}
function violationCard(v) {
  const stuck = v.operations.find(o => o.id === v.stuck), shown = el("div", {});
  const buttons = v.linearisations.map((lin, i) => {
    const button = el("button", {type: "button", "aria-pressed": "false"}, `order ${i + 1}`);
    button.addEventListener("click", () => choose(i));
    return button;
  });
  function choose(i) {
    buttons.forEach((b, k) => b.setAttribute("aria-pressed", String(k === i)));
    shown.replaceChildren(...linearisation(v, v.linearisations[i]));
  }
  if (buttons.length > 0) choose(0);
  const look = el("button", {type: "button"}, "show it in the timeline");
  look.addEventListener("click", () => {
    const wide = Math.max(0.02, sec(stuck.endNs - stuck.startNs)) * 2;
    show(sec(stuck.startNs) - wide, sec(stuck.endNs) + wide);
    document.querySelector(".bar").scrollIntoView();
  });
  const several = v.linearisations.length > 1
    ? [el("span", {class: "soft"}, `${v.linearisations.length} orders come as far as any: `), ...buttons.flatMap(b => [b, " "])] : [];
  return el("section", {class: "card one"},
    el("h2", {}, `${v.key ? `Key ${shortened(v.key, 60)}: ` : ""}`, el("span", {class: "invalid"}, stuck.text),
      ` by ${stuck.client} ${v.proven ? "cannot be placed" : "could not be placed"}`),
    el("p", {class: "note"}, v.proven ? "No order of what was there lets it answer this."
      : "There is no order of all operations, and the longest that were found end before this one.",
      ` ${v.completedBefore} operations that completed before it can be placed.`),
    el("p", {}, ...several, look), shown,
    el("h3", {}, "Concurrent with the operation that cannot be placed"),
    v.concurrent.length ? operationTable(v, v.concurrent) : el("p", {class: "soft"}, "Nothing: no other operation of the key was open meanwhile."));
}
