package dev.glovebox.cli.audit;

import dev.glovebox.egress.audit.AuditTrail;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `glovebox audit verify`.
@Command(
        name = "verify",
        description = {
            "Checks that no record was changed, taken out or put in. Prints the head of the chain, NUMBER:HASH: kept elsewhere, it"
                    + " shows later with --contains that nothing before it was rewritten.",
            "",
            "Exit code: 0 whole, 1 broken (the first bad record is named), 2 cannot be read."
        },
        mixinStandardHelpOptions = true,
        exitCodeOnExecutionException = 2)
public final class AuditVerify implements Callable<Integer> {
    @Mixin private TrailChoice choice;

    @Option(
            names = "--contains",
            paramLabel = "NUMBER:HASH",
            description = "A head printed earlier, which must still be there.")
    private @Nullable String contains;

    @Override
    public Integer call() throws IOException {
        return switch (choice.trail().verify(Optional.ofNullable(contains))) {
            case AuditTrail.Verdict.Broken(long number, String place, String reason) -> {
                line("broken at record " + number + " (" + place + "): " + reason);
                yield 1;
            }
            case AuditTrail.Verdict.Whole whole when contains != null && !whole.contains() -> {
                line("broken: record " + contains + " is not there");
                yield 1;
            }
            case AuditTrail.Verdict.Whole whole -> {
                line(
                        "whole: "
                                + whole.records()
                                + " records from "
                                + whole.first()
                                + ", head "
                                + whole.head());
                yield 0;
            }
        };
    }

    static void line(String text) {
        byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }
}
