package dev.glovebox.spec.bench;

import java.util.List;

/// The arguments of a benchmark: `--name NUMBER`, `--only PART`, `--write`, and `--quick`.
record Options(List<String> words) {
    int number(String option, int usual) {
        int at = words.indexOf(option);
        return at < 0 ? usual : Integer.parseInt(words.get(at + 1));
    }

    /// Whether this part is to run: all are, unless one is named.
    boolean wants(String part) {
        int at = words.indexOf("--only");
        return at < 0 || words.get(at + 1).equals(part);
    }

    boolean write() {
        return words.contains("--write");
    }

    boolean quick() {
        return words.contains("--quick");
    }
}
