package dev.glovebox.spec.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// The same measured several times, with everything else that is compared measured in between: what
/// the machine did besides in one of the passes does not make the figure.
record Passes(List<Figures> runs) {

    /// The median of what each pass found.
    ///
    /// @param share such as 0.99
    Duration percentile(double share) {
        List<Duration> found = runs.stream().map(run -> run.percentile(share)).sorted().toList();
        return found.get(found.size() / 2);
    }

    /// Measures each of some things once, then each once more, and so on.
    ///
    /// @return in the order of the suppliers
    static List<Passes> of(int passes, List<Supplier<Figures>> kinds) {
        List<List<Figures>> runs = new ArrayList<>();
        kinds.forEach(_ -> runs.add(new ArrayList<>()));
        for (int pass = 0; pass < passes; pass++) {
            for (int kind = 0; kind < kinds.size(); kind++) {
                runs.get(kind).add(kinds.get(kind).get());
            }
        }
        return runs.stream().map(Passes::new).toList();
    }
}
