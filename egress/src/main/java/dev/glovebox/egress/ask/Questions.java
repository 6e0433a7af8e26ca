package dev.glovebox.egress.ask;

import dev.glovebox.protocol.egress.Destination;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the sandbox of one door has asked the operator, and what was answered.
///
/// A connection to a destination that a rule leaves to the operator waits here, for a while, and is
/// judged again when there is an answer. The question stays when nobody waits any more, so that a
/// later try finds the answer. A destination that was approved is [#approved] until its time is
/// over; one that was refused is not asked for again until then. Thread-safe.
public final class Questions {
    private final int capacity;
    private final InstantSource clock;
    private final Map<Destination, Asked> asked = new LinkedHashMap<>();
    private final Map<Destination, Answer> answers = new LinkedHashMap<>();

    private record Asked(Instant since, String rule, List<Runnable> waiting) {}

    /// What the operator said.
    ///
    /// @param allowed whether it may be reached
    /// @param until when that holds no longer
    public record Answer(boolean allowed, Instant until) {}

    /// @param capacity how many questions are open, and how many answers are remembered
    public Questions(int capacity, InstantSource clock) {
        this.capacity = capacity;
        this.clock = clock;
    }

    /// What became of asking.
    public enum Outcome {
        /// Nobody had asked before.
        ASKED,
        /// The same question is open already.
        WAITS,
        /// The operator has refused it.
        REFUSED,
        /// Too many questions are open.
        FULL
    }

    /// Asks.
    ///
    /// @param decided is run once when there is an answer, on the thread of who answers
    public synchronized Outcome ask(Destination destination, String rule, Runnable decided) {
        Answer answer = answers.get(destination);
        if (answer != null && !answer.allowed() && clock.instant().isBefore(answer.until())) {
            return Outcome.REFUSED;
        }
        Asked open = asked.get(destination);
        if (open != null) {
            open.waiting().add(decided);
            return Outcome.WAITS;
        }
        if (asked.size() >= capacity) {
            return Outcome.FULL;
        }
        asked.put(destination, new Asked(clock.instant(), rule, new ArrayList<>(List.of(decided))));
        return Outcome.ASKED;
    }

    /// Waits no longer.
    public synchronized void leave(Destination destination, Runnable decided) {
        Asked open = asked.get(destination);
        if (open != null) {
            open.waiting().remove(decided);
        }
    }

    /// Questions without an answer, oldest first.
    public synchronized List<Question> open() {
        return asked.entrySet().stream()
                .map(entry ->
                        new Question(
                                entry.getValue().since(),
                                entry.getKey(),
                                entry.getValue().rule(),
                                entry.getValue().waiting().size()))
                .toList();
    }

    /// Answers.
    ///
    /// @return who waits for it, to be run when the answer has taken effect; empty if nobody has
    ///   asked and nothing was answered before
    public synchronized Optional<List<Runnable>> answer(Destination destination, Answer answer) {
        Asked open = asked.remove(destination);
        if (open == null && !answers.containsKey(destination)) {
            return Optional.empty();
        }
        answers.remove(destination);
        if (answers.size() >= capacity) {
            answers.remove(answers.keySet().iterator().next());
        }
        answers.put(destination, answer);
        return Optional.of(open == null ? List.of() : List.copyOf(open.waiting()));
    }

    /// What may be reached by the operator's word.
    public synchronized List<Destination> approved() {
        Instant now = clock.instant();
        return answers.entrySet().stream()
                .filter(entry -> entry.getValue().allowed())
                .filter(entry -> now.isBefore(entry.getValue().until()))
                .map(Map.Entry::getKey)
                .toList();
    }
}
