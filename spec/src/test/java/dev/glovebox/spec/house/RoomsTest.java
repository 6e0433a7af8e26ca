package dev.glovebox.spec.house;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.glovebox.spec.lab.SourceTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The room table of ARCHITECTURE.md as data: who may know whom, read from the compiled classes.
class RoomsTest {
    private static final Map<String, Set<String>> KNOWS =
            Map.ofEntries(
                    Map.entry("protocol", Set.of()),
                    Map.entry("linux", Set.of()),
                    Map.entry("sandbox", Set.of("linux")),
                    Map.entry("workspace", Set.of("linux")),
                    Map.entry("egress", Set.of("protocol", "linux")),
                    Map.entry("worker", Set.of("protocol", "sandbox", "workspace", "egress")),
                    Map.entry("server", Set.of("protocol")),
                    Map.entry("brain", Set.of("protocol")),
                    Map.entry("verify", Set.of("sandbox", "workspace", "egress")),
                    Map.entry(
                            "cli",
                            Set.of(
                                    "protocol",
                                    "linux",
                                    "sandbox",
                                    "workspace",
                                    "egress",
                                    "worker",
                                    "server",
                                    "brain",
                                    "verify")));

    private static final Set<String> DRAWERS =
            Set.of(
                    "util", "utils", "common", "core", "misc", "helper", "helpers", "impl", "base",
                    "shared");

    private static final Pattern EMPTY_NAMES =
            Pattern.compile("(Abstract[A-Z].*)|(.*(Util|Utils|Helper|Helpers|Manager|Impl))");

    private static JavaClasses house;

    @BeforeAll
    static void read() {
        ArchConfiguration.get()
                .setResolveMissingDependenciesFromClassPath(false); // ten times faster
        house =
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("dev.glovebox");
        assertThat(house).as("compiled rooms on the class path").isNotEmpty();
    }

    @TestFactory
    Stream<DynamicTest> room_knowsOnlyWhatTheTableSays() {
        return KNOWS.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(room ->
                        DynamicTest.dynamicTest(
                                room.getKey(), () -> check(room.getKey(), room.getValue())));
    }

    private static void check(String room, Set<String> known) {
        noClasses()
                .that()
                .resideInAPackage("dev.glovebox." + room + "..")
                .should()
                .dependOnClassesThat(
                        describe(
                                "belong to a room other than " + room + " and " + known,
                                (JavaClass other) -> {
                                    String name = roomOf(other);
                                    return !name.isEmpty()
                                            && !name.equals(room)
                                            && !known.contains(name);
                                }))
                .allowEmptyShould(true)
                .check(house);
    }

    @Test
    void table_namesEveryRoomOnDisk() throws IOException {
        try (Stream<Path> folders = Files.list(SourceTree.root())) {
            Set<String> rooms =
                    folders.filter(folder -> Files.isRegularFile(folder.resolve("pom.xml")))
                            .map(folder -> folder.getFileName().toString())
                            .filter(name -> !name.equals("spec"))
                            .collect(Collectors.toSet());
            assertThat(KNOWS.keySet()).containsAll(rooms);
        }
    }

    @Test
    void foreignFunctions_onlyInLinux() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.glovebox.linux..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.lang.foreign..")
                .check(house);
    }

    @Test
    void callsThatMoveAThread_onlyInLinux() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.glovebox.linux..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("dev.glovebox.linux.NamespaceCalls")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("dev.glovebox.linux.Libc")
                .check(house);
    }

    @Test
    void leavingTheProcess_onlyInCli() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.glovebox.cli..")
                .should()
                .callMethod(System.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "exit", int.class)
                .orShould()
                .callMethod(Runtime.class, "halt", int.class)
                .check(house);
    }

    @Test
    void packages_haveNoDrawers() {
        assertThat(house.stream().map(JavaClass::getPackageName).distinct())
                .allSatisfy(name ->
                        assertThat(Set.of(name.split("\\.", -1)))
                                .doesNotContainAnyElementsOf(DRAWERS));
    }

    @Test
    void classNames_sayWhatTheyAre() {
        assertThat(
                        house.stream()
                                .map(JavaClass::getSimpleName)
                                .filter(EMPTY_NAMES.asMatchPredicate()))
                .as("classes named Abstract*, *Util, *Helper, *Manager or *Impl")
                .isEmpty();
    }

    private static String roomOf(JavaClass type) {
        String name = type.getPackageName();
        if (!name.startsWith("dev.glovebox.")) {
            return "";
        }
        return name.substring("dev.glovebox.".length()).split("\\.", -1)[0];
    }
}
