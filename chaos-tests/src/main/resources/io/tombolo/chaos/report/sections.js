// The page from top to bottom.
const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
const opsAll = report.operations.total;
document.title = `${report.verdict}: chaos, ${report.workload}, seed ${report.seed}`;
const bad = report.checkers.filter(c => c.verdict === "invalid").length, open = report.checkers.filter(c => c.verdict === "unknown").length;
main.append(el("header", {},
  el("div", {}, el("h1", {}, `${report.workload} under ${report.nemeses.length ? report.nemeses.join(", ") : "no faults"}: ${report.verdict}`),
    el("p", {class: "soft"}, `${report.hosts} hosts, ${report.network === "PROXY" ? "proxies" : "network namespaces"} between the processes, `
      + `${time(report.timeMs * 1e6)} of clients and faults. Seed ${report.seed}. The same again:`),
    el("code", {class: "command"}, report.command)),
  el("div", {class: "badge " + report.verdict}, bad ? `${bad} of ${plural(report.checkers.length, "check")} invalid`
    : open ? `${open} of ${plural(report.checkers.length, "check")} unknown` : "every check holds")));

const completed = report.migrations.filter(m => m.outcome === "COMPLETED");
main.append(el("div", {class: "tiles"},
  tile("operations ok", (report.ops.ok || 0).toLocaleString("en")),
  tile("failed, unknown", `${(report.ops.fail || 0).toLocaleString("en")}, ${(report.ops.info || 0).toLocaleString("en")}`),
  tile("faults", report.faults.length.toLocaleString("en")),
  tile("migrations completed / asked for", `${completed.length.toLocaleString("en")} / ${report.migrationsCount.toLocaleString("en")}`),
  tile("takeovers", report.takeoversCount.toLocaleString("en")),
  tile("recovery after healing", report.recoveredNs < 0 ? "never" : time(report.recoveredNs - report.healedNs))));

main.append(el("div", {class: "one"}, card("Checks", "What each does not check is in docs/checkers.md.",
  table(["verdict", "check", "found"], report.checkers.map(c => [el("td", {class: c.verdict}, c.verdict), el("td", {class: "name"}, c.name), el("td", {class: "wide"},
    c.reason ? el("div", {class: c.verdict}, c.reason) : "",
    c.problems.length ? el("ul", {class: "problems"}, ...c.problems.map(p => el("li", {}, p)),
      c.problemCount > c.problems.length ? el("li", {class: "soft"}, `and ${(c.problemCount - c.problems.length).toLocaleString("en")} more`) : "") : "",
    el("div", {class: "soft"}, c.facts.join("; ")))])))));
report.violations.forEach(v => main.append(violationCard(v)));

const chip = (color, text) => el("span", {class: "chip", style: `--chip: ${color}`}, text);
const thinned = [...(ops.everyOk > 1 ? [`1 in ${ops.everyOk} of the operations that are ok`] : []),
  ...(ops.everyOther > 1 ? [`1 in ${ops.everyOther} of the others`] : [])].join(" and ");
const ofAll = thinned ? ` Of ${opsAll.toLocaleString("en")} operations this page holds ${ops.start.length.toLocaleString("en")}: ${thinned}, `
  + "and all that a violation names. The rate counts all; history.jsonl holds all." : ` All ${opsAll.toLocaleString("en")} operations.`;
const cutNote = (name, what) => report[name + "Count"] > report[name].length
  ? ` The first ${report[name].length.toLocaleString("en")} of ${report[name + "Count"].toLocaleString("en")} ${what}; run.json holds all.` : "";
main.append(timeBar());
main.append(el("div", {class: "one"}, card("Timeline", "Seconds since the run began. Shaded everywhere: faults, one colour for each kind. Point at anything to read what it is.",
  ...(kinds.length ? [el("h3", {}, "Faults"), faultStrip()] : []),
  el("h3", {}, "Operations of each client"), el("p", {class: "note", style: "margin:0"}, "A client goes on under a new process number after an operation of unknown outcome." + ofAll),
  operationStrip(), el("div", {class: "chips"}, ...OPERATION_TYPES.map(t => chip(`var(${TYPE_COLOR[t]})`, t === "info" ? "info (outcome unknown)" : t))),
  ...(report.vms.length ? [el("h3", {}, "Who executes each VM"), el("p", {class: "note", style: "margin:0"},
    "A bar is from before the first to after the last instruction on a host, with the epoch. A cross: it was given up, and is lost." + cutNote("ownership", "bars")),
    ownerStrip(), el("div", {class: "chips"}, ...hosts.map(h => chip(hostColor(h), h)))] : []),
  ...(stops.length ? [el("h3", {}, "Processes that stopped"), stopStrip()] : []))));

