package dev.glovebox.cli.doctor;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The programs that Glovebox starts on the host, with their versions.
final class ProgramFacts {
    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.(\\d+))?");
    private static final int DEADLINE_SECONDS = 5;

    List<HostFact> collect() {
        return List.of(
                runtime(
                        "crun",
                        new Version(1, 28, 0),
                        "older than 1.28 follows a planted /dev symlink (CVE-2026-47766)"),
                runtime(
                        "runc",
                        new Version(1, 3, 6),
                        "older than 1.3.6 follows a planted /dev symlink (CVE-2026-41579)"),
                needed("mkfs.ext4", "e2fsprogs", "-V"),
                wanted("rg", "ripgrep", "the grep tool falls back to grep", "--version"));
    }

    private static HostFact runtime(String program, Version fixed, String fault) {
        Optional<String> line = firstLine(program, "--version");
        if (line.isEmpty()) {
            return HostFact.warn(program, "not installed", "apt-get install " + program);
        }
        Version version = Version.in(line.get());
        return version.compareTo(fixed) >= 0
                ? HostFact.ok(program, version.toString())
                : HostFact.warn(
                        program,
                        version.toString(),
                        fault + "; Glovebox makes the root itself, so nobody can plant one");
    }

    private static HostFact needed(String program, String debianPackage, String flag) {
        return firstLine(program, flag)
                .map(line -> HostFact.ok(program, line))
                .orElseGet(() ->
                        HostFact.fatal(
                                program, "not installed", "apt-get install " + debianPackage));
    }

    private static HostFact wanted(
            String program, String debianPackage, String otherwise, String flag) {
        return firstLine(program, flag)
                .map(line -> HostFact.ok(program, line))
                .orElseGet(() ->
                        HostFact.warn(
                                program,
                                "not installed",
                                otherwise + "; apt-get install " + debianPackage));
    }

    private static Optional<String> firstLine(String program, String flag) {
        try {
            Path output = Files.createTempFile("glovebox-doctor", ".txt");
            try {
                ProcessBuilder builder =
                        new ProcessBuilder(program, flag)
                                .redirectErrorStream(true)
                                .redirectInput(new File("/dev/null"))
                                .redirectOutput(output.toFile());
                builder.environment().merge("PATH", "/usr/sbin:/sbin", (a, b) -> a + ":" + b);
                Process process = builder.start();
                if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    return Optional.empty();
                }
                return Files.readAllLines(output).stream().findFirst();
            } finally {
                Files.delete(output);
            }
        } catch (IOException _) {
            return Optional.empty();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /// A version of up to three numbers.
    record Version(int major, int minor, int patch) implements Comparable<Version> {
        /// The first version-like text in a line, 0.0.0 when there is none.
        static Version in(String line) {
            Matcher matcher = VERSION.matcher(line);
            return matcher.find()
                    ? new Version(
                            Integer.parseInt(matcher.group(1)),
                            Integer.parseInt(matcher.group(2)),
                            matcher.group(3) == null ? 0 : Integer.parseInt(matcher.group(3)))
                    : new Version(0, 0, 0);
        }

        @Override
        public int compareTo(Version other) {
            if (major != other.major) {
                return Integer.compare(major, other.major);
            }
            return minor != other.minor
                    ? Integer.compare(minor, other.minor)
                    : Integer.compare(patch, other.patch);
        }

        @Override
        public String toString() {
            return major + "." + minor + "." + patch;
        }
    }
}
