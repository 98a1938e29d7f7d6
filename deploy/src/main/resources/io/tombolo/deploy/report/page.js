// What the pages of all reports have in common. The data are in `report`; charts are made by drawAll().
const report = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const NBSP = "\u00a0";
function time(ns) {
  const f = (v, unit) => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2)) + NBSP + unit;
  return ns < 1e3 ? ns + NBSP + "ns" : ns < 1e6 ? f(ns / 1e3, "µs") : ns < 1e9 ? f(ns / 1e6, "ms") : f(ns / 1e9, "s");
}
function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (bytes >= 1024 && i < units.length - 1) { bytes /= 1024; i++; }
  return Number(bytes.toFixed(1)) + NBSP + units[i];
}
function count(n) {
  return n < 1e3 ? String(n)
    : n < 1e6 ? (n / 1e3).toFixed(1) + NBSP + "k" : n < 1e9 ? (n / 1e6).toFixed(1) + NBSP + "M" : (n / 1e9).toFixed(2) + NBSP + "G";
}
// One unit for a whole chart, so that its axis can be read.
function unitFor(max) {
  return max < 1e3 ? [1, "ns"] : max < 1e6 ? [1e3, "µs"] : max < 1e9 ? [1e6, "ms"] : [1e9, "s"];
}
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
function table(head, rows) {
  const cls = i => head[i].startsWith(">") ? "n" : "";
  return el("div", {class: "scroll"}, el("table", {},
    head.join("") === "" ? "" : el("thead", {}, el("tr", {}, ...head.map((h, i) => el("th", {class: cls(i)}, h.replace(">", ""))))),
    el("tbody", {}, ...rows.map(r => el("tr", {}, ...r.map((c, i) =>
      c instanceof Node ? c : el("td", {class: cls(i)}, String(c))))))));
}
function card(title, note, ...children) {
  return el("section", {class: "card"}, el("h2", {}, title), el("p", {class: "note"}, note), ...children);
}
const tile = (name, value) => el("div", {class: "card tile"}, el("div", {class: "value"}, value), el("div", {class: "name"}, name));

const plots = [];
function plot(make) {
  const canvas = el("canvas");
  plots.push(() => new Chart(canvas, make()));
  return el("div", {class: "plot"}, canvas);
}
const tall = node => { node.classList.add("tall"); return node; };
const axis = (text, extra) => Object.assign({title: {display: true, text, color: css("--soft")},
  ticks: {color: css("--soft"), maxRotation: 0, autoSkipPadding: 12}, grid: {color: css("--grid")},
  border: {color: css("--line")}}, extra || {});
const legend = {position: "bottom", labels: {color: css("--ink"), boxWidth: 12, boxHeight: 12}};
// Logarithmic axes: 1, 2 and 5 of each decade get a label, or only 1 when there are many decades.
function short(ns) {
  const [divisor, unit] = unitFor(ns * 1.0001);
  return Number((ns / divisor).toPrecision(3)) + NBSP + unit;
}
const mantissa = ns => Number(ns.toPrecision(6)).toExponential().split("e")[0];
function logarithmic(text, lowNs, highNs) {
  const wanted = highNs / lowNs > 1e3 ? ["1"] : ["1", "2", "5"];
  return axis(text, {type: "logarithmic", min: lowNs, max: highNs, ticks: {color: css("--soft"), maxRotation: 0, autoSkip: false,
    callback: ns => wanted.includes(mantissa(ns)) ? short(ns) : ""},
    grid: {color: c => wanted.includes(mantissa(c.tick.value)) ? css("--grid") : "transparent"}});
}
const modeColor = {handoff: "--a", transit: "--c", copy: "--b"};

// A hop that takes many times as long as the others would press them flat: then the axis ends above the others, and the
// bar that goes beyond it carries its figure.
function ceiling(totals) {
  const sorted = [...totals].sort((x, y) => x - y);
  const max = sorted.at(-1), usual = sorted[Math.floor((sorted.length - 1) * 0.9)];
  return max > 3 * usual ? 1.4 * usual : Infinity;
}
const sums = (rows, parts) => rows.map(r => parts.reduce((sum, p) => sum + r[p[1]], 0));
// A bar for each row, put together of parts: [name, key of its nanoseconds in the row, colour].
function stackedBars(rows, labels, what, parts) {
  const totals = sums(rows, parts), limit = ceiling(totals);
  const [divisor, unit] = unitFor(Math.min(limit, Math.max(...totals)));
  const beyond = {id: "beyond", afterDatasetsDraw(chart) {
    const c = chart.ctx;
    c.save(); c.font = "12px system-ui, sans-serif"; c.fillStyle = css("--ink"); c.textBaseline = "bottom";
    let free = -Infinity;
    totals.forEach((total, i) => {
      if (total <= limit) return;
      const text = time(total), x = chart.getDatasetMeta(0).data[i].x, half = c.measureText(text).width / 2;
      const middle = Math.min(Math.max(x, chart.chartArea.left + half), chart.chartArea.right - half);
      if (middle - half < free) return;
      c.textAlign = "center";
      c.fillText(text, middle, chart.chartArea.top - 3);
      free = middle + half + 4;
    });
    c.restore();
  }};
  return {type: "bar", plugins: [beyond],
    data: {labels, datasets: parts.map(([name, key, color]) => ({label: name, data: rows.map(r => r[key] / divisor),
      backgroundColor: css(color), categoryPercentage: 0.9, barPercentage: 0.95}))},
    options: {maintainAspectRatio: false, animation: false, layout: {padding: {top: limit < Infinity ? 18 : 4}},
      plugins: {legend, tooltip: {mode: "index", callbacks: {title: t => what + " " + t[0].label,
        label: t => `${t.dataset.label}: ${time(Math.round(t.raw * divisor))}`}}},
      scales: {x: axis(what, {stacked: true, grid: {display: false}}),
        y: axis(unit, {stacked: true, beginAtZero: true,
          max: limit < Infinity ? Number((limit / divisor).toPrecision(1)) : undefined})}}};
}

// Last, when everything is in the document: a chart takes its size from there.
function drawAll() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  plots.forEach(draw => draw());
}
