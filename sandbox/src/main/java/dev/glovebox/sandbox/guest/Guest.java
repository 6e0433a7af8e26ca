package dev.glovebox.sandbox.guest;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// The inside of one sandbox: its processes and its files, as its glovebox-init serves them.
///
/// Thread-safe; every call waits for its own answer only, and none longer than
/// [GuestLimits#callTimeout]. All paths are absolute and are resolved inside, with the agent's
/// rights. When the sandbox ends, or the guest is closed, every call fails with [GuestException],
/// and closing is what ends every process inside.
public final class Guest implements AutoCloseable {
    private final Connection connection;
    private final GuestLimits limits;
    private final Map<String, String> hello;
    private final Set<GuestProcess> running = ConcurrentHashMap.newKeySet();
    private final Semaphore transfers = new Semaphore(Wire.MAX_TRANSFERS);
    private final Semaphore writes = new Semaphore(Wire.MAX_WRITES);

    private Guest(Connection connection, GuestLimits limits, Map<String, String> hello) {
        this.connection = connection;
        this.limits = limits;
        this.hello = hello;
    }

    /// Takes over a connected socket and waits for the greeting of the inside.
    ///
    /// @param unix a blocking channel; closed with the guest, or at once if there is no greeting
    /// @throws GuestException `ECONNRESET`, `ETIMEDOUT`, or `EPROTO` for another protocol version
    public static Guest over(SocketChannel unix, GuestLimits limits) {
        Connection connection = new Connection(unix, limits.callTimeout());
        Reply greeting = new Reply("greeting", "");
        connection.attach(0, greeting);
        connection.start();
        try {
            Map<String, String> hello =
                    lines(greeting.await(limits.callTimeout(), connection.clock()));
            connection.detach(0);
            if (!String.valueOf(Wire.VERSION).equals(hello.get("protocol"))) {
                throw new GuestException("EPROTO", "protocol version of glovebox-init", "");
            }
            return new Guest(connection, limits, hello);
        } catch (GuestException e) {
            connection.end(e);
            throw e;
        }
    }

    /// What init saw of itself at its start, before anything else ran: `protocol`, `pid`, `uid`,
    /// `gid`, `dumpable`, the links `ns/mnt` and so on, and each line of `/proc/self/status` by its
    /// name, such as `CapEff`, `NoNewPrivs`, `Seccomp`. For the check of the confinement before the
    /// first command.
    public Map<String, String> hello() {
        return hello;
    }

    /// Takes from init, and from all it starts, the right to write anywhere but in these places, by
    /// Landlock. When everything is mounted; a second time, or after the first process, init ends
    /// everything.
    ///
    /// @param writable directories and files, absolute; first a directory the agent can write
    /// @return the version of Landlock now in force, 0 if the kernel offers none
    /// @throws GuestException if a place is not there or it did not take hold; nothing may be
    ///   started then
    public int confine(List<String> writable) {
        return call(
                        "confine",
                        writable.getFirst(),
                        id -> {
                            Frame frame = frame(Wire.CONFINE, id, writable.getFirst());
                            writable.forEach(frame::path);
                            return frame;
                        })
                .getInt();
    }

    /// Starts a process.
    ///
    /// @throws GuestException the errno of what failed: `ENOENT` for a program or directory that is
    ///   not there, `EACCES`, `EAGAIN` at the limit of processes, `E2BIG`
    public GuestProcess start(ProcessRequest request) {
        refuseIfHeld("start", request.argv().getFirst());
        int id = connection.newId();
        Frame frame = startFrame(id, request);
        GuestProcess process = new GuestProcess(connection, id, request, limits.streamBytes());
        connection.attach(id, process.listener());
        try {
            connection.send(frame);
            process.awaitStart(limits.callTimeout());
            running.add(process);
            process.onExit(() -> running.remove(process));
            return process;
        } catch (GuestException e) {
            process.close();
            throw e;
        }
    }

    /// Processes that were started here and run now, by their pids inside.
    public Set<Integer> running() {
        return running.stream()
                .filter(process -> process.exit().isEmpty())
                .map(GuestProcess::pid)
                .collect(Collectors.toUnmodifiableSet());
    }

    /// Kills every process inside but init, whoever started it and wherever it has gone.
    public void endAll() {
        call(new Reply("end all", ""), id -> frame(Wire.END_ALL, id, ""));
    }

    /// What kind of file is there, its size, owner and times.
    ///
    /// @param followLinks whether a link at the end is followed
    public FileStat stat(String path, boolean followLinks) {
        ByteBuffer answer =
                call(
                        "stat",
                        path,
                        id -> frame(Wire.STAT, id, path).flags(followLinks ? 1 : 0).path(path));
        return FileStat.from(answer);
    }

