// Charts over time. All of them show the same stretch of the run; whoever changes it changes it in all.
const SECOND = 1e9, GUTTER = 118, END = report.endNs / SECOND;
const sec = ns => ns / SECOND;
const view = {from: 0, to: END};
const charts = [];
const OPERATION_TYPES = ["ok", "fail", "info"], TYPE_COLOR = {ok: "--a", fail: "--d", info: "--b"};
// Others than those of operations first.
const HOST_COLORS = ["--c", "--e", "--f", "--g", "--h", "--a", "--b", "--d"];
const hosts = [...new Set([...report.ownership.map(o => o.host), ...report.migrations.flatMap(m => [m.from, m.to])])]
  .filter(h => h).sort((x, y) => x.localeCompare(y, "en", {numeric: true}));
const hostColor = host => css(HOST_COLORS[Math.max(0, hosts.indexOf(host)) % HOST_COLORS.length]);
const kinds = report.kinds.filter(k => report.faults.some(f => f.name === k))
  .concat([...new Set(report.faults.map(f => f.name))].filter(k => !report.kinds.includes(k)));
function kindColor(kind, alpha) {
  const i = report.kinds.indexOf(kind), hue = Math.round(((i < 0 ? 11 : i) * 137.5 + 10) % 360);
  return `hsl(${hue} 60% 50% / ${alpha})`;
}
const at = (s, digits) => s.toFixed(digits ?? 3) + NBSP + "s";
const until = ns => ns < 0 ? END : sec(ns);

const tip = el("div", {class: "tip", hidden: ""});
document.body.append(tip);
function showTip(event, lines) {
  tip.hidden = !lines;
  if (!lines) return;
  tip.replaceChildren(...lines.filter(l => l).map(l => el("div", {}, l)));
  const left = event.clientX + 14, wide = tip.offsetWidth;
  tip.style.left = Math.max(4, left + wide > innerWidth - 4 ? event.clientX - wide - 14 : left) + "px";
  tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)) + "px";
}

// Faults lie behind everything, and so do the two moments that recovery is counted between.
const marks = [["healed", report.healedNs, "--soft"], ["recovered", report.recoveredNs, "--good"]].filter(m => m[1] >= 0);
const bands = {id: "bands", beforeDatasetsDraw(chart) {
  const c = chart.ctx, x = chart.scales.x, area = chart.chartArea;
  c.save();
  c.beginPath(); c.rect(area.left, area.top, area.width, area.height); c.clip();
  for (const f of report.faults) {
    const left = x.getPixelForValue(sec(f.startNs)), right = x.getPixelForValue(until(f.endNs));
    if (right < area.left || left > area.right) continue;
    c.fillStyle = kindColor(f.name, 0.13);
    c.fillRect(left, area.top, Math.max(1, right - left), area.height);
  }
  c.setLineDash([4, 3]); c.lineWidth = 1.5;
  for (const [, ns, color] of marks) {
    const left = Math.round(x.getPixelForValue(sec(ns))) + 0.5;
    c.strokeStyle = css(color);
    c.beginPath(); c.moveTo(left, area.top); c.lineTo(left, area.bottom); c.stroke();
  }
  c.restore();
}};
// The names of the moments, above the first chart.
const markNames = {id: "markNames", afterDraw(chart) {
  const c = chart.ctx, x = chart.scales.x, area = chart.chartArea;
  c.save(); c.font = "12px system-ui, sans-serif"; c.textBaseline = "bottom";
  // From the right, so that the last one fits and none covers another.
  let limit = area.right;
  for (const [name, ns, color] of [...marks].reverse()) {
    const left = x.getPixelForValue(sec(ns)), text = name + " " + at(sec(ns)), wide = c.measureText(text).width;
    if (left < area.left - 1 || left > area.right + 1) continue;
    const from = Math.min(left - wide / 2, limit - wide);
    c.fillStyle = css(color); c.fillText(text, from, area.top - 3);
    limit = from - 10;
  }
  c.restore();
}};

function linked(height, make, hit) {
  const canvas = el("canvas"), box = el("div", {class: "plot linked"}, canvas);
  box.style.height = height + "px";
  plots.push(() => {
    const chart = new Chart(canvas, make());
    charts.push(chart);
    chooseWith(chart, box);
    if (hit) {
      box.addEventListener("mousemove", event => {
        const where = canvas.getBoundingClientRect(), area = chart.chartArea;
        const left = event.clientX - where.left, top = event.clientY - where.top;
        const inside = left >= area.left && left <= area.right && top >= area.top && top <= area.bottom;
        showTip(event, inside && !event.buttons ? hit(chart.scales.x, left, top - area.top) : null);
      });
      box.addEventListener("mouseleave", event => showTip(event, null));
    }
  });
  return box;
}
const timeAxis = () => axis("", {type: "linear", min: view.from, max: view.to, title: {display: false},
  ticks: {color: css("--soft"), maxRotation: 0, autoSkipPadding: 16, includeBounds: false,
    callback: v => Number(v.toFixed(6)) + NBSP + "s"}});
