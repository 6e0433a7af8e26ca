package dev.glovebox.cli.policy;

import dev.glovebox.cli.operator.Screen;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.file.Finding;
import dev.glovebox.protocol.egress.file.PolicyReport;
import dev.glovebox.protocol.egress.file.PolicyTree;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `glovebox policy check`.
@Command(
        name = "check",
        description = {
            "Lists everything that is wrong with policy files, each with its line, and warns of what is allowed and still likely a"
                    + " mistake: rules that are never asked, wildcards over places where anybody can have a name, credentials in the"
                    + " clear, wide blocks, learning.",
            "",
            "The digest is that of the policy's meaning: the audit log and `policy show` name a policy by it.",
            "",
            "Exit code: 0 good, 1 faults (with --strict also warnings).",
            "",
            "Examples:",
            "  glovebox policy check policy.yaml",
            "  glovebox policy check --strict /etc/glovebox/*.yaml",
            "  glovebox policy check --json policy.yaml | jq '.[].faults'"
        },
        mixinStandardHelpOptions = true)
public final class PolicyCheck implements Callable<Integer> {
    @Option(names = "--strict", description = "Warnings fail too.")
    private boolean strict;

    @Option(names = "--json", description = "A JSON array, for programs.")
    private boolean json;

    @Parameters(arity = "1..*", paramLabel = "FILE", description = "YAML or JSON.")
    private List<Path> files;

    @Override
    public Integer call() {
        Screen screen = Screen.standard();
        ArrayNode all = Json.object().putArray("files");
        boolean good = true;
        for (Path file : files) {
            PolicyReport report = report(file);
            good &= report.policy().isPresent() && !(strict && !report.warnings().isEmpty());
            if (json) {
                all.add(tree(file, report));
            } else {
                print(screen, file, report);
            }
        }
        if (json) {
            screen.json(all);
        }
        return good ? 0 : 1;
    }

    /// A file that cannot be read is one with a fault: nothing would be allowed by it.
    private static PolicyReport report(Path file) {
        String fault;
        try {
            return PolicyReport.of(Files.readString(file));
        } catch (NoSuchFileException _) {
            fault = "there is no such file";
        } catch (AccessDeniedException _) {
            fault = "it may not be read";
        } catch (IOException e) {
            fault = "it cannot be read: " + e.getMessage();
        }
        return new PolicyReport(
                Optional.empty(), List.of(new Finding(OptionalInt.empty(), fault)), List.of());
    }

    private static void print(Screen screen, Path file, PolicyReport report) {
        report.faults().forEach(fault -> screen.line(place(file, fault) + fault.text()));
        report.warnings()
                .forEach(warning ->
                        screen.line(place(file, warning) + "warning: " + warning.text()));
        report.policy()
                .ifPresent(policy ->
                        screen.line(
                                file
                                        + ": good, "
                                        + policy.rules().size()
                                        + " rules, digest "
                                        + PolicyTree.digest(policy)));
    }

    private static String place(Path file, Finding finding) {
        return file + (finding.line().isPresent() ? ":" + finding.line().getAsInt() : "") + ": ";
    }

    private static ObjectNode tree(Path file, PolicyReport report) {
        ObjectNode tree = Json.object().put("file", file.toString());
        tree.put("good", report.policy().isPresent());
        report.policy().ifPresent(policy -> facts(tree, policy));
        list(tree.putArray("faults"), report.faults());
        list(tree.putArray("warnings"), report.warnings());
        return tree;
    }

    private static void facts(ObjectNode tree, EgressPolicy policy) {
        tree.put("digest", PolicyTree.digest(policy))
                .put("rules", policy.rules().size())
                .put("credentials", policy.credentials().size())
                .put("default", policy.fallback().text());
    }

    private static void list(ArrayNode list, List<Finding> findings) {
        for (Finding finding : findings) {
            ObjectNode one = list.addObject();
            finding.line().ifPresent(line -> one.put("line", line));
            one.put("text", finding.text());
        }
    }
}