// Latency: what is drawn is thinned to what is shown, so that all of it can be seen by zooming in.
const SHAPES = ["circle", "triangle", "rect", "rectRot", "crossRot", "star"];
const fs = [...new Set(ops.f)].map(f => ops.texts[f]).sort();
const sets = fs.flatMap(f => OPERATION_TYPES.map((t, type) =>
    ({f, type, all: byType[type].filter(i => ops.texts[ops.f[i]] === f)})))
  .filter(s => s.all.length > 0);
const POINTS = 6000;
const inView = set => set.all.filter(i => ops.start[i] >= view.from * 1e6 && ops.start[i] <= view.to * 1e6);
function latencyPoints(some, share) {
  const every = Math.ceil(some.length / share);
  const slow = every > 1
    ? some.map(i => ops.length[i]).sort((x, y) => y - x)[Math.min(100, some.length - 1)] : Infinity;
  const points = some.filter((i, n) => n % every === 0 || ops.length[i] > slow)
    .map(i => ({x: ops.start[i] / 1e6, y: Math.max(1, ops.length[i]) * 1e3, i}));
  return points;
}
const latencyNote = el("p", {class: "note", style: "margin:4px 0 0"});
function latency() {
  const lengths = ops.length.map(l => Math.max(1, l) * 1e3);
  let low = Infinity, high = 0;
  for (const l of lengths) { low = Math.min(low, l); high = Math.max(high, l); }
  const datasets = sets.map(s => {
    const type = OPERATION_TYPES[s.type], color = css(TYPE_COLOR[type]);
    return {label: `${s.f} ${type}`, data: [], pointStyle: SHAPES[fs.indexOf(s.f) % SHAPES.length], pointRadius: 2.6,
      borderColor: color, backgroundColor: color};
  });
  const fill = () => {
    const some = sets.map(inView), all = some.reduce((sum, s) => sum + s.length, 0);
    const share = all <= POINTS ? all : Math.ceil(POINTS / sets.length);
    sets.forEach((_, n) => { datasets[n].data = latencyPoints(some[n], Math.max(1, share)); });
    const shown = datasets.reduce((sum, d) => sum + d.data.length, 0);
    latencyNote.textContent = shown < all ? `Drawn: ${shown.toLocaleString("en")} of ${all.toLocaleString("en")} operations in this stretch, the slowest of each kind all of them; zoom in for the others.` : "";
  };
  fill();
  watchers.push(fill);
  const y = logarithmic("latency", low / 1.5, high * 1.5);
  y.afterFit = gutter;
  return {type: "scatter", plugins: [bands], data: {datasets},
    options: {maintainAspectRatio: false, animation: false, layout: margins(), plugins: {
      legend: {...legend, labels: {...legend.labels, usePointStyle: true, boxWidth: 8, boxHeight: 8}},
      tooltip: {callbacks: {label: t => [
        `${operationText(t.raw.i)} (${OPERATION_TYPES[ops.type[t.raw.i]]}): ${time(t.raw.y)}`,
        `at ${at(t.raw.x)}, ${report.clients[ops.row[t.raw.i]]}`]}}},
      scales: {x: timeAxis(), y}}};
}
if (ops.start.length > 0) {
  main.append(el("div", {class: "one"}, card("Latency", "From the request until the answer, by what was asked for (shape) and how it ended (colour). An unknown one has the time after which its client gave up.",
    linked(320, latency), latencyNote)));
}
function rate() {
  const stretch = sec(report.rate.stretchNs), dashes = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
  const names = [...new Set(report.rate.series.map(s => s.f))];
  return {type: "line", plugins: [bands], data: {datasets: report.rate.series.map(s => ({label: `${s.f} ${s.type}`, stepped: "before",
    data: [{x: 0, y: s.counts[0] / stretch},
      ...s.counts.map((n, i) => ({x: Math.min(END, (i + 1) * stretch), y: n / stretch}))],
    borderColor: css(TYPE_COLOR[s.type]), backgroundColor: css(TYPE_COLOR[s.type]), borderWidth: 1.6,
    borderDash: dashes[names.indexOf(s.f) % 4], pointRadius: 0, pointHitRadius: 4}))},
    options: {maintainAspectRatio: false, animation: false, layout: margins(), plugins: {
      legend: {...legend, labels: {...legend.labels, boxWidth: 26, boxHeight: 0}},
      tooltip: {mode: "index", intersect: false, callbacks: {title: t => `until ${at(t[0].parsed.x)}`, label: t => `${t.dataset.label}: ${Number(t.parsed.y.toFixed(1))}/s`}}},
      scales: {x: timeAxis(), y: axis("operations/s", {beginAtZero: true, afterFit: gutter})}}};
}
if (report.rate.series.length > 0) {
  main.append(el("div", {class: "one"}, card("Rate", `Operations that ended, counted over ${time(report.rate.stretchNs)}; all of them.`, linked(240, rate))));
}

