package dev.glovebox.cli.operator;

import dev.glovebox.cli.config.DurationOption;
import dev.glovebox.worker.operator.PolicyWish;
import dev.glovebox.worker.operator.Request;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `glovebox policy allow` and `glovebox policy deny`: the two answers to a question.
public final class PolicyAnswers {
    private PolicyAnswers() {}

    /// It may.
    @Command(
            name = "allow",
            description = {
                "Lets a sandbox reach a destination that it has asked for, under the rule that asks. Connections that wait go on at"
                        + " once. The answer is for this sandbox, this host and this port, until its time is over; then what it"
                        + " allowed is cut. It is in the audit log, with your user.",
                "",
                "Examples:",
                "  glovebox policy allow sesn_01ab example.com:443",
                "  glovebox policy allow --for 10m sesn_01ab example.com:443"
            },
            mixinStandardHelpOptions = true)
    public static final class Allow implements Callable<Integer> {
        @Mixin private Subject subject;

        @Override
        public Integer call() {
            return subject.answer(true);
        }
    }

    /// It may not.
    @Command(
            name = "deny",
            description = {
                "Refuses a destination that a sandbox has asked for. It is told at once, and not asked for again until the time is"
                        + " over.",
                "",
                "Example:",
                "  glovebox policy deny sesn_01ab example.com:443"
            },
            mixinStandardHelpOptions = true)
    public static final class Deny implements Callable<Integer> {
        @Mixin private Subject subject;

        @Override
        public Integer call() {
            return subject.answer(false);
        }
    }

    /// What is answered.
    static final class Subject {
        @Mixin private WorkerChoice worker;

        @Option(
                names = "--for",
                paramLabel = "TIME",
                defaultValue = "8h",
                converter = DurationOption.class,
                description = "How long the answer holds, such as 10m (default: ${DEFAULT-VALUE}).")
        private Duration time;

        @Parameters(
                index = "0",
                paramLabel = "NAME",
                description = "Sandbox, session, or the beginning of either.")
        private String name;

        @Parameters(
                index = "1",
                paramLabel = "HOST:PORT",
                description = "As `glovebox policy questions` lists it.")
        private String destination;

        int answer(boolean allowed) {
            var answer =
                    worker.client()
                            .ask(
                                    new Request.Policy(
                                            new PolicyWish.Answer(
                                                    name, destination, allowed, time.toSeconds())));
            Screen.standard()
                    .line(
                            answer.path("name").asString()
                                    + (allowed ? " may reach " : " may not reach ")
                                    + answer.path("destination").asString()
                                    + " for "
                                    + Amounts.age(time));
            return 0;
        }
    }
}
