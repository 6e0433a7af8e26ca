package dev.glovebox.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.root.RootLayers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class OrderTest {
    @Test
    void programsAreToldOfFewerProcessorsThanTheHostHas() {
        assertThat(order(2).processors(64))
                .isEqualTo(Map.of("OMP_NUM_THREADS", "2", "GOMAXPROCS", "2"));
        assertThat(order(1.5).processors(64)).containsValue("2");
        assertThat(order(0.1).processors(2)).containsValue("1");
        assertThat(order(2).processors(2)).isEmpty();
        assertThat(order(2).processors(1)).isEmpty();
    }

    private static Order order(double cpus) {
        Limits limits = new Limits(Limits.DEFAULT.memoryBytes(), cpus, Limits.DEFAULT.pids());
        return Order.of(
                new SandboxSpec(
                        "one", Template.BASE, List.of(), Optional.empty(), limits, Map.of()),
                RootLayers.NONE);
    }
}