const gutter = scale => { scale.width = GUTTER; };
const margins = top => ({padding: {top: top || 4, right: 10}});

// Dragging over a chart chooses what all of them show.
function chooseWith(chart, box) {
  let from = null;
  const chosen = el("div", {class: "chosen", hidden: ""});
  box.append(chosen);
  const clamped = event => {
    const left = event.clientX - chart.canvas.getBoundingClientRect().left;
    return Math.max(chart.chartArea.left, Math.min(chart.chartArea.right, left));
  };
  box.addEventListener("pointerdown", event => {
    if (event.button === 0) { from = clamped(event); box.setPointerCapture(event.pointerId); }
  });
  box.addEventListener("pointermove", event => {
    if (from === null) return;
    const to = clamped(event);
    chosen.hidden = Math.abs(to - from) < 4;
    chosen.style.left = Math.min(from, to) + "px";
    chosen.style.width = Math.abs(to - from) + "px";
    chosen.style.top = chart.chartArea.top + "px";
    chosen.style.height = chart.chartArea.height + "px";
  });
  const end = event => {
    if (from === null) return;
    const to = clamped(event), x = chart.scales.x, start = from;
    from = null;
    chosen.hidden = true;
    if (event.type === "pointerup" && Math.abs(to - start) >= 4) {
      show(x.getValueForPixel(Math.min(start, to)), x.getValueForPixel(Math.max(start, to)));
    }
  };
  box.addEventListener("pointerup", end);
  box.addEventListener("pointercancel", end);
  box.addEventListener("dblclick", () => show(0, END));
}
const watchers = [];
function show(from, to) {
  const wide = Math.min(END, Math.max(1e-3, to - from));
  view.from = Math.max(0, Math.min(from, END - wide));
  view.to = Math.min(END, view.from + wide);
  for (const chart of charts) {
    chart.options.scales.x.min = view.from;
    chart.options.scales.x.max = view.to;
  }
  watchers.forEach(watcher => watcher());
  charts.forEach(chart => chart.update("none"));
  const all = view.from === 0 && view.to === END;
  history.replaceState(null, "", all ? location.pathname + location.search : `#${view.from.toFixed(4)}-${view.to.toFixed(4)}`);
}
function timeBar() {
  const range = el("span", {class: "range"});
  const tell = () => {
    const digits = view.to - view.from < 0.1 ? 4 : 3;
    range.textContent = `${at(view.from, digits)} to ${at(view.to, digits)}`;
  };
  watchers.push(tell);
  tell();
  const button = (text, label, act) => {
    const node = el("button", {type: "button", title: label, "aria-label": label}, text);
    node.addEventListener("click", act);
    return node;
  };
  const scaled = factor => () => {
    const middle = (view.from + view.to) / 2, half = (view.to - view.from) / 2 * factor;
    show(middle - half, middle + half);
  };
  const moved = part => () => show(view.from + (view.to - view.from) * part, view.to + (view.to - view.from) * part);
  return el("div", {class: "bar"}, range, button("+", "zoom in", scaled(0.5)), button("−", "zoom out", scaled(2)),
    button("◀", "earlier", moved(-0.5)), button("▶", "later", moved(0.5)), button("all", "the whole run", () => show(0, END)),
    el("span", {class: "note", style: "margin:0"}, "Drag over a chart to zoom all of them; double click for the whole run."));
}
// What the address says is shown first, so that a stretch can be handed on.
const asked = /^#([\d.]+)-([\d.]+)$/.exec(location.hash);
if (asked && Number(asked[1]) < Number(asked[2])) {
  view.from = Math.min(Number(asked[1]), END);
  view.to = Math.min(Number(asked[2]), END);
}

