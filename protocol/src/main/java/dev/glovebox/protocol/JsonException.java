package dev.glovebox.protocol;

import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DatabindException;

/// Text that is not JSON, or JSON that is not of the shape a record asks for. The message names the
/// place in it and is fit for the sender's eyes: it never shows Java types or the text itself.
public final class JsonException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param message what is wrong and where, in lower case
    public JsonException(String message) {
        super(message);
    }

    static JsonException of(JacksonException e) {
        if (e.getCause() instanceof JsonException cause) {
            return cause;
        }
        if (e instanceof DatabindException bind && !bind.getPath().isEmpty()) {
            String path =
                    bind.getPath().stream()
                            .map(r ->
                                    r.getPropertyName() == null
                                            ? "[" + r.getIndex() + "]"
                                            : r.getPropertyName())
                            .collect(Collectors.joining("."))
                            .replace(".[", "[");
            return new JsonException(path + ": has the wrong type or an invalid value");
        }
        var where = e.getLocation();
        String place =
                where == null || where.getLineNr() < 1
                        ? ""
                        : " at line " + where.getLineNr() + ", column " + where.getColumnNr();
        return new JsonException("not valid JSON" + place);
    }
}
