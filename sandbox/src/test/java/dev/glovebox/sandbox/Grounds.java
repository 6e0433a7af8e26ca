package dev.glovebox.sandbox;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// One [Ground] for each runtime that a test class asks for, opened at its first use and closed
/// after its last test.
final class Grounds implements AfterAllCallback {
    private final Map<RuntimeName, Ground> open = new TreeMap<>();

    Ground under(RuntimeName runtime) throws Exception {
        Ground ground = open.get(runtime);
        if (ground == null) {
            ground = Ground.open(runtime);
            open.put(runtime, ground);
        }
        return ground;
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        for (Ground ground : open.values()) {
            ground.close();
        }
    }
}
