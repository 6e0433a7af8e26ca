package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.tls.TestAuthority;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// gRPC by its own client and server (of Python): calls of all four kinds, with trailers, through a
/// rule that adds a credential.
class GrpcIT {
    private static final String SECRET = "sk-hush-0123456789";

    private static final String SERVER =
            """
            import grpc, sys
            from concurrent import futures
            def plain(b): return b
            def unary(request, context):
                key = dict(context.invocation_metadata()).get("x-key", "")
                context.set_trailing_metadata((("x-after", str(len(key))),))
                return b"one:" + request
            def fails(request, context):
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not so")
            def down(request, context):
                for i in range(int(request)):
                    yield str(i).encode() * 1000
            def up(requests, context):
                return str(sum(len(r) for r in requests)).encode()
            def both(requests, context):
                for r in requests:
                    yield r.upper() + b"s"
            h = grpc.method_handlers_generic_handler("t.T", {
                "Unary": grpc.unary_unary_rpc_method_handler(unary, plain, plain),
                "Fails": grpc.unary_unary_rpc_method_handler(fails, plain, plain),
                "Down": grpc.unary_stream_rpc_method_handler(down, plain, plain),
                "Up": grpc.stream_unary_rpc_method_handler(up, plain, plain),
                "Both": grpc.stream_stream_rpc_method_handler(both, plain, plain)})
            server = grpc.server(futures.ThreadPoolExecutor(8))
            server.add_generic_rpc_handlers((h,))
            read = lambda f: open(f, "rb").read()
            server.add_secure_port("127.0.0.1:" + sys.argv[1],
                grpc.ssl_server_credentials(((read(sys.argv[3]), read(sys.argv[2])),)))
            server.start()
            server.wait_for_termination()
            """;

    /// In the conversation the next word is said when the last one has been answered.
    private static final String CLIENT =
            """
            import os, queue, sys
            os.environ["GRPC_VERBOSITY"] = "NONE"
            import grpc
            channel = grpc.secure_channel("good.test:443",
                grpc.ssl_channel_credentials(open(sys.argv[1], "rb").read()))
            answer, call = channel.unary_unary("/t.T/Unary").with_call(b"x", timeout=20)
            print("unary", answer, dict(call.trailing_metadata())["x-after"], call.code().name)
            try:
                channel.unary_unary("/t.T/Fails")(b"x", timeout=20)
            except grpc.RpcError as e:
                print("fails", e.code().name, e.details())
            print("down", sum(len(m) for m in channel.unary_stream("/t.T/Down")(b"500", timeout=20)))
            print("up", channel.stream_unary("/t.T/Up")((b"a" * 10000 for _ in range(200)), timeout=20))
            words = queue.Queue()
            answers = channel.stream_stream("/t.T/Both")(iter(words.get, None), timeout=20)
            for i in range(50):
                words.put(b"w%d" % i)
                said = next(answers)
                assert said == b"W%ds" % i, said
            words.put(None)
            print("both", list(answers))
            try:
                channel.unary_unary("/t.T/Other")(b"x", timeout=20)
            except grpc.RpcError as e:
                print("other", e.code().name)
            """;

    @TempDir Path directory;

    @Test
    void callsOfEveryKind_passWithTheCredential() throws Exception {
        try (DoorRig rig = new DoorRig(directory)) {
            TestAuthority.Identity identity = rig.internet().vouch("good.test");
            Path chain =
                    Files.writeString(
                            directory.resolve("chain.pem"), Nginx.pem(identity.chain().toArray()));
            Path key =
                    Files.writeString(
                            directory.resolve("own.pem"), Nginx.pem(identity.keys().getPrivate()));
            int port = Programs.freePort();
            Process server =
                    new ProcessBuilder(
                                    "/usr/bin/python3",
                                    "-c",
                                    SERVER,
                                    "" + port,
                                    chain.toString(),
                                    key.toString())
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            try {
                Programs.awaitPort(server, port);
                Door door =
                        rig.open(
                                "one",
                                """
                                rules:
                                  - {name: rpc, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%d",
                                     credential: key, methods: [POST], paths: [/t.T/Unary, /t.T/Fails, /t.T/Down, /t.T/Up, /t.T/Both]}
                                credentials:
                                  - {name: key, header: X-Key, format: "{}", source: {file: %s}}
                                """
                                        .formatted(port, rig.secret("key", SECRET)));
                Process client =
                        rig.inside(door)
                                .start(
                                        "/usr/bin/python3",
                                        "-c",
                                        CLIENT,
                                        rig.bundle(door).toString());
                List<String> lines = client.inputReader().readAllLines();
                assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
                assertThat(lines)
                        .containsExactly(
                                "unary b'one:x' " + SECRET.length() + " OK",
                                "fails FAILED_PRECONDITION not so",
                                "down 1390000",
                                "up b'2000000'",
                                "both []",
                                "other PERMISSION_DENIED");
            } finally {
                Programs.stop(server);
            }
        }
    }
}
