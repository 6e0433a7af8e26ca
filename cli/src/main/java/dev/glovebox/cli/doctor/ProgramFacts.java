package dev.glovebox.cli.doctor;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The programs that Glovebox starts on the host, with their versions.
final class ProgramFacts {
    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.(\\d+))?");
    private static final Pattern DAY = Pattern.compile("(20\\d\\d)([01]\\d)([0-3]\\d)");
    private static final int OLD_DAYS = 365;

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
                gvisor(
                        ProgramOutput.firstLine("runsc", "--version"),
                        LocalDate.now(ZoneOffset.UTC)),
                needed("mkfs.ext4", "e2fsprogs", "-V"),
                wanted("rg", "ripgrep", "the grep tool falls back to grep", "--version"));
    }

    private static HostFact runtime(String program, Version fixed, String fault) {
        Optional<String> line = ProgramOutput.firstLine(program, "--version");
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

    /// gVisor has days for versions.
    static HostFact gvisor(Optional<String> line, LocalDate today) {
        if (line.isEmpty()) {
            return HostFact.hint(
                    "runsc", "not installed", "profile nested needs it: apt-get install runsc");
        }
        Optional<LocalDate> day = dayIn(line.get());
        if (day.isEmpty()) {
            return HostFact.ok("runsc", line.get());
        }
        return day.get().plusDays(OLD_DAYS).isBefore(today)
                ? HostFact.warn(
                        "runsc",
                        "of " + day.get(),
                        "what was mended in gVisor since is not in it, and it is the wall of profile"
                                + " nested; install a newer one, it is tried before it is used")
                : HostFact.ok("runsc", "of " + day.get());
    }

    private static Optional<LocalDate> dayIn(String line) {
        Matcher matcher = DAY.matcher(line);
        try {
            return matcher.find()
                    ? Optional.of(
                            LocalDate.parse(matcher.group(), DateTimeFormatter.BASIC_ISO_DATE))
                    : Optional.empty();
        } catch (DateTimeParseException _) {
            return Optional.empty();
        }
    }

    private static HostFact needed(String program, String debianPackage, String flag) {
        return ProgramOutput.firstLine(program, flag)
                .map(line -> HostFact.ok(program, line))
                .orElseGet(() ->
                        HostFact.fatal(
                                program, "not installed", "apt-get install " + debianPackage));
    }

    private static HostFact wanted(
            String program, String debianPackage, String otherwise, String flag) {
        return ProgramOutput.firstLine(program, flag)
                .map(line -> HostFact.ok(program, line))
                .orElseGet(() ->
                        HostFact.warn(
                                program,
                                "not installed",
                                otherwise + "; apt-get install " + debianPackage));
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
