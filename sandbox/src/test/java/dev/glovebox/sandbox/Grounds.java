package dev.glovebox.sandbox;

import java.util.Map;
import java.util.TreeMap;

/// One [Ground] for each runtime that a test class asks for, opened at its first use.
final class Grounds {
    private final Map<RuntimeName, Ground> open = new TreeMap<>();

    Ground under(RuntimeName runtime) throws Exception {
        Ground ground = open.get(runtime);
        if (ground == null) {
            ground = Ground.open(runtime);
            open.put(runtime, ground);
        }
        return ground;
    }

    void close() throws Exception {
        for (Ground ground : open.values()) {
            ground.close();
        }
    }
}
