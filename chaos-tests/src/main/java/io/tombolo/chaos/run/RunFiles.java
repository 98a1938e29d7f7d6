package io.tombolo.chaos.run;

import io.tombolo.chaos.check.TakeoversWithinBound.Takeover;
import io.tombolo.chaos.cluster.RunRecord;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.nemesis.NemesisKind;
import io.tombolo.chaos.workload.GuestVms;
import io.tombolo.chaos.workload.Migrator;
import io.tombolo.deploy.Version;
import io.tombolo.deploy.cluster.StopRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What is written into the JSON files of a result folder.
final class RunFiles {
    private RunFiles() {
    }

    static Map<String, Object> config(ChaosPlan plan) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("command", plan.command());
        all.put("workload", plan.workload().text());
        all.put("nemeses", plan.nemeses().stream().map(NemesisKind::text).toList());
        all.put("timeMs", plan.time().toMillis());
        all.put("seed", plan.seed());
        all.put("hosts", plan.hosts());
        all.put("network", plan.network().name());
        all.put("protected", !plan.unprotected());
        all.put("versions", Version.all());
        return all;
    }

    static Map<String, Object> results(ChaosResult result) {
        Map<String, Object> verdicts = result.verdicts().json();
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("verdict", verdicts.get("verdict"));
        all.put("checkers", verdicts.get("checkers"));
        all.put("seed", result.seed());
        all.put("ops", result.ops());
        Map<String, Object> begun = new LinkedHashMap<>();
        Map<String, Object> effects = new LinkedHashMap<>();
        result.faults().forEach((name, tally) -> {
            begun.put(name, tally.begun());
            effects.put(name, tally.tookEffect());
        });
        all.put("faults", begun);
        all.put("effects", effects);
        all.put("migrations", result.migrations());
        all.put("details", verdicts.get("details"));
        return all;
    }

    /// Everything a report draws that is not in the history. All times are nanoseconds since the run began.
    static Map<String, Object> run(ChaosPlan plan, History history, RunFacts facts, ChaosResult result) {
        Map<String, Object> all = new LinkedHashMap<>(config(plan));
        all.put("healedNs", facts.recovery().failedNs());
        all.put("recoveredNs", facts.recovery().recoveredNs() == null ? -1 : facts.recovery().recoveredNs());
        all.put("faults", faults(history));
        all.put("vms", facts.vms().stream().map(RunFiles::vm).toList());
        all.put("ownership", facts.runs().stream().map(run -> run(run, facts.vms())).toList());
        all.put("migrations", facts.migrations().stream().map(RunFiles::migration).toList());
        all.put("stops", facts.stops().stream().map(stop -> stop(stop, facts.zeroBootNs())).toList());
        all.put("takeoverBoundNs", facts.takeovers().bound().toNanos());
        all.put("takeovers", facts.takeovers().all().stream().map(RunFiles::takeover).toList());
        all.put("results", results(result));
        return all;
    }

    /// A band from the beginning of a fault until it was healed; -1 for one that never was.
    private static List<Map<String, Object>> faults(History history) {
        List<Map<String, Object>> bands = new ArrayList<>();
        Map<String, ArrayDeque<Map<String, Object>>> open = new HashMap<>();
        HistoryEvent begun = null;
        for (HistoryEvent event : ChaosRun.faultEvents(history)) {
            if (begun == null) {
                begun = event;
                continue;
            }
            String name = begun.f().replaceFirst("^(start|stop)-", "");
            if (begun.f().startsWith("start-")) {
                Map<String, Object> band = new LinkedHashMap<>();
                band.put("name", name);
                band.put("startNs", begun.timeNs());
                band.put("endNs", -1L);
                band.put("chosen", begun.value());
                band.put("done", event.value());
                bands.add(band);
                open.computeIfAbsent(name, _ -> new ArrayDeque<>()).add(band);
            } else if (begun.f().startsWith("stop-")) {
                for (Map<String, Object> band : open.getOrDefault(name, new ArrayDeque<>())) {
                    band.put("endNs", event.timeNs());
                    band.put("healed", event.value());
                }
                open.remove(name);
            }
            begun = null;
        }
        return bands;
    }

    private static Map<String, Object> vm(GuestVms.Guest guest) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("name", guest.name());
        all.put("uuid", guest.spec().uuid().toString());
        all.put("slot", guest.slot());
        all.put("createdNs", guest.createdNs());
        all.put("lostNs", guest.lostNs() == 0 ? -1 : guest.lostNs());
        return all;
    }

    private static Map<String, Object> run(RunRecord run, List<GuestVms.Guest> vms) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("vm", vms.stream().filter(v -> v.spec().uuid().equals(run.vm())).map(GuestVms.Guest::name).findFirst()
                .orElse(run.vm().toString()));
        all.put("vcpu", run.vcpu());
        all.put("host", run.host());
        all.put("pid", run.pid());
        all.put("epoch", run.epoch());
        all.put("startNs", run.startNs());
        all.put("endNs", run.endNs() == 0 ? -1 : run.endNs());
        return all;
    }

    private static Map<String, Object> migration(Migrator.Migration migration) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("vm", migration.vm());
        all.put("from", migration.from());
        all.put("to", migration.to());
        all.put("mode", migration.mode());
        all.put("startNs", migration.startNs());
        all.put("endNs", migration.endNs());
        all.put("outcome", migration.outcome());
        if (migration.error() != null) {
            all.put("error", migration.error());
        }
        if (migration.report() != null) {
            Map<String, Long> phases = new LinkedHashMap<>();
            phases.put("prepareNs", migration.report().prepareNs());
            phases.put("quiesceNs", migration.report().quiesceNs());
            phases.put("publishNs", migration.report().publishNs());
            phases.put("switchNs", migration.report().switchNs());
            phases.put("resumeNs", migration.report().resumeNs());
            phases.put("commitNs", migration.report().commitNs());
            all.put("phases", phases);
            all.put("downtimeNs", migration.report().downtimeNs());
        }
        return all;
    }

    private static Map<String, Object> takeover(Takeover takeover) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("vm", takeover.vm());
        all.put("from", takeover.from());
        all.put("to", takeover.to());
        all.put("failedNs", takeover.failedNs());
        all.put("ranNs", takeover.ranNs());
        all.put("possibleNs", takeover.possibleNs());
        all.put("begunNs", takeover.begunNs());
        all.put("endedNs", takeover.endedNs());
        all.put("end", takeover.end());
        all.put("elapsedNs", takeover.elapsedNs());
        all.put("alone", takeover.isAlone());
        all.put("faults", takeover.faults());
        return all;
    }

    private static Map<String, Object> stop(StopRecord stop, long zeroNs) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("process", stop.process());
        all.put("start", stop.start());
        all.put("pid", stop.pid());
        all.put("reason", stop.reason().name());
        all.put("exitStatus", stop.exitStatus());
        all.put("atNs", stop.confirmedStoppedNs() - zeroNs);
        return all;
    }
}
