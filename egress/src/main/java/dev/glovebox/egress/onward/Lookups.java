package dev.glovebox.egress.onward;

import dev.glovebox.egress.lookup.LookupLimits;
import dev.glovebox.egress.lookup.Resolver;
import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/// The lookups of all doors of one worker: so many at a time for each, so many in all, each on a
/// virtual thread. Thread-safe.
///
/// A sandbox that asks a dead server about name after name uses up its own share and nothing of its
/// neighbours': a door that has no lookup under way gets one even if all the others together have
/// used up what there is.
final class Lookups {
    private final Resolver resolver;
    private final LookupLimits limits;
    private int underWay;

    Lookups(Resolver resolver, LookupLimits limits) {
        this.resolver = resolver;
        this.limits = limits;
    }

    /// The part of one more door.
    Share share() {
        return new Share();
    }

    /// The part of one door.
    final class Share {
        private final Set<HostName> chosen = new HashSet<>();
        private int own;

        private Share() {}

        /// Whether a name that the sandbox chose, and the operator never wrote, may be looked up.
        ///
        /// The name goes to whoever serves the zone, so each new one is a message to them.
        boolean mayChoose(HostName name) {
            synchronized (Lookups.this) {
                return chosen.contains(name)
                        || (chosen.size() < limits.chosenNames() && chosen.add(name));
            }
        }

        /// How many different names it may choose.
        int choices() {
            return limits.chosenNames();
        }

        /// Looks the name up. Exactly one of the two is called, on the event loop.
        void find(
                HostName name,
                EventLoop loop,
                Consumer<List<InetAddress>> found,
                Consumer<Failure> failed) {
            if (!enter()) {
                failed.accept(Failure.TOO_MANY_LOOKUPS);
                return;
            }
            Thread.ofVirtual()
                    .name("egress-lookup")
                    .start(() -> {
                        Runnable tell;
                        try {
                            tell = ask(name, found, failed);
                        } finally {
                            leave();
                        }
                        try {
                            loop.execute(tell);
                        } catch (RejectedExecutionException e) {
                            // the doors are closed: there is nobody to tell
                        }
                    });
        }

        private Runnable ask(
                HostName name, Consumer<List<InetAddress>> found, Consumer<Failure> failed) {
            try {
                List<InetAddress> addresses = resolver.resolve(name);
                return () -> found.accept(addresses);
            } catch (UnknownHostException e) {
                return () -> failed.accept(Failure.NO_ADDRESS);
            } catch (IOException e) {
                String why = String.valueOf(e.getMessage());
                return () -> failed.accept(Failure.notLookedUp(why));
            } catch (RuntimeException e) {
                String why = e.getClass().getSimpleName();
                return () -> failed.accept(Failure.notLookedUp(why));
            }
        }

        private boolean enter() {
            synchronized (Lookups.this) {
                if (own >= limits.ofDoor() || (own > 0 && underWay >= limits.ofAll())) {
                    return false;
                }
                own++;
                underWay++;
                return true;
            }
        }

        private void leave() {
            synchronized (Lookups.this) {
                own--;
                underWay--;
            }
        }
    }
}
