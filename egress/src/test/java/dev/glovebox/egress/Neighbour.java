package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// The sandbox beside the one that attacks: it asks for a small page over HTTP now and then, and
/// must get it about as fast as when all is quiet. Knows what this process holds, too.
final class Neighbour {
    static final long MEBI = 1024 * 1024;
    private static final int REQUESTS = 31;

    private final Door door;
    private final String host;
    private final Duration quiet;

    /// @param host that it may ask at port 80
    Neighbour(Door door, String host) throws Exception {
        this.door = door;
        this.host = host;
        this.quiet = request();
    }

    /// How long a request takes, the median of some, connection and all.
    private Duration request() throws Exception {
        Client client = new Client(door);
        InetAddress address = DoorRig.address(door, host);
        List<Duration> times = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            long start = System.nanoTime();
            assertThat(
                            client.say(
                                    address.getHostAddress(),
                                    80,
                                    "GET /n HTTP/1.1\r\nHost: "
                                            + host
                                            + "\r\nConnection: close\r\n\r\n"))
                    .startsWith("HTTP/1.1 200");
            times.add(Duration.ofNanos(System.nanoTime() - start));
        }
        return times.stream().sorted().toList().get(REQUESTS / 2);
    }

    void hardlyNotices() throws Exception {
        long floor = Math.max(quiet.toMillis(), 10);
        assertThat(request()).isLessThan(Duration.ofMillis(20 * floor));
    }

    /// The heap that survives a collection, and the buffers outside of it.
    static long memory() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
                + ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                        .metric()
                        .usedDirectMemory();
    }
}
