package io.tombolo.chaos.rules;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.tombolo.region.ErrorCode;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Error codes are what scripts match and people search for, so a name means one thing in the whole project.
class ErrorCodeRulesTest {
    private static final int LEAST_EXIT_STATUS = 1;
    private static final int MOST_EXIT_STATUS = 5;

    @Test
    void namesAreUniqueOverAllModules() {
        Map<String, List<String>> enumsByName = codes().collect(Collectors.groupingBy(ErrorCode::name,
                Collectors.mapping(code -> code.getClass().getSimpleName(), Collectors.toList())));

        assertThat(enumsByName.entrySet()).filteredOn(entry -> entry.getValue().size() > 1).isEmpty();
    }

    @Test
    void namesAreUpperCaseWords() {
        assertThat(codes().map(ErrorCode::name)).allMatch(name -> name.matches("[A-Z][A-Z0-9]*(_[A-Z0-9]+)*"));
    }

    @Test
    void exitStatusesAreTheDocumentedOnes() {
        assertThat(codes()).allMatch(
                code -> code.exitStatus() >= LEAST_EXIT_STATUS && code.exitStatus() <= MOST_EXIT_STATUS);
    }

    private static Stream<ErrorCode> codes() {
        List<Class<?>> enums = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.tombolo").stream()
                .filter(type -> type.isEnum() && type.isAssignableTo(ErrorCode.class))
                .<Class<?>>map(JavaClass::reflect).toList();
        assertThat(enums).isNotEmpty();
        return enums.stream().flatMap(type -> Stream.of(type.getEnumConstants())).map(ErrorCode.class::cast);
    }
}
