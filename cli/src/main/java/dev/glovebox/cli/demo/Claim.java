package dev.glovebox.cli.demo;

import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Something the demo says has happened, with what shows it.
///
/// @param text for people
/// @param holds whether it really happened
/// @param evidence what was looked at
record Claim(String text, boolean holds, String evidence) {

    /// Looks at everything that the demo claims.
    ///
    /// @param workspace the session's directory on this host
    static List<Claim> examine(
            Transcript transcript, CodeHost codeHost, Secret token, Path workspace) {
        List<Transcript.Call> tests = transcript.with("sh test.sh");
        List<Transcript.Call> forbidden = transcript.with(Script.FORBIDDEN_HOST);
        String patch = read(workspace.resolve("outputs/fix.patch"));
        return List.of(
                new Claim(
                        "the session came to its end",
                        transcript.finished() && !transcript.calls().isEmpty(),
                        transcript.calls().size() + " tool calls"),
                new Claim(
                        "the agent was uid 1000 in a sandbox",
                        !transcript.with("echo uid").isEmpty()
                                && transcript
                                        .with("echo uid")
                                        .getFirst()
                                        .output()
                                        .startsWith("uid 1000 on "),
                        firstLine(transcript.with("echo uid"))),
                new Claim(
                        "the test failed before and passed after the edit",
                        tests.size() == 2
                                && tests.getFirst().error()
                                && tests.getFirst().output().contains("FAIL 1900")
                                && !tests.getLast().error()
                                && tests.getLast().output().contains("ok   1900"),
                        lastLine(tests)),
                new Claim(
                        "the code host was shown the right credential",
                        codeHost.served() == 2,
                        codeHost.served() + " files given out"),
                new Claim(
                        "the agent could use the credential and never read it",
                        !transcript.mentions(token.reveal())
                                && !transcript.with("[t]oken").isEmpty()
                                && transcript
                                        .with("[t]oken")
                                        .getFirst()
                                        .output()
                                        .contains("no credential to be found"),
                        "searched from inside, and in all that came out"),
                new Claim(
                        "the forbidden host was refused",
                        !forbidden.isEmpty() && forbidden.getFirst().error(),
                        lastLine(forbidden)),
                new Claim(
                        "the patch is an output file on this host",
                        patch.contains("+    return (year % 4 == 0 && year % 100 != 0)"),
                        workspace.resolve("outputs/fix.patch").toString()));
    }

    private static String firstLine(List<Transcript.Call> calls) {
        return calls.isEmpty()
                ? "no such call"
                : calls.getFirst().output().lines().findFirst().orElse("");
    }

    private static String lastLine(List<Transcript.Call> calls) {
        return calls.isEmpty()
                ? "no such call"
                : calls.getLast().output().lines().reduce("", (_, last) -> last);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException _) {
            return "";
        }
    }
}