    /// The entries of a directory without `.` and `..`, in no order.
    ///
    /// @param maxEntries how many at most; ask for one more to learn whether there are more
    public List<DirectoryEntry> list(String path, int maxEntries) {
        List<DirectoryEntry> entries = Collections.synchronizedList(new ArrayList<>());
        transfer(
                "list",
                path,
                part -> {
                    while (part.hasRemaining()) {
                        entries.add(entry(part));
                        refuseMoreThan(maxEntries, entries.size(), path);
                    }
                },
                id -> frame(Wire.LIST, id, path).amount(notNegative(maxEntries)).path(path));
        return List.copyOf(entries);
    }

    /// Bytes of a regular file from `offset`, fewer than asked for only at its end. Never waits for
    /// a FIFO or a device: `EINVAL`. A directory is `EISDIR`, a file of `/proc` is `EACCES`.
    ///
    /// @param maxBytes most to read, which is also the most memory this costs
    public byte[] read(String path, long offset, int maxBytes) {
        return readBytes(path, offset, maxBytes, 0);
    }

    /// The start of a file of `/proc`, such as `/proc/self/mountinfo`, where `self` is init.
    public byte[] readProc(String path, int maxBytes) {
        return readBytes(path, 0, maxBytes, 1);
    }

    /// Writes a file so that whoever looks, and whatever is killed, sees the old content or the
    /// new. A link is followed to the existing file it leads to; what is no regular file is
    /// refused.
    public void write(String path, byte[] content, WriteOptions options) {
        refuseIfHeld("write", path);
        acquire(writes, "write", path);
        int id = connection.newId();
        Reply reply = new Reply("write", path);
        connection.attach(id, reply);
        try {
            sendContent(id, path, content, options, reply);
            reply.await(limits.callTimeout(), connection.clock());
        } catch (GuestException e) {
            connection.sendIfOpen(frame(Wire.WRITE_ABORT, id, path));
            throw e;
        } finally {
            connection.detach(id);
            writes.release();
        }
    }

    /// Makes a directory.
    ///
    /// @param mode permission bits from 0 to 0777, also of the parents that are made
    /// @param parents make what is missing above, and do not mind if it exists
    public void mkdir(String path, int mode, boolean parents) {
        if ((mode & ~0777) != 0) {
            throw new IllegalArgumentException("mode out of range: " + Integer.toOctalString(mode));
        }
        call(
                "mkdir",
                path,
                id -> frame(Wire.MKDIR, id, path).flags(parents ? 1 : 0).mode(mode).path(path));
    }

    /// Removes a file, a link itself, or a directory.
    ///
    /// @param recursive with all that is in it, never through a link; otherwise a full one is
    ///   `ENOTEMPTY`
    public void remove(String path, boolean recursive) {
        long deadline = clock().nanoTime() + limits.callTimeout().toNanos();
        while (call(
                                "remove",
                                path,
                                id ->
                                        frame(Wire.REMOVE, id, path)
                                                .flags(recursive ? 1 : 0)
                                                .path(path))
                        .get()
                != 0) {
            if (clock().nanoTime() > deadline) {
                throw new GuestException("ETIMEDOUT", "remove", path);
            }
        }
    }

    /// As `rename(2)`: atomic, and replaces a file that has the new name.
    public void rename(String from, String to) {
        call("rename", from, id -> frame(Wire.RENAME, id, from).path(from).path(to));
    }

    /// The one path without links, `.` and `..` of something that exists, for a check of where it
    /// lies.
    public String realPath(String path) {
        ByteBuffer answer = call("realpath", path, id -> frame(Wire.REALPATH, id, path).path(path));
        return StandardCharsets.UTF_8.decode(answer).toString();
    }

    /// Whether calls can still succeed.
    public boolean isOpen() {
        return connection.isOpen();
    }

    /// What deadlines of calls are measured with.
    public CallClock clock() {
        return connection.clock();
    }

    /// Stops [#clock] and refuses every new call with `EBUSY`, for a sandbox about to be frozen.
    /// Calls under way go on waiting, and what is written to a process's input waits for
    /// [#release].
    public void hold() {
        connection.clock().stop();
    }

    /// Takes calls again, and lets the time of those under way run on.
    public void release() {
        connection.clock().go();
    }

    /// Tells once that the guest is gone and why, on a thread of its own; at once if it is.
    public void onEnd(Consumer<GuestException> listener) {
        CompletableFuture<Void> _ =
                connection
                        .ended()
                        .thenAccept(reason ->
                                Thread.ofVirtual()
                                        .name("guest-end")
                                        .start(() -> listener.accept(reason)));
    }

