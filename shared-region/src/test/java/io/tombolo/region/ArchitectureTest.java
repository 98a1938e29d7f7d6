package io.tombolo.region;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private static final JavaClasses REGION = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.tombolo.region");

    @Test
    void dependsOnNothingButTheJdk() {
        classes().should().onlyDependOnClassesThat().resideInAnyPackage("java..", "io.tombolo.region..").check(REGION);
    }

    @Test
    void makesNativeCallsInOnePackage() {
        noClasses().that().resideOutsideOfPackage("io.tombolo.region.os").should().dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.foreign.Linker").check(REGION);
    }

    @Test
    void touchesTheMappingOnlyThroughThePort() {
        noClasses().that().resideInAPackage("io.tombolo.region").and()
                .doNotHaveSimpleName("MappedMemory").should().dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.invoke.VarHandle").check(REGION);
    }

    /// A fault in these on a truncated mapping kills the JVM instead of throwing.
    @Test
    void comparesNoMappedMemoryInBulk() {
        noClasses().should()
                .callMethodWhere(target(nameMatching("mismatch")).and(target(owner(type(MemorySegment.class)))))
                .check(REGION);
    }
}
