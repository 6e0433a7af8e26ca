package dev.glovebox.spec.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import dev.glovebox.spec.lab.SourceTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/// The budgets of STYLE.md: the caps fail the build, the aims are only reported.
class BudgetsTest {
    private static final int FILE_CAP = 500;
    private static final int FILE_AIM = 150;
    private static final int METHOD_CAP = 60;
    private static final int METHOD_AIM = 25;
    private static final int PARAMETER_CAP = 8;
    private static final int PACKAGE_CAP = 20;
    private static final int DEPTH_CAP = 3;

    private record Method(Path file, String name, int lines, int parameters, boolean constructor) {
        @Override
        public String toString() {
            return file + " " + name + " (" + lines + " lines, " + parameters + " parameters)";
        }
    }

    private static List<Path> sources;
    private static List<Method> methods;

    @BeforeAll
    static void read() throws IOException {
        sources =
                SourceTree.files().stream()
                        .filter(file -> file.toString().matches(".*\\.(java|c|h|mjs|sh)"))
                        .toList();
        methods = parse(sources.stream().filter(BudgetsTest::mainJava).toList());
    }

    @Test
    void files_stayUnderTheCap() {
        assertThat(sources.stream().filter(file -> lines(file) > FILE_CAP).toList())
                .as("files with more than %d lines that are not comment", FILE_CAP)
                .isEmpty();
    }

    @Test
    void methods_stayUnderTheCap() {
        assertThat(methods.stream().filter(method -> method.lines() > METHOD_CAP).toList())
                .as("methods with more than %d lines", METHOD_CAP)
                .isEmpty();
    }

    @Test
    void constructors_takeFewParameters() {
        assertThat(
                        methods.stream()
                                .filter(Method::constructor)
                                .filter(method -> method.parameters() > PARAMETER_CAP)
                                .toList())
                .as("constructors with more than %d parameters", PARAMETER_CAP)
                .isEmpty();
    }

    @Test
    void packages_areNotDrawers() {
        Map<String, Long> files =
                sources.stream()
                        .filter(BudgetsTest::mainJava)
                        .collect(
                                Collectors.groupingBy(
                                        file -> file.getParent().toString(),
                                        TreeMap::new,
                                        Collectors.counting()));
        assertThat(files)
                .as("files of one package")
                .allSatisfy((name, count) -> assertThat(count).isLessThanOrEqualTo(PACKAGE_CAP));
        assertThat(files.keySet())
                .as("package depth below dev.glovebox")
                .allSatisfy(name -> assertThat(depth(name)).isLessThanOrEqualTo(DEPTH_CAP));
    }

    @Test
    void aims_areReported(TestReporter reporter) {
        List<Path> longFiles = sources.stream().filter(file -> lines(file) > FILE_AIM).toList();
        List<Method> longMethods =
                methods.stream()
                        .filter(method -> method.lines() > METHOD_AIM)
                        .sorted(Comparator.comparingInt(Method::lines).reversed())
                        .toList();
        reporter.publishEntry(
                "budgets",
                String.format(
                        Locale.ROOT,
                        "%d files, median %d lines, %d over %d; %d methods, median %d lines, %d over %d",
                        sources.size(),
                        median(sources.stream().map(BudgetsTest::lines).toList()),
                        longFiles.size(),
                        FILE_AIM,
                        methods.size(),
                        median(methods.stream().map(Method::lines).toList()),
                        longMethods.size(),
                        METHOD_AIM));
        longMethods.stream()
                .limit(10)
                .forEach(method -> reporter.publishEntry("long", method.toString()));
        assertThat(methods).isNotEmpty();
    }

    private static boolean mainJava(Path file) {
        return file.toString().contains("src/main/java") && !file.endsWith("module-info.java");
    }

    private static int depth(String packageFolder) {
        int at = packageFolder.indexOf("dev/glovebox/");
        return at < 0
                ? 0
                : packageFolder.substring(at + "dev/glovebox/".length()).split("/").length;
    }

    /// Lines that are neither comment nor blank, so that an essay costs nothing.
    private static int lines(Path file) {
        return (int)
                SourceTree.text(file)
                        .lines()
                        .map(String::strip)
                        .filter(line ->
                                !line.isEmpty()
                                        && !line.startsWith("//")
                                        && !line.startsWith("*")
                                        && !line.startsWith("/*"))
                        .count();
    }

    private static int median(List<Integer> values) {
        return values.isEmpty() ? 0 : values.stream().sorted().toList().get(values.size() / 2);
    }

    private static List<Method> parse(List<Path> files) throws IOException {
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        List<Method> found = new ArrayList<>();
        try (var manager = javac.getStandardFileManager(null, Locale.ROOT, null)) {
            var units =
                    manager.getJavaFileObjectsFromPaths(
                            files.stream().map(SourceTree.root()::resolve).toList());
            JavacTask task =
                    (JavacTask)
                            javac.getTask(null, manager, diagnostic -> {}, List.of(), null, units);
            Trees trees = Trees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                Path file = SourceTree.root().relativize(Path.of(unit.getSourceFile().toUri()));
                unit.accept(new Methods(file, unit, trees.getSourcePositions(), found), null);
            }
        }
        return found;
    }

    private static final class Methods extends TreeScanner<Void, Void> {
        private final Path file;
        private final CompilationUnitTree unit;
        private final SourcePositions positions;
        private final List<Method> found;
        private boolean inRecord;

        Methods(
                Path file,
                CompilationUnitTree unit,
                SourcePositions positions,
                List<Method> found) {
            this.file = file;
            this.unit = unit;
            this.positions = positions;
            this.found = found;
        }

        /// A record is the way out of too many parameters, so its own constructors do not count.
        @Override
        public Void visitClass(ClassTree type, Void nothing) {
            boolean outer = inRecord;
            inRecord = type.getKind() == Tree.Kind.RECORD;
            super.visitClass(type, null);
            inRecord = outer;
            return null;
        }

        @Override
        public Void visitMethod(MethodTree method, Void nothing) {
            if (method.getBody() != null
                    && positions.getStartPosition(unit, method.getBody()) >= 0) {
                long first =
                        unit.getLineMap()
                                .getLineNumber(positions.getStartPosition(unit, method.getBody()));
                long last =
                        unit.getLineMap()
                                .getLineNumber(positions.getEndPosition(unit, method.getBody()));
                found.add(
                        new Method(
                                file,
                                method.getName().toString(),
                                (int) Math.max(0, last - first - 1),
                                method.getParameters().size(),
                                method.getReturnType() == null && !inRecord));
            }
            return super.visitMethod(method, null);
        }
    }
}
