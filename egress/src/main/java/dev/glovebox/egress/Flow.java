package dev.glovebox.egress;

import dev.glovebox.egress.credential.BoundCredential;
import dev.glovebox.egress.onward.Errand;
import dev.glovebox.egress.onward.Failure;
import dev.glovebox.egress.wire.Allowance;
import dev.glovebox.egress.wire.Reset;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import io.netty.channel.Channel;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// One connection that a sandbox made and a rule allowed.
///
/// @param door whose sandbox made it
/// @param client the accepted connection
/// @param destination what it means, canonical: nothing later looks at the client's spelling again
/// @param rule the rule that allowed it
/// @param credential what is added to its requests
/// @param terms what it was judged by
record Flow(
        Door door,
        Channel client,
        Destination destination,
        EgressRule rule,
        Optional<BoundCredential> credential,
        Terms terms)
        implements Errand {
    /// A token (RFC 9110 §5.6.2) of a length that methods have.
    private static final Pattern METHOD = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}");

    @Override
    public void track(Channel upstream) {
        door.track(upstream);
    }

    @Override
    public void failed(Failure failure) {
        door.failed(destination, rule, failure);
    }

    /// The same for one request on it, which another rule of the destination may allow.
    Flow under(EgressRule other) {
        return new Flow(door, client, destination, other, terms.credentialOf(other), terms);
    }

    /// What is left of the budgets of rule and credential.
    List<Allowance> allowances() {
        return Stream.of(terms.allowanceOf(rule), credential.flatMap(BoundCredential::allowance))
                .flatMap(Optional::stream)
                .toList();
    }

    /// Remembers that something was refused.
    void deny(String reason) {
        door.deny(destination.host().text(), destination.port(), rule.name(), reason);
    }

    /// Remembers that a request was refused. What of it is no method or no path is not repeated.
    ///
    /// @param target as it was sent, or canonical
    void deny(String method, String target, String reason) {
        String path;
        try {
            path = CanonicalPath.of(target).path();
        } catch (PolicyException e) {
            path = "";
        }
        door.deny(this, METHOD.matcher(method).matches() ? method : "", path, reason);
    }

    /// Remembers the denial and resets the connection.
    void refuse(String reason) {
        deny(reason);
        Reset.send(client);
    }

    /// Cheap, whatever the policy holds; equal flows have one client.
    @Override
    public int hashCode() {
        return client.hashCode();
    }
}
