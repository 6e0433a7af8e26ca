package dev.glovebox.cli.demo;

import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;

/// The demo's story, against a control plane and a worker that run already.
public final class Demo {
    private static final int TOKEN_BYTES = 16;

    private final URI baseUrl;
    private final Secret apiKey;
    private final String environmentId;
    private final Narrator narrator;

    /// @param baseUrl of the control plane
    /// @param apiKey for it
    /// @param environmentId whose worker has the policy of [Host#policy]
    public Demo(URI baseUrl, Secret apiKey, String environmentId, Narrator narrator) {
        this.baseUrl = baseUrl;
        this.apiKey = apiKey;
        this.environmentId = environmentId;
        this.narrator = narrator;
    }

    /// Runs one session and looks at every claim.
    ///
    /// @param workspaceOf where on this host a session's workspace is
    /// @return whether all of it really happened
    public boolean run(Host host, Function<String, Path> workspaceOf) {
        try (Client client = new Client(baseUrl, apiKey, narrator)) {
            String session = client.createSession(environmentId);
            narrator.stage("session " + session + ", driven by the official Java client");
            Transcript transcript = client.run(session, Script.text());
            narrator.stage("looking at what happened");
            List<Claim> claims =
                    Claim.examine(
                            transcript, host.codeHost, host.token, workspaceOf.apply(session));
            claims.forEach(c -> narrator.checked(c.text(), c.holds(), c.evidence()));
            return claims.stream().allMatch(Claim::holds);
        }
    }

    /// The private code host of the story, with its token.
    public static Host host() {
        byte[] random = new byte[TOKEN_BYTES];
        new SecureRandom().nextBytes(random);
        Secret token = new Secret(Script.TOKEN_PREFIX + HexFormat.of().formatHex(random));
        try {
            Path file =
                    Files.createTempFile(
                            "glovebox-demo-",
                            ".token",
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, token.reveal());
            return new Host(CodeHost.start(token), token, file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the demo's token", e);
        }
    }

    /// A running code host and the file that holds its token.
    public static final class Host implements AutoCloseable {
        private final CodeHost codeHost;
        private final Secret token;
        private final Path tokenFile;

        private Host(CodeHost codeHost, Secret token, Path tokenFile) {
            this.codeHost = codeHost;
            this.token = token;
            this.tokenFile = tokenFile;
        }

        /// The policy that lets a sandbox reach the code host, and nothing else, with the token
        /// added on the way out.
        public String policy() {
            return String.join(
                    "\n",
                    "rules:",
                    "  - name: code",
                    "    host: " + Script.CODE_HOST,
                    "    port: 80",
                    "    protocol: http",
                    "    action: allow",
                    "    connect: 127.0.0.1:" + codeHost.port(),
                    "    credential: code-token",
                    "    insecure-credential: true",
                    "credentials:",
                    "  - name: code-token",
                    "    header: Authorization",
                    "    format: \"Bearer {}\"",
                    "    source: {file: \"" + tokenFile + "\"}",
                    "");
        }

        @Override
        public void close() {
            codeHost.close();
            try {
                Files.deleteIfExists(tokenFile);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot remove " + tokenFile, e);
            }
        }
    }
}
