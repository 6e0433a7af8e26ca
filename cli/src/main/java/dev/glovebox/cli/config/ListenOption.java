package dev.glovebox.cli.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// An address to listen on, `HOST:PORT`; an IPv6 host in brackets, port 0 for any free one.
public final class ListenOption implements ITypeConverter<InetSocketAddress> {
    private static final int LAST_PORT = 65_535;

    @Override
    public InetSocketAddress convert(String text) {
        int colon = text.lastIndexOf(':');
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            if (colon > 0 && port >= 0 && port <= LAST_PORT) {
                return new InetSocketAddress(InetAddress.getByName(text.substring(0, colon)), port);
            }
        } catch (NumberFormatException | UnknownHostException _) {
            // told below, with the form that is expected
        }
        throw new TypeConversionException("'" + text + "' is not HOST:PORT such as 127.0.0.1:8600");
    }
}
