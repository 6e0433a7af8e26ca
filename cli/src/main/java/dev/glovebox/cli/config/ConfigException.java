package dev.glovebox.cli.config;

/// A configuration that cannot be used; the message names the file and each line at fault.
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ConfigException(String message) {
        super(message);
    }

    ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
