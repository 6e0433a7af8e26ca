package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// A client that says everything and ends its side before the server has been found: the kernel
/// tells of the end at once, and what was said must not be lost for that.
class EarlyBytesIT {
    private static final String ALL = "all there is to say ".repeat(500);

    @RegisterExtension final Internet internet = new Internet();

    @TempDir Path directory;
    private final CountDownLatch found = new CountDownLatch(1);
    private ServerSocket server;
    private Door door;

    @BeforeEach
    void open() {
        server =
                internet.closedLater(
                        internet.out()
                                .enter(() ->
                                        new ServerSocket(
                                                7000, 9, InetAddress.ofLiteral(Internet.GOOD))));
        Doors doors =
                internet.doors(
                        new EgressConfig(
                                directory.resolve("doors"), DoorLimits.DEFAULT, this::slowly));
        door =
                internet.door(
                        doors,
                        "one",
                        EgressPolicy.parse(
                                "rules: [{name: raw, host: good.test, port: 7000, protocol: tcp,"
                                        + " action: allow}]"));
    }

    private List<InetAddress> slowly(HostName name) throws IOException {
        try {
            assertThat(found.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return internet.resolver().resolve(name);
    }

    @Test
    void whatWasSaidBeforeTheServerWasFound_arrivesThere() throws Exception {
        Client client = new Client(door);
        InetAddress good =
                door.names().addressesOf(HostName.parse("good.test")).orElseThrow().four();
        try (Socket early = client.connect(good, 7000)) {
            early.getOutputStream().write(ALL.getBytes(StandardCharsets.US_ASCII));
            early.shutdownOutput();
            bothEventLoopsHaveSeenIt(client);
            found.countDown();
            server.setSoTimeout(10_000);
            try (Socket far = server.accept()) {
                assertThat(Client.rest(far)).isEqualTo(ALL);
                far.getOutputStream().write("heard".getBytes(StandardCharsets.US_ASCII));
            }
            assertThat(Client.rest(early)).isEqualTo("heard");
        }
    }

    /// Connections are given to the event loops in turn, so what comes later has been dealt with on
    /// each.
    private static void bothEventLoopsHaveSeenIt(Client client) throws Exception {
        for (int i = 0; i < 4; i++) {
            try (Socket refused = client.connect("203.0.113.99", 7000)) {
                assertThat(Client.rest(refused)).isEqualTo("[reset]");
            } catch (IllegalStateException e) {
                // reset before it was seen to be there
            }
        }
    }
}