// Migrations.
const OUTSIDE = [["prepare", "prepareNs", "--a"], ["quiesce", "quiesceNs", "--d"], ["commit", "commitNs", "--b"]];
const INSIDE = [["publish", "publishNs", "--b"], ["switch", "switchNs", "--c"], ["resume", "resumeNs", "--d"]];
report.migrations.forEach((m, i) => { m.n = i + 1; m.totalNs = m.endNs - m.startNs; });
const phased = report.migrations.filter(m => m.phases && m.outcome === "COMPLETED").map(m => ({...m.phases, n: m.n, startNs: m.startNs, downtimeNs: m.downtimeNs}));
const failed = report.migrations.filter(m => m.outcome !== "COMPLETED");
function migrationsOverTime() {
  const modes = ["handoff", "transit", "copy"].filter(m => completed.some(c => c.mode === m));
  const point = m => ({x: sec(m.startNs), y: Math.max(1e3, m.totalNs), m});
  const all = report.migrations.map(m => Math.max(1e3, m.totalNs));
  const y = logarithmic("total", Math.min(...all) / 1.5, Math.max(...all) * 1.5);
  y.afterFit = gutter;
  const sets = modes.map((mode, i) => ({label: mode, pointStyle: SHAPES[i],
    data: completed.filter(m => m.mode === mode).map(point),
    backgroundColor: css(modeColor[mode]), borderColor: css(modeColor[mode]), pointRadius: 4}));
  if (failed.length) sets.push({label: "not completed", data: failed.map(point), pointStyle: "crossRot", borderColor: css("--bad"), backgroundColor: css("--bad"), borderWidth: 2, pointRadius: 4});
  return {type: "scatter", plugins: [bands], data: {datasets: sets}, options: {maintainAspectRatio: false, animation: false, layout: margins(),
    plugins: {legend: {...legend, labels: {...legend.labels, usePointStyle: true, boxWidth: 8, boxHeight: 8}},
      tooltip: {callbacks: {label: t => { const m = t.raw.m; return [`${m.n}: ${m.vm}, ${m.from || "?"} to ${m.to}, ${m.mode}`, `${m.outcome}, ${time(m.totalNs)}` + (m.downtimeNs === undefined ? "" : `, downtime ${time(m.downtimeNs)}`)]; }}}},
    scales: {x: timeAxis(), y}}};
}
// Bars of the migrations of the stretch that is shown.
const BARS = 60;
const barNote = el("p", {class: "note"});
function phaseCharts() {
  const boxes = [INSIDE, OUTSIDE].map(parts => {
    const canvas = el("canvas"), box = el("div", {class: "plot"}, canvas);
    let chart = null;
    const draw = () => {
      chart?.destroy();
      const seen = phased.filter(m => sec(m.startNs) >= view.from && sec(m.startNs) <= view.to);
      const every = Math.ceil(seen.length / BARS), some = seen.filter((_, i) => i % every === 0);
      barNote.textContent = seen.length === 0 ? "No migration of this stretch was completed."
        : some.length < seen.length ? `${some.length} of the ${seen.length.toLocaleString("en")} of this stretch, every ${every}th; zoom in for the others.` : "Those of the stretch that is shown.";
      chart = some.length ? new Chart(canvas, stackedBars(some, some.map(m => m.n), "migration", parts)) : null;
    };
    plots.push(draw);
    watchers.push(draw);
    return box;
  });
  return el("div", {class: "two"},
    card("Inside the downtime", "Phases while the guest stands still.", boxes[0], barNote),
    card("Around the downtime", "Phases while the guest runs. A bar with a figure goes beyond the axis.", boxes[1]));
}
function median(values) {
  return [...values].sort((x, y) => x - y)[Math.floor((values.length - 1) / 2)];
}
const optional = (v, f) => v === undefined ? "–" : f(v);
const MIGRATION_ROWS = 1000;
if (report.migrations.length > 0) {
  const groups = [...Map.groupBy(report.migrations, m => m.mode + " " + m.outcome).values()].sort((x, y) => y.length - x.length);
  main.append(el("div", {class: "one"}, card("Migrations", "From the request for a migration until the answer." + cutNote("migrations", "migrations"), linked(260, migrationsOverTime))));
  if (phased.length) main.append(phaseCharts());
  main.append(el("div", {class: "one"}, card("How migrations ended", "Times are medians, and the longest downtime.",
    table(["mode", "outcome", ">count", ">total", ">downtime", ">longest", "first message"], groups.map(g => {
      const down = g.map(m => m.downtimeNs).filter(d => d !== undefined);
      return [g[0].mode, g[0].outcome, g.length, time(median(g.map(m => m.totalNs))), down.length ? time(median(down)) : "–", down.length ? time(Math.max(...down)) : "–",
        el("td", {class: "value"}, shortened(g.find(m => m.error)?.error || "", 200))];
    })),
    el("details", {}, el("summary", {}, report.migrations.length > MIGRATION_ROWS ? `The first ${MIGRATION_ROWS.toLocaleString("en")} migrations` : "Every migration"),
      table([">", "at", "VM", "from", "to", "mode", "outcome", ">total", ">downtime", ...INSIDE.map(p => ">" + p[0]), ...OUTSIDE.map(p => ">" + p[0])],
        report.migrations.slice(0, MIGRATION_ROWS).map(m => [m.n, at(sec(m.startNs)), m.vm, m.from || "?", m.to, m.mode, m.outcome, time(m.totalNs), optional(m.downtimeNs, time),
          ...[...INSIDE, ...OUTSIDE].map(p => optional(m.phases?.[p[1]], time))]))))));
}

