package dev.glovebox.protocol.egress.credential;

import dev.glovebox.protocol.egress.Budget;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.util.Optional;
import java.util.regex.Pattern;

/// A secret that the door adds to what a sandbox sends, and where the worker finds it. The value
/// itself is never part of a policy.
///
/// @param name how rules refer to it: letters, digits, `.`, `_`, `-`, at most 64
/// @param source where the worker reads the secret
/// @param projection how it is added
/// @param budget how much it is used, by one sandbox
public record Credential(
        String name, Source source, Projection projection, Optional<Budget> budget) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public Credential {
        if (!NAME.matcher(name).matches()) {
            throw new PolicyException(
                    "name " + Quoted.of(name) + " is not 1-64 letters, digits, . _ -");
        }
    }
}
