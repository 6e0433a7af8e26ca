package dev.glovebox.egress.http;

import io.netty.channel.Channel;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/// A connection to a server, and its place among those that a door may use at a time. One that
/// waits for its next request has none, so what waits on one event loop is never in the way of what
/// is needed on another. Belongs to the event loop of its channel.
final class Seat {
    private final Channel channel;
    private final Semaphore room;
    private boolean taken = true;

    private Seat(Channel channel, Semaphore room) {
        this.channel = channel;
        this.room = room;
    }

    /// Takes over a place that was got for the connection; it is given back when the connection
    /// ends.
    static Seat of(Channel channel, Semaphore room) {
        Seat seat = new Seat(channel, room);
        channel.closeFuture().addListener(_ -> seat.leave());
        return seat;
    }

    Channel channel() {
        return channel;
    }

    /// Gives the place back. Idempotent.
    void leave() {
        if (taken) {
            taken = false;
            room.release();
        }
    }

    /// Takes a place again.
    ///
    /// @return itself, or nothing if all are taken
    Optional<Seat> taken() {
        taken = room.tryAcquire();
        return taken ? Optional.of(this) : Optional.empty();
    }
}
