package dev.glovebox.sandbox.guest;

/// The numbers of the protocol with glovebox-init; `PROTOCOL.md` beside its source says what they
/// mean.
final class Wire {
    static final int VERSION = 1;
    static final int REQUEST_HEAD = 36;
    static final int ANSWER_HEAD = 8;
    static final int PAYLOAD_MAX = 65_536;
    static final int STDIN_WINDOW = 65_536;
    static final int MAX_STRINGS = 2048;
    static final int MAX_TRANSFERS = 16;
    static final int MAX_WRITES = 16;

    static final int START = 0x01;
    static final int STDIN = 0x02;
    static final int CLOSE = 0x03;
    static final int CREDIT = 0x04;
    static final int SIGNAL = 0x05;
    static final int RESIZE = 0x06;
    static final int CONFINE = 0x07;
    static final int END_ALL = 0x08;
    static final int READ = 0x10;
    static final int LIST = 0x11;
    static final int STAT = 0x12;
    static final int MKDIR = 0x13;
    static final int REMOVE = 0x14;
    static final int RENAME = 0x15;
    static final int REALPATH = 0x16;
    static final int WRITE_OPEN = 0x17;
    static final int WRITE_DATA = 0x18;
    static final int WRITE_COMMIT = 0x19;
    static final int WRITE_ABORT = 0x1a;

    static final int HELLO = 0x80;
    static final int RESULT = 0x81;
    static final int ERROR = 0x82;
    static final int PART = 0x83;
    static final int STDOUT = 0x84;
    static final int STDERR = 0x85;
    static final int CLOSED = 0x86;
    static final int GRANT = 0x87;
    static final int EXIT = 0x88;
    static final int FATAL = 0x8f;

    private Wire() {}
}
