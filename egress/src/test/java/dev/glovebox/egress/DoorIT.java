package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoorIT {
    @TempDir Path directory;
    private Doors doors;
    private FakeWeb web;

    @BeforeEach
    void open() throws Exception {
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")));
        web = new FakeWeb();
    }

    @AfterEach
    void close() {
        web.close();
        doors.close();
    }

    @Test
    void allowedNameAnswersAndEveryOtherNameDoesNot() throws Exception {
        Instant start = Instant.now();
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules:
                          - {name: good, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%s"}
                        """
                                .replace("%s", "" + web.port()));
        try (Door door = doors.open("one", policy)) {
            Inside inside = new Inside(door, directory);
            Inside.Result good = inside.curl("http://good.test/hello?x=1");
            assertThat(good.output()).isEqualTo("GET /hello?x=1 good.test\n200");

            Inside.Result evil = inside.curl("http://secret.evil.test/");
            assertThat(evil.exit()).isEqualTo(6);
            assertThat(door.denialsSince(start))
                    .anyMatch(denial -> denial.destination().equals("secret.evil.test"));
        }
    }
}
