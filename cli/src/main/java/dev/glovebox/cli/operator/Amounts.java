package dev.glovebox.cli.operator;

import java.time.Duration;
import java.util.Locale;

/// Amounts in a few characters, for columns.
final class Amounts {
    private static final String[] UNITS = {"B", "K", "M", "G", "T"};

    private Amounts() {}

    /// Bytes by powers of 1,024: `912B`, `1.5M`, `2.0G`.
    static String bytes(long count) {
        double amount = count;
        int unit = 0;
        while (amount >= 1024 && unit < UNITS.length - 1) {
            amount /= 1024;
            unit++;
        }
        return unit == 0
                ? count + "B"
                : String.format(
                        Locale.ROOT, amount < 100 ? "%.1f%s" : "%.0f%s", amount, UNITS[unit]);
    }

    /// The two largest units: `4s`, `12m08s`, `3h20m`, `2d4h`.
    static String age(Duration time) {
        long seconds = Math.max(0, time.toSeconds());
        if (seconds < 60) {
            return seconds + "s";
        }
        if (seconds < 3600) {
            return String.format(Locale.ROOT, "%dm%02ds", seconds / 60, seconds % 60);
        }
        return seconds < 86_400
                ? String.format(Locale.ROOT, "%dh%02dm", seconds / 3600, seconds % 3600 / 60)
                : seconds / 86_400 + "d" + seconds % 86_400 / 3600 + "h";
    }

    /// Seconds, finer the fewer they are: `0.012s`, `1.3s`, `75s`.
    static String seconds(long millis) {
        String form = millis < 1000 ? "%.3fs" : millis < 60_000 ? "%.1fs" : "%.0fs";
        return String.format(Locale.ROOT, form, millis / 1000.0);
    }
}