    /// Ends the connection, whereupon init kills every process inside and leaves.
    @Override
    public void close() {
        connection.end(new GuestException("ECONNRESET", "the guest is closed", ""));
    }

    @FunctionalInterface
    private interface Request {
        Frame frame(int id);
    }

    private static Frame frame(int type, int id, String subject) {
        return new Frame(type, id, subject);
    }

    private ByteBuffer call(String step, String path, Request request) {
        refuseIfHeld(step, path);
        return call(new Reply(step, path), request);
    }

    private ByteBuffer call(Reply reply, Request request) {
        int id = connection.newId();
        Frame frame = request.frame(id);
        connection.attach(id, reply);
        try {
            connection.send(frame);
            return reply.await(limits.callTimeout(), connection.clock());
        } finally {
            connection.detach(id);
        }
    }

    private void transfer(String step, String path, Consumer<ByteBuffer> parts, Request request) {
        refuseIfHeld(step, path);
        acquire(transfers, step, path);
        try {
            call(new Reply(step, path, parts), request);
        } finally {
            transfers.release();
        }
    }

    private byte[] readBytes(String path, long offset, int maxBytes, int flags) {
        if (offset < 0) {
            throw new IllegalArgumentException("offset is negative: " + offset);
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        transfer(
                "read",
                path,
                part -> {
                    refuseMoreThan(maxBytes, content.size() + part.remaining(), path);
                    content.write(
                            part.array(), part.arrayOffset() + part.position(), part.remaining());
                },
                id ->
                        frame(Wire.READ, id, path)
                                .flags(flags)
                                .offset(offset)
                                .amount(notNegative(maxBytes))
                                .path(path));
        return content.toByteArray();
    }

    private void sendContent(
            int id, String path, byte[] content, WriteOptions options, Reply reply) {
        int flags = (options.createParents() ? 1 : 0) | (options.sync() ? 2 : 0);
        Frame pending =
                frame(Wire.WRITE_OPEN, id, path)
                        .flags(flags)
                        .mode(options.newFileMode())
                        .path(path);
        for (int sent = 0; sent < content.length && !reply.isDone(); ) {
            int count = Math.min(content.length - sent, Wire.PAYLOAD_MAX);
            connection.send(pending);
            pending = frame(Wire.WRITE_DATA, id, path).data(content, sent, count);
            sent += count;
        }
        connection.send(pending, frame(Wire.WRITE_COMMIT, id, path));
    }

    private Frame startFrame(int id, ProcessRequest request) {
        int flags = (request.pty().isPresent() ? 1 : 0) | (request.mergeStderr() ? 2 : 0);
        Frame frame =
                frame(Wire.START, id, request.argv().getFirst())
                        .flags(flags)
                        .size(request.pty().orElse(new WindowSize(24, 80)))
                        .amount(limits.streamBytes())
                        .amountErr(limits.streamBytes())
                        .path(request.cwd());
        request.argv().forEach(frame::string);
        request.environment().forEach(frame::variable);
        return frame;
    }

    private void refuseIfHeld(String step, String subject) {
        if (connection.clock().isStopped()) {
            throw new GuestException("EBUSY", step, subject);
        }
    }

    private void acquire(Semaphore places, String step, String path) {
        try {
            if (!places.tryAcquire(limits.callTimeout().toNanos(), TimeUnit.NANOSECONDS)) {
                throw new GuestException("ETIMEDOUT", step, path);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GuestException("EINTR", step, path, e);
        }
    }

    private static int notNegative(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("limit is negative: " + count);
        }
        return count;
    }

    private static void refuseMoreThan(int limit, long count, String path) {
        if (count > limit) {
            throw new GuestException("EPROTO", "more than was asked for of", path);
        }
    }

    private static DirectoryEntry entry(ByteBuffer part) {
        FileStat stat = FileStat.from(part);
        int start = part.position();
        while (part.get() != 0) {}
        String name =
                StandardCharsets.UTF_8
                        .decode(part.slice(start, part.position() - 1 - start))
                        .toString();
        return new DirectoryEntry(name, stat.kind(), stat.mode(), stat.size(), stat.modified());
    }

    private static Map<String, String> lines(ByteBuffer greeting) {
        Map<String, String> lines = new LinkedHashMap<>();
        StandardCharsets.UTF_8
                .decode(greeting)
                .toString()
                .lines()
                .forEach(line -> {
                    int tab = line.indexOf('\t');
                    if (tab > 0) {
                        String key = line.substring(0, tab);
                        String name = key.endsWith(":") ? key.substring(0, key.length() - 1) : key;
                        lines.putIfAbsent(name, line.substring(tab + 1).trim());
                    }
                });
        return Collections.unmodifiableMap(lines);
    }
}
