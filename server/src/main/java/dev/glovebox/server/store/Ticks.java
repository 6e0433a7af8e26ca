package dev.glovebox.server.store;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/// Time as the store writes it: every stamp has six decimals, so that text order is time order, and
/// is later than the one before even when the clock stands or goes back.
///
/// Used by one thread at a time (the writer); [#text] may be used by all.
public final class Ticks {
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final Clock clock;
    private Instant last = Instant.EPOCH;

    /// @param clock real time in production, a hand-moved clock in tests
    public Ticks(Clock clock) {
        this.clock = clock;
    }

    String next() {
        Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
        last = now.isAfter(last) ? now : last.plus(1, ChronoUnit.MICROS);
        return text(last);
    }

    /// Makes every later stamp come after this one, which an earlier process gave out.
    void startAfter(String stamp) {
        Instant then = Instant.parse(stamp);
        last = then.isAfter(last) ? then : last;
    }

    /// A time in the store's form.
    public static String text(Instant time) {
        return FORMAT.format(time);
    }

    /// A stamp moved by a duration.
    public static String plus(String stamp, Duration duration) {
        return text(Instant.parse(stamp).plus(duration));
    }

    /// Microseconds from one stamp to another.
    public static long microsBetween(String from, String to) {
        return ChronoUnit.MICROS.between(Instant.parse(from), Instant.parse(to));
    }
}