// Rows with bars. paint(c, px, top, height) draws into a clipped area, find(s, row, per) answers what is there.
function rowHeight(count, usual, most) { return Math.max(4, Math.min(usual, Math.floor(most / Math.max(1, count)))); }
function strip(names, height, paint, find, options) {
  const top = options?.marks ? 22 : 4;
  const rows = {id: "rows", beforeDatasetsDraw(chart) {
    const c = chart.ctx, area = chart.chartArea, x = chart.scales.x, every = Math.ceil(12 / height);
    c.save();
    c.font = "12px system-ui, sans-serif"; c.textAlign = "right"; c.textBaseline = "middle"; c.fillStyle = css("--ink");
    names.forEach((name, i) => {
      if (i % every === 0) c.fillText(fitted(c, name, GUTTER - 14), area.left - 8, area.top + (i + 0.5) * height);
    });
    c.beginPath(); c.rect(area.left, area.top, area.width, area.height); c.clip();
    c.textAlign = "left";
    paint(c, s => x.getPixelForValue(s), area.top, area);
    c.restore();
  }};
  return linked(names.length * height + top + 28, () => ({type: "scatter", data: {datasets: []},
    plugins: [bands, rows, ...(options?.marks ? [markNames] : [])],
    options: {maintainAspectRatio: false, animation: false, events: [], layout: margins(top),
      plugins: {legend: {display: false}},
      scales: {x: timeAxis(), y: {type: "linear", min: 0, max: 1, afterFit: gutter, grid: {display: false},
        ticks: {display: false}, border: {color: css("--line")}}}}}),
    (x, left, below) => {
      const s = x.getValueForPixel(left);
      return find(s, Math.floor(below / height), x.getValueForPixel(left + 3) - s);
    });
}
function fitted(c, text, wide) {
  if (c.measureText(text).width <= wide) return text;
  let cut = Math.min(text.length, Math.floor(wide / 3));
  while (cut > 1 && c.measureText(text.slice(0, cut) + "…").width > wide) cut--;
  return text.slice(0, Math.max(1, cut)) + "…";
}
// A bar with its text, if there is room for it.
function bar(c, left, right, top, height, color, text, area) {
  c.fillStyle = color;
  c.fillRect(left, top, Math.max(1, right - left), height);
  const from = Math.max(left, area.left), wide = Math.min(right, area.right) - from;
  if (!text || height < 11 || wide < 24) return;
  c.font = "11px system-ui, sans-serif";
  const shown = fitted(c, text, wide - 8);
  if (shown.length < Math.min(text.length, 4)) return;
  c.fillStyle = css("--onbar");
  c.textBaseline = "middle";
  c.fillText(shown, from + 4, top + height / 2 + 0.5);
}

function faultStrip() {
  const height = 20;
  return strip(kinds, height, (c, px, top, area) => {
    for (const f of report.faults) {
      const y = top + kinds.indexOf(f.name) * height + 2;
      bar(c, px(sec(f.startNs)), px(until(f.endNs)), y, height - 4, kindColor(f.name, 0.85), f.done, area);
    }
  }, (s, row, near) => {
    const f = report.faults.find(b => kinds.indexOf(b.name) === row
      && s >= sec(b.startNs) - near && s <= until(b.endNs) + near);
    return f && [f.name, `${at(sec(f.startNs))} to ${f.endNs < 0 ? "the end" : at(sec(f.endNs))}`, f.chosen && "chosen: " + f.chosen,
      f.done && "done: " + f.done, f.healed && "healed: " + f.healed];
  }, {marks: true});
}

const ops = report.operations;
const byType = OPERATION_TYPES.map((_, type) => ops.start.map((_, i) => i).filter(i => ops.type[i] === type));
function operationText(i) {
  const asked = ops.texts[ops.asked[i]], answered = ops.texts[ops.answered[i]];
  return ops.texts[ops.f[i]] + (asked ? " " + asked : "") + (answered ? " → " + answered : "");
}
function operationStrip() {
  const height = rowHeight(report.clients.length, 20, 640);
  return strip(report.clients, height, (c, px, top, area) => {
    const from = view.from * 1e6, to = view.to * 1e6;
    byType.forEach((some, type) => {
      const color = css(TYPE_COLOR[OPERATION_TYPES[type]]), drawn = new Float64Array(report.clients.length).fill(-1);
      for (const i of some) {
        if (ops.start[i] > to || ops.start[i] + ops.length[i] < from) continue;
        const row = ops.row[i], left = px(ops.start[i] / 1e6);
        const right = Math.max(left + 1, px((ops.start[i] + ops.length[i]) / 1e6) - 0.6);
        // What would not be seen beside its neighbour of the same kind is not drawn.
        if (right <= drawn[row] + 0.5) continue;
        drawn[row] = right;
        bar(c, left, right, top + row * height + 1, height - Math.min(4, height / 4), color, right - left > 40 ? operationText(i) : "", area);
      }
    });
  }, (s, row, near) => {
    let best = -1;
    for (let i = 0; i < ops.start.length; i++) {
      const from = ops.start[i] / 1e6, to = from + ops.length[i] / 1e6;
      if (ops.row[i] === row && s >= from - near && s <= to + near && (best < 0 || (s >= from && s <= to))) best = i;
    }
    return best >= 0 && [`${OPERATION_TYPES[ops.type[best]]}: ${operationText(best)}`,
      `${report.clients[row]}, process ${ops.process[best]}`,
      `from ${at(ops.start[best] / 1e6, 4)}, took ${time(ops.length[best] * 1e3)}`];
  });
}

