package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.credential.Credential;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// What there is to say about the text of a policy file.
///
/// @param policy what it means; empty if there are faults: there is no half of a policy
/// @param faults why it means nothing
/// @param warnings what is allowed in it and still likely a mistake
public record PolicyReport(
        Optional<EgressPolicy> policy, List<Finding> faults, List<Finding> warnings) {
    /// How a fault or a warning that was found in the policy as a whole begins.
    private static final Pattern SUBJECT =
            Pattern.compile("(policy: )?((rule|credential) \"([A-Za-z0-9._-]+)\".*)");

    public PolicyReport {
        faults = List.copyOf(faults);
        warnings = List.copyOf(warnings);
    }

    /// Reads a policy written in YAML or JSON, to the end whatever is wrong in it.
    public static PolicyReport of(String text) {
        return read(text, PolicyLint::warnings);
    }

    /// The same without a look for mistakes.
    static PolicyReport unlinted(String text) {
        return read(text, _ -> List.of());
    }

    private static PolicyReport read(String text, Function<EgressPolicy, List<String>> lint) {
        JsonNode tree;
        try {
            tree = PolicyReader.tree(text);
        } catch (JacksonException e) {
            return faulty(List.of(syntax(e)));
        } catch (PolicyException e) {
            return faulty(
                    e.problems().stream()
                            .map(each -> new Finding(OptionalInt.empty(), each))
                            .toList());
        }
        List<String> problems = new ArrayList<>();
        Parts parts = new Parts();
        Optional<EgressPolicy> policy = parts.read(new Section(tree, "", problems));
        List<String> warnings = policy.map(lint).orElse(List.of());
        if (problems.isEmpty() && warnings.isEmpty()) {
            return new PolicyReport(policy, List.of(), List.of());
        }
        Lines lines = Lines.of(PolicyReader.YAML, text);
        return new PolicyReport(
                policy,
                problems.stream().map(each -> parts.found(each, lines)).toList(),
                warnings.stream().map(each -> parts.found(each, lines)).toList());
    }

    private static PolicyReport faulty(List<Finding> faults) {
        return new PolicyReport(Optional.empty(), faults, List.of());
    }

    private static Finding syntax(JacksonException e) {
        String reason = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
        return new Finding(
                e.getLocation() == null
                        ? OptionalInt.empty()
                        : OptionalInt.of(e.getLocation().getLineNr()),
                "the policy is not YAML or JSON: " + reason);
    }

    /// What has been read of a file, in its order.
    private static final class Parts {
        private List<String> rules = List.of();
        private List<String> credentials = List.of();

        Optional<EgressPolicy> read(Section top) {
            EgressPolicy.Fallback fallback =
                    top.choice("default", List.of(EgressPolicy.Fallback.values()))
                            .orElse(EgressPolicy.Fallback.DENY);
            List<EgressRule> all = new ArrayList<>(top.each("rules", RuleReader::rule));
            rules = all.stream().map(EgressRule::name).toList();
            top.scalars("preset", Presets::rules).forEach(all::addAll);
            List<Credential> bound = top.each("credentials", CredentialReader::credential);
            credentials = bound.stream().map(Credential::name).toList();
            top.rejectUnknown();
            return top.isSound()
                    ? top.build(() -> new EgressPolicy(all, bound, fallback))
                    : Optional.empty();
        }

        /// What is said of a rule or a credential by its name belongs to the last place that has
        /// the name.
        Finding found(String problem, Lines lines) {
            Matcher subject = SUBJECT.matcher(problem);
            if (!subject.matches()) {
                return new Finding(lines.of(problem), problem);
            }
            boolean rule = subject.group(3).equals("rule");
            int index = (rule ? rules : credentials).lastIndexOf(subject.group(4));
            String place = (rule ? "rules[" : "credentials[") + index + "]: ";
            return new Finding(index < 0 ? OptionalInt.empty() : lines.of(place), subject.group(2));
        }
    }
}
