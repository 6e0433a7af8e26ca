package dev.glovebox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;

/// A terminal this process has open: termios(3), ioctl_tty(2).
///
/// SAFETY, for every downcall here: each segment lives in a confined arena that outlives the call,
/// is larger than the structure the C library writes into it, and errno is read from the capture
/// segment of that same call. None of the calls waits for the terminal (`TCSANOW`).
///
/// @param fd descriptor of the terminal, such as 0
public record TerminalDevice(int fd) {
    private static final long TIOCGWINSZ = 0x5413;
    private static final int TCSANOW = 0;

    /// `struct termios` of glibc has 60 bytes on every architecture it runs on here.
    private static final int TERMIOS_BYTES = 256;

    private static final MethodHandle ISATTY =
            Libc.handle(
                    "isatty", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle TCGETATTR =
            Libc.handle(
                    "tcgetattr",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    private static final MethodHandle TCSETATTR =
            Libc.handle(
                    "tcsetattr",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS));
    private static final MethodHandle CFMAKERAW =
            Libc.handle("cfmakeraw", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
    private static final MethodHandle IOCTL =
            Libc.variadic(
                    "ioctl",
                    2,
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS));

    /// Its size in characters; a terminal that does not know has 0.
    public record Size(int rows, int columns) {}

    /// Whether the descriptor is of a terminal at all.
    public boolean isTerminal() {
        try (Arena arena = Arena.ofConfined()) {
            return (int) ISATTY.invokeExact(Libc.errnoCapture(arena), fd) == 1;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Its size now.
    ///
    /// @throws LinuxException `ENOTTY` if it is no terminal
    public Size size() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            MemorySegment size = arena.allocate(ValueLayout.JAVA_SHORT, 4);
            int answer = (int) IOCTL.invokeExact(errno, fd, TIOCGWINSZ, size);
            Libc.check(answer, errno, "ioctl TIOCGWINSZ", "fd " + fd);
            return new Size(
                    Short.toUnsignedInt(size.getAtIndex(ValueLayout.JAVA_SHORT, 0)),
                    Short.toUnsignedInt(size.getAtIndex(ValueLayout.JAVA_SHORT, 1)));
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Makes it pass every byte on as it is typed, without echo, signals or line editing, until
    /// what is returned is closed: then it is as it was.
    ///
    /// @throws LinuxException `ENOTTY` if it is no terminal
    public Raw raw() {
        byte[] before = attributes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            MemorySegment termios = arena.allocateFrom(ValueLayout.JAVA_BYTE, before);
            CFMAKERAW.invokeExact(errno, termios);
            set(errno, termios);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
        return new Raw(this, before);
    }

    /// Calls back when the terminal this process is attached to has changed its size (`SIGWINCH`),
    /// on a thread of the Java runtime.
    ///
    /// The runtime's `sun.misc.Signal` is the only way to a signal handler that may run Java; it is
    /// looked up by name because the compiler knows it only as internal.
    public static void onResize(Runnable listener) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy =
                    Proxy.newProxyInstance(
                            handler.getClassLoader(),
                            new Class<?>[] {handler},
                            (_, _, _) -> {
                                listener.run();
                                return null;
                            });
            Object winch = signal.getConstructor(String.class).newInstance("WINCH");
            signal.getMethod("handle", signal, handler).invoke(null, winch, proxy);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this Java runtime has no signal handlers", e);
        }
    }

    private byte[] attributes() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            MemorySegment termios = arena.allocate(TERMIOS_BYTES);
            int answer = (int) TCGETATTR.invokeExact(errno, fd, termios);
            Libc.check(answer, errno, "tcgetattr", "fd " + fd);
            return termios.toArray(ValueLayout.JAVA_BYTE);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private void set(MemorySegment errno, MemorySegment termios) throws Throwable {
        int answer = (int) TCSETATTR.invokeExact(errno, fd, TCSANOW, termios);
        Libc.check(answer, errno, "tcsetattr", "fd " + fd);
    }

    /// A terminal in raw mode. Closing gives it back its old mode; a second time does nothing.
    public static final class Raw implements AutoCloseable {
        private final TerminalDevice device;
        private final byte[] before;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Raw(TerminalDevice device, byte[] before) {
            this.device = device;
            this.before = before;
        }

        /// @throws LinuxException `EIO` if the terminal has gone meanwhile
        @Override
        public void close() {
            if (!closed.compareAndSet(false, true)) {
                return;
            }
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment errno = Libc.errnoCapture(arena);
                device.set(errno, arena.allocateFrom(ValueLayout.JAVA_BYTE, before));
            } catch (Throwable e) {
                throw Libc.rethrown(e);
            }
        }
    }
}
