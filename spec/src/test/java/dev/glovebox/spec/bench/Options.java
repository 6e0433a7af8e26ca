package dev.glovebox.spec.bench;

import java.util.List;

/// The arguments of a benchmark: `--name NUMBER`, and `--write`.
record Options(List<String> words) {
    int number(String option, int usual) {
        int at = words.indexOf(option);
        return at < 0 ? usual : Integer.parseInt(words.get(at + 1));
    }

    boolean write() {
        return words.contains("--write");
    }
}
