package dev.glovebox.cli.policy;

import dev.glovebox.cli.audit.RecordChoice;
import dev.glovebox.cli.audit.TrailChoice;
import dev.glovebox.cli.operator.Screen;
import dev.glovebox.egress.audit.Observations;
import dev.glovebox.protocol.egress.learn.Proposal;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `glovebox policy learn`.
@Command(
        name = "learn",
        description = {
            "Proposes a policy from the audit records of sandboxes whose policy said \"default: learn\": it allows what they did"
                    + " for which no rule spoke, and is to be read before it is used. An agent that was talked into something while"
                    + " it was learned from has put that into the proposal.",
            "",
            "Names are put together under *.NAME where there are four or more, addresses in blocks; what is not on a public"
                    + " address is never proposed. Rules that exist are not repeated, unless --allowed asks for that; what they add"
                    + " (credentials, connect, budgets) is not in the records and must be put back by hand.",
            "",
            "Examples:",
            "  glovebox policy learn > policy.yaml",
            "  glovebox policy learn --session sesn_01ab --since 2h",
            "  glovebox policy learn --denied      # what no rule allowed, too"
        },
        mixinStandardHelpOptions = true,
        exitCodeOnExecutionException = 2)
public final class PolicyLearn implements Callable<Integer> {
    @Mixin private TrailChoice choice;

    @Mixin private RecordChoice records;

    @Option(names = "--denied", description = "Also what was refused because no rule allows it.")
    private boolean denied;

    @Option(names = "--allowed", description = "Also what rules allowed.")
    private boolean allowed;

    @Option(names = "--exact", description = "No two hosts under one rule.")
    private boolean exact;

    @Override
    public Integer call() throws IOException {
        Observations observations = new Observations(allowed, denied);
        choice.trail().query(records.wanted(), observations::add);
        Proposal proposal = observations.proposal(!exact);
        Screen screen = Screen.standard();
        proposal.text().lines().forEach(screen::line);
        if (observations.records() == 0) {
            screen.note(
                    "nothing was learned: the records meant hold no verdict \"learn\", which only a policy with"
                            + " \"default: learn\" makes (or try --denied)");
        }
        if (!proposal.whole()) {
            screen.note("the proposal is not whole: there was more than a policy can hold");
        }
        return 0;
    }
}
