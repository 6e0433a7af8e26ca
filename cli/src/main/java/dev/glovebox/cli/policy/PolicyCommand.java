package dev.glovebox.cli.policy;

import dev.glovebox.cli.operator.PolicyAnswers;
import dev.glovebox.cli.operator.PolicyApply;
import dev.glovebox.cli.operator.PolicyQuestions;
import dev.glovebox.cli.operator.PolicyShow;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `glovebox policy`: what sandboxes may reach.
@Command(
        name = "policy",
        description = {
            "Says what an egress policy means and what is wrong with it, before a sandbox depends on it (check, explain, presets,"
                    + " schema); proposes one from what sandboxes did (learn); shows and changes what running sandboxes are judged by"
                    + " (show, apply); answers what rules leave to you (questions, allow, deny).",
            "",
            "A policy is one file, in a worker's configuration, in a template and for sandbox run alike. What no rule allows is"
                    + " denied:",
            "",
            "  preset: [npm, github]",
            "  rules:",
            "    - name: tickets",
            "      host: tickets.example.com",
            "      protocol: https",
            "      methods: [GET, POST]",
            "      paths: [\"/api/**\"]",
            "      action: allow",
            "",
            "From nothing to a policy:",
            "  1. write \"default: learn\" and \"rules: []\" into a file, and let an agent work with it",
            "  2. glovebox policy learn > policy.yaml     and read what it says",
            "  3. glovebox policy check policy.yaml",
            "  4. put it in the place of the first: the worker takes it within a second"
        },
        mixinStandardHelpOptions = true,
        subcommands = {
            PolicyCheck.class,
            PolicyExplain.class,
            PolicyLearn.class,
            PolicyPresets.class,
            SchemaCommand.class,
            PolicyShow.class,
            PolicyApply.class,
            PolicyQuestions.class,
            PolicyAnswers.Allow.class,
            PolicyAnswers.Deny.class
        })
public final class PolicyCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "policy: say what to do, such as: policy check policy.yaml");
    }
}
