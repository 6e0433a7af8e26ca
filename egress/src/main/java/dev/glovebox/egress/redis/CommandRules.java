package dev.glovebox.egress.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// What becomes of a client's command.
///
/// A login of the client is replaced by the door's own, so that the server gives the answer, in its
/// place among the others. Commands that show, change or end the login, or make the server connect
/// to somewhere, are refused.
final class CommandRules {
    /// Of the connection itself; given whatever the rule says.
    private static final Set<String> CONNECTION =
            Set.of("AUTH", "HELLO", "PING", "ECHO", "QUIT", "SELECT", "CLIENT", "COMMAND");

    private static final Set<String> REFUSED =
            Set.of(
                    "ACL",
                    "CONFIG",
                    "DEBUG",
                    "FAILOVER",
                    "MIGRATE",
                    "MODULE",
                    "MONITOR",
                    "PSYNC",
                    "REPLCONF",
                    "REPLICAOF",
                    "RESET",
                    "SLAVEOF",
                    "SYNC");

    private final String rule;
    private final RedisLogin login;

    CommandRules(String rule, RedisLogin login) {
        this.rule = rule;
        this.login = login;
    }

    /// Whether the whole command must be seen before it can be judged.
    boolean needsWhole(String name) {
        return name.equals("AUTH") || name.equals("HELLO");
    }

    /// Whether the command may be asked at all.
    boolean gives(String name) {
        return !REFUSED.contains(name)
                && (login.commands().isEmpty()
                        || CONNECTION.contains(name)
                        || login.commands().contains(name));
    }

    String refusal(String name) {
        return "refused by the door: rule " + rule + " does not give " + name;
    }

    /// The door's own login.
    Command logIn() {
        List<String> words = new ArrayList<>(List.of("AUTH"));
        login.user().map(Command::raw).ifPresent(words::add);
        words.add(Command.raw(login.password().reveal()));
        return new Command(words);
    }

    /// `AUTH` or `HELLO` as it is sent in place of the client's. `HELLO` need not log in again.
    Command replaced(Command asked) {
        if (asked.name().equals("AUTH")) {
            return logIn();
        }
        List<String> words = asked.words();
        List<String> sent = new ArrayList<>(words.subList(0, Math.min(2, words.size())));
        int next = 2;
        while (next < words.size()) {
            String option = words.get(next).toUpperCase(Locale.ROOT);
            if (option.equals("AUTH") && next + 2 < words.size()) {
                next += 3;
            } else if (option.equals("SETNAME") && next + 1 < words.size()) {
                sent.addAll(words.subList(next, next + 2));
                next += 2;
            } else {
                return Command.refused("refused by the door: HELLO with an option unknown to it");
            }
        }
        return new Command(sent);
    }
}
