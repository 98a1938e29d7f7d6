package io.tombolo.chaos.rules;

import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.List;
import java.util.Map;

/// The rules on who may use what. A class that is an exception is named here, with its reason.
final class PackageRules {
    /// Who may copy memory in bulk. One of them only copies guest memory; that is what makes `bytesCopied` honest.
    static final Map<String, String> MAY_COPY = Map.of( //
            "io.tombolo.chaos.sim.ArrayMemory", "a memory port over an array, for the simulator", //
            "io.tombolo.chaos.sim.HostMemory", "the memory port of a simulated host", //
            "io.tombolo.chaos.explore.DraftMemory", "a memory port over the words of a world", //
            "io.tombolo.chaos.explore.Lives$Port", "the memory port of code that is explored", //
            "io.tombolo.region.MappedMemory", "the memory port: headers, blobs and, for a counting caller, frames", //
            "io.tombolo.region.FieldBuffer", "fields of one header, on the heap", //
            "io.tombolo.region.SegmentFiles", "the trailer behind a guest's memory", //
            "io.tombolo.region.os.NotifySocket", "datagrams", //
            "io.tombolo.agent.pages.GuestCopier", "the one class that copies guest memory, and counts it", //
            "io.tombolo.agent.sim.SimulatedStateCodec", "vCPU registers into a blob buffer");

    /// Who may read the wall clock. Nothing that decides anything: a clock step must not matter.
    static final Map<String, String> MAY_READ_WALL_CLOCK = Map.of( //
            "io.tombolo.chaos.run.ChaosRun", "when a run began, as its logs name it", //
            "io.tombolo.region.RegionFormatter", "the creation time in the superblock, for people", //
            "io.tombolo.agent.qemu.QmpClient", "QEMU stamps its events with it; only differences of stamps are used", //
            "io.tombolo.deploy.cli.Failures", "the name of a file with the stack trace of a defect", //
            "io.tombolo.deploy.drill.Drill", "the date on a report, for people", //
            "io.tombolo.deploy.drill.FailoverDrill", "the date on a report, for people");

    static final ArchRule REGION_NEEDS_ONLY_THE_JDK = classes().that().resideInAPackage("io.tombolo.region..").should()
            .onlyDependOnClassesThat().resideInAnyPackage("java..", "io.tombolo.region..").allowEmptyShould(true);

    /// Lowest first, as in the root pom: each may use only those before it.
    static final List<String> MODULES = List.of("region", "coordinator", "agent", "deploy", "chaos");

    static final ArchRule NATIVE_CODE_IS_CALLED_IN_ONE_PACKAGE = noClasses().that()
            .resideOutsideOfPackage("io.tombolo.region.os..").should().dependOnClassesThat(nameMatching(
                    "java\\.lang\\.foreign\\.(Linker|SymbolLookup|FunctionDescriptor)(\\$.*)?|sun\\.misc\\.Unsafe"));

    static final ArchRule MEMORY_IS_COPIED_BY_NAMED_CLASSES = noClasses().that(not(MAY_COPY)).should()
            .callMethodWhere(DescribedPredicate.describe("copies memory", call -> call.getTargetOwner().getName()
                    .equals("java.lang.foreign.MemorySegment")
                    && List.of("copy", "copyFrom").contains(call.getName())));

    static final ArchRule WALL_CLOCK_IS_READ_BY_NAMED_CLASSES = noClasses().that(not(MAY_READ_WALL_CLOCK)).should()
            .callMethod(System.class, "currentTimeMillis").orShould()
            .callMethodWhere(DescribedPredicate.describe("reads the wall clock",
                    call -> call.getTargetOwner().getPackageName().equals("java.time")
                            && List.of("now", "systemUTC", "systemDefaultZone").contains(call.getName())))
            .orShould().callConstructor(java.util.Date.class);

    static final ArchRule METHODS_SAY_WHAT_THEY_THROW = methods().that().arePublic()
            // A bridge method declares what the library's interface does.
            .and().doNotHaveModifier(JavaModifier.SYNTHETIC).and().areDeclaredInClassesThat().arePublic()
            .should(declareNoneOf(
                    "java.lang.Exception", "java.lang.Throwable"));

    /// A process's own main class may speak before there is a logger.
    static final ArchRule NO_STREAMS_OF_THE_JVM_IN_LIBRARIES = noClasses().that()
            .resideInAnyPackage("io.tombolo.region..", "io.tombolo.coordinator..", "io.tombolo.agent..").and()
            .haveSimpleNameNotEndingWith("Main").should().accessField(System.class, "out").orShould()
            .accessField(System.class, "err").allowEmptyShould(true);

    static final List<ArchRule> ALL = List.of(REGION_NEEDS_ONLY_THE_JDK, NATIVE_CODE_IS_CALLED_IN_ONE_PACKAGE,
            MEMORY_IS_COPIED_BY_NAMED_CLASSES, WALL_CLOCK_IS_READ_BY_NAMED_CLASSES, METHODS_SAY_WHAT_THEY_THROW,
            NO_STREAMS_OF_THE_JVM_IN_LIBRARIES);

    private PackageRules() {
    }

    /// The rule of one module: nothing of it uses a module after it.
    static ArchRule usesNothingAbove(String module) {
        String[] above = MODULES.stream().skip(MODULES.indexOf(module) + 1L).map(m -> "io.tombolo." + m + "..")
                .toArray(String[]::new);
        return noClasses().that().resideInAPackage("io.tombolo." + module + "..").should().dependOnClassesThat()
                .resideInAnyPackage(above).allowEmptyShould(true);
    }

    /// Everything but the named classes and what is nested in them.
    private static DescribedPredicate<JavaClass> not(Map<String, String> named) {
        return DescribedPredicate.describe("not named in the rule",
                type -> named.keySet().stream()
                        .noneMatch(n -> type.getName().equals(n) || type.getName().startsWith(n + "$")));
    }

    private static ArchCondition<JavaMethod> declareNoneOf(String... types) {
        return new ArchCondition<>("declare no catch-all exception") {
            @Override
            public void check(JavaMethod method, ConditionEvents events) {
                for (String type : types) {
                    if (((JavaCodeUnit) method).getThrowsClause().containsType(type)) {
                        events.add(SimpleConditionEvent.violated(method, method.getFullName() + " throws " + type));
                    }
                }
            }
        };
    }
}
