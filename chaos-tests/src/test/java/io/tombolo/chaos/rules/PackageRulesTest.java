package io.tombolo.chaos.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import io.tombolo.chaos.rules.planted.PlantedBreaches;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class PackageRulesTest {
    static final List<ArchRule> RULES = PackageRules.ALL;
    static final List<String> MODULES = PackageRules.MODULES;
    private static final Map<String, String> FOLDERS = Map.of("region", "shared-region", "coordinator", "coordinator",
            "agent", "agent", "deploy", "deploy", "chaos", "chaos-tests");

    private static JavaClasses production;

    @BeforeAll
    static void readClassFiles() {
        production = new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.tombolo");
    }

    @ParameterizedTest
    @FieldSource("RULES")
    void holds(ArchRule rule) {
        rule.check(production);
    }

    @ParameterizedTest
    @FieldSource("MODULES")
    void usesNoModuleAboveIt(String module) {
        if (!module.equals(MODULES.getLast())) {
            PackageRules.usesNothingAbove(module).check(production);
        }
    }

    @ParameterizedTest
    @FieldSource("MODULES")
    void seesEveryClassOfTheModule(String module) {
        List<String> sources = RepositoryFiles.here().text(".java").stream()
                .filter(path -> path.startsWith(FOLDERS.get(module) + "/src/main/java/"))
                .filter(path -> !path.endsWith("package-info.java")).toList();
        long topLevel = production.stream().filter(type -> type.getPackageName().startsWith("io.tombolo." + module))
                .filter(type -> type.isTopLevelClass()).count();

        assertThat(topLevel).isGreaterThanOrEqualTo(sources.size());
    }

    @Test
    void findsAPlantedCopier() {
        assertFinds(PackageRules.MEMORY_IS_COPIED_BY_NAMED_CLASSES, PlantedBreaches.Copier.class);
    }

    @Test
    void findsAPlantedReaderOfTheWallClock() {
        assertFinds(PackageRules.WALL_CLOCK_IS_READ_BY_NAMED_CLASSES, PlantedBreaches.WallClock.class);
    }

    @Test
    void findsAPlantedCallerOfNativeCode() {
        assertFinds(PackageRules.NATIVE_CODE_IS_CALLED_IN_ONE_PACKAGE, PlantedBreaches.NativeCaller.class);
    }

    @Test
    void findsAPlantedMethodThatThrowsAnything() {
        assertFinds(PackageRules.METHODS_SAY_WHAT_THEY_THROW, PlantedBreaches.ThrowsAnything.class);
    }

    private static void assertFinds(ArchRule rule, Class<?> planted) {
        assertThat(rule.evaluate(new ClassFileImporter().importClasses(planted)).hasViolation()).isTrue();
    }
}