if (report.takeovers.length > 0) {
  main.append(el("div", {class: "one"}, card("Takeovers", `From the failure, or since when a coordinator led if that is later, until the owner word said how it ended; bound ${time(report.takeoverBoundNs)} while no more than one fault is at work.` + cutNote("takeovers", "takeovers"),
    table(["VM", "from", "to", "failed at", "ended at", ">took", ">of the bound", "end", "faults at work"], report.takeovers.map(t => [t.vm, t.from || "?", t.to, at(sec(t.failedNs)),
      t.end ? at(sec(t.endedNs)) : "–", t.end ? time(t.elapsedNs) : "–", t.end && t.alone ? `${Math.round(100 * t.elapsedNs / report.takeoverBoundNs)} %` : "–", t.end || "under way", t.faults.join(", ")])))));
}

const list = text => el("td", {class: "value"}, shortened(text, 400));
main.append(el("div", {class: "one"}, card("Faults", report.faults.length ? "What was chosen follows from the seed; what was done then, from who was who." : "There were none.",
  ...(report.faults.length ? [table(["fault", "from", "to", ">lasted", "chosen", "done", "healed"], report.faults.map(f =>
    [f.name, at(sec(f.startNs)), f.endNs < 0 ? "the end" : at(sec(f.endNs)), time((f.endNs < 0 ? report.endNs : f.endNs) - f.startNs),
      el("td", {class: "value"}, shortened(f.chosen, 400)), list(f.done), list(f.healed)]))] : []))));
main.append(el("div", {class: "one"}, card("Run", "Enough to repeat it.", table(["", ""], [
  ["command", el("td", {class: "value"}, el("code", {}, report.command))], ["seed", report.seed], ["workload", report.workload],
  ["faults", report.nemeses.length ? report.nemeses.map(n => `${n} ${report.faultCounts?.[n] ?? 0}`).join(", ") : "none"],
  ["healed", report.healedNs < 0 ? "never" : at(sec(report.healedNs))], ["recovered", report.recoveredNs < 0 ? "never" : at(sec(report.recoveredNs))],
  ["VMs", `${report.vms.length}, ${report.vms.filter(v => v.lostNs >= 0).length} lost`],
  ["versions", Object.entries(report.versions).map(([k, v]) => k + " " + v).join(", ")]]))));
