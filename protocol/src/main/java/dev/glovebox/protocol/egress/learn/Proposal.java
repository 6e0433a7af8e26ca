package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.file.PolicyLint;
import dev.glovebox.protocol.egress.file.Presets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;

/// A policy that allows what was observed, to be read and cut down by a person.
///
/// The same observations make the same proposal. It allows every one of them, and more only where
/// hosts or paths were put together, as its comments say. Nothing that is not on a public address
/// is part of it.
///
/// @param policy what is proposed
/// @param text the same as a file, with comments
/// @param whole whether everything found room; if not, what was seen most often did
public record Proposal(EgressPolicy policy, String text, boolean whole) {
    private static final int MOST_RULES = 1000;
    private static final int MOST_CHARACTERS = 150_000;
    private static final int MOST_COMMENTS = 100;

    /// More than a name can be longer than the one a draft is measured with.
    private static final int LONGEST_NAME = 64;

    /// Makes one.
    ///
    /// @param merge whether hosts that one pattern means are put together
    public static Proposal of(Tally tally, boolean merge) {
        List<Draft> drafts = new Drafting(tally.counts(), merge).drafts();
        List<Draft> kept = fitting(drafts);
        kept.sort(Comparator.comparing(Draft::order));
        List<EgressRule> rules = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Draft draft : kept) {
            List<EgressRule> own = draft.rules(unused(draft, names));
            names.addAll(own.stream().map(EgressRule::name).toList());
            rules.addAll(own);
            lines.addAll(draft.lines(own));
        }
        EgressPolicy policy = new EgressPolicy(rules, List.of());
        boolean whole = kept.size() == drafts.size() && tally.beyond() == 0;
        List<String> text = head(policy, whole);
        text.add(lines.isEmpty() ? "rules: []" : "rules:");
        text.addAll(lines);
        text.addAll(left(tally.left()));
        return new Proposal(policy, String.join("\n", text) + "\n", whole);
    }

    private static List<Draft> fitting(List<Draft> drafts) {
        List<Draft> kept = new ArrayList<>();
        int rules = 0;
        int characters = 0;
        for (Draft draft : drafts.stream().sorted(Draft.OFTEN).toList()) {
            int length =
                    draft.lines(draft.rules("x")).stream()
                            .mapToInt(line -> line.length() + LONGEST_NAME)
                            .sum();
            if (rules + draft.terms().size() <= MOST_RULES
                    && characters + length <= MOST_CHARACTERS) {
                rules += draft.terms().size();
                characters += length;
                kept.add(draft);
            }
        }
        return kept;
    }

    private static String unused(Draft draft, Set<String> names) {
        String stem = draft.stem();
        String free = stem;
        for (int i = 2; !Collections.disjoint(names, draft.names(free)); i++) {
            free = stem + "-" + i;
        }
        return free;
    }

    private static List<String> head(EgressPolicy policy, boolean whole) {
        List<String> head = new ArrayList<>();
        head.add("# Proposed by `glovebox policy learn` from the audit records.");
        head.add("# It allows what was done, whether that was good or not: read every line.");
        if (!whole) {
            head.add("# It is not whole: only what was seen most often found room.");
        }
        for (String preset : Presets.names()) {
            List<String> hosts = hostsOf(preset, policy);
            if (!hosts.isEmpty()) {
                head.add(
                        "# \"preset: ["
                                + preset
                                + "]\" could take the place of "
                                + String.join(", ", hosts)
                                + ": it lets fetch and nothing else, and sees each request.");
            }
        }
        PolicyLint.warnings(policy).stream()
                .limit(MOST_COMMENTS)
                .forEach(warning -> head.add("# " + warning));
        return head;
    }

    private static List<String> hostsOf(String preset, EgressPolicy policy) {
        List<EgressRule> rules = Presets.rules(preset);
        return policy.rules().stream()
                .filter(own ->
                        rules.stream()
                                .anyMatch(rule ->
                                        rule.host().equals(own.host())
                                                && rule.ports().equals(own.ports())))
                .map(own -> own.host().text())
                .distinct()
                .toList();
    }

    private static List<String> left(SortedMap<String, Long> left) {
        List<String> lines = new ArrayList<>();
        if (!left.isEmpty()) {
            lines.add("# Not proposed:");
        }
        left.entrySet().stream()
                .limit(MOST_COMMENTS)
                .forEach(entry ->
                        lines.add("#   " + entry.getKey() + ", " + times(entry.getValue())));
        if (left.size() > MOST_COMMENTS) {
            lines.add("#   and " + (left.size() - MOST_COMMENTS) + " more");
        }
        return lines;
    }

    private static String times(long count) {
        return count == 1 ? "once" : count + " times";
    }
}