function ownerStrip() {
  const names = report.vms.map(v => v.name), row = new Map(names.map((n, i) => [n, i]));
  for (const o of report.ownership) {
    if (!row.has(o.vm)) { row.set(o.vm, names.length); names.push(o.vm); }
  }
  const height = rowHeight(names.length, 20, 640);
  return strip(names, height, (c, px, top, area) => {
    for (const v of report.vms) {
      const left = px(sec(v.createdNs)), right = px(until(v.lostNs)), y = top + row.get(v.name) * height + height / 2;
      c.fillStyle = css("--soft");
      c.fillRect(left, y - 0.5, right - left, 1);
    }
    const drawn = new Float64Array(names.length).fill(-1);
    for (const o of [...report.ownership].sort((x, y) => x.startNs - y.startNs)) {
      const left = px(sec(o.startNs)), right = Math.max(left + 1, px(until(o.endNs)) - 0.6), r = row.get(o.vm);
      if (right < area.left || left > area.right || right <= drawn[r] + 0.5) continue;
      drawn[r] = right;
      const y = top + r * height + 1, tall = height - Math.min(4, height / 4);
      const long = `${o.host}, epoch ${o.epoch}`;
      c.font = "11px system-ui, sans-serif";
      const text = c.measureText(long).width < right - left - 10 ? long : String(o.epoch);
      bar(c, left, right, y, tall, hostColor(o.host), text, area);
    }
    for (const v of report.vms.filter(v => v.lostNs >= 0)) {
      const x = px(sec(v.lostNs)), y = top + row.get(v.name) * height + height / 2, r = Math.min(5, height / 2);
      c.strokeStyle = css("--bad"); c.lineWidth = 2;
      c.beginPath();
      c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x + r, y - r); c.lineTo(x - r, y + r);
      c.stroke();
    }
  }, (s, r, near) => {
    const o = report.ownership.find(b => row.get(b.vm) === r && s >= sec(b.startNs) && s <= until(b.endNs))
      || report.ownership.find(b => row.get(b.vm) === r && s >= sec(b.startNs) - near && s <= until(b.endNs) + near);
    const v = report.vms.find(v => v.name === names[r]);
    const life = v && `created ${at(sec(v.createdNs))}, ${v.lostNs < 0 ? "there to the end" : "lost " + at(sec(v.lostNs))}`;
    return o ? [`${o.vm} on ${o.host}, epoch ${o.epoch}`, `vCPU ${o.vcpu}, pid ${o.pid}`,
      `${at(sec(o.startNs))} to ${o.endNs < 0 ? "the end" : at(sec(o.endNs))}`, life]
      : v && s >= sec(v.createdNs) && s <= until(v.lostNs) && [v.name, "no vCPU executes", life];
  });
}

const REASON_COLOR = {EXITED: "--bad", WATCHDOG: "--b", KILLED: "--d", STOPPED: "--a", SUPERVISOR_CLOSED: "--soft"};
const stops = report.stops.filter(s => s.atNs !== undefined);
function stopStrip() {
  const names = [...new Set(stops.map(s => s.process))].sort((x, y) => x.localeCompare(y, "en", {numeric: true})), height = 20;
  return strip(names, height, (c, px, top, area) => {
    const free = new Float64Array(names.length).fill(-1);
    const sorted = [...stops].sort((x, y) => x.atNs - y.atNs);
    sorted.forEach((s, i) => {
      const row = names.indexOf(s.process), x = px(sec(s.atNs)), y = top + (row + 0.5) * height;
      c.fillStyle = css(REASON_COLOR[s.reason] || "--soft");
      c.beginPath(); c.moveTo(x, y - 6); c.lineTo(x + 6, y); c.lineTo(x, y + 6); c.lineTo(x - 6, y); c.fill();
      const next = sorted.slice(i + 1).find(o => o.process === s.process), text = s.reason.toLowerCase().replace("_", " ");
      c.font = "11px system-ui, sans-serif"; c.textBaseline = "middle";
      const wide = c.measureText(text).width, limit = Math.min(next ? px(sec(next.atNs)) - 8 : Infinity, area.right);
      if (x + 9 + wide < limit) { c.fillText(text, x + 9, y); free[row] = x + 9 + wide; }
      else if (x - 9 - wide > Math.max(free[row], area.left)) c.fillText(text, x - 9 - wide, y);
      free[row] = Math.max(free[row], x + 8);
    });
  }, (s, row, near) => {
    const found = stops.find(o => names.indexOf(o.process) === row && Math.abs(sec(o.atNs) - s) <= 2 * near);
    return found && [`${found.process}, start ${found.start}, pid ${found.pid}`, `${found.reason.toLowerCase().replace("_", " ")}, exit status ${found.exitStatus}`,
      "confirmed stopped at " + at(sec(found.atNs))];
  });
}
