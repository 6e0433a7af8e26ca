package dev.glovebox.worker;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Template;
import dev.glovebox.worker.policy.PolicyBook;
import dev.glovebox.worker.policy.PolicySource;
import dev.glovebox.worker.tool.ToolLimits;

/// What the place is like that each session gets.
///
/// @param template what the sandbox shows before anything is mounted
/// @param limits of the sandbox
/// @param policies what its programs may reach
/// @param tools limits of one call
/// @param warm sandboxes kept ready
/// @param proxyVariables whether programs are told by variables that the door is a proxy too
public record PlaceConfig(
        Template template,
        Limits limits,
        PolicySource policies,
        ToolLimits tools,
        Warm warm,
        boolean proxyVariables) {
    /// Template `base`, default limits, no network, none ready.
    public static final PlaceConfig DEFAULT =
            new PlaceConfig(
                    Template.BASE,
                    Limits.DEFAULT,
                    new PolicySource.Fixed(PolicyBook.DENY_ALL),
                    ToolLimits.DEFAULT,
                    Warm.NONE,
                    false);

    /// The same with another template.
    public PlaceConfig withTemplate(Template other) {
        return new PlaceConfig(other, limits, policies, tools, warm, proxyVariables);
    }

    /// The same with other limits of the sandbox.
    public PlaceConfig withLimits(Limits other) {
        return new PlaceConfig(template, other, policies, tools, warm, proxyVariables);
    }

    /// The same with another length of a call's output.
    ///
    /// @throws IllegalArgumentException if it is not 1 KiB to 16 MiB
    public PlaceConfig withOutputBytes(long most) {
        return new PlaceConfig(
                template, limits, policies, tools.withOutputBytes(most), warm, proxyVariables);
    }

    /// The same with others kept ready.
    public PlaceConfig withWarm(Warm other) {
        return new PlaceConfig(template, limits, policies, tools, other, proxyVariables);
    }

    /// The same with one policy that never changes.
    public PlaceConfig withPolicy(EgressPolicy other) {
        return withPolicies(new PolicySource.Fixed(PolicyBook.of(other)));
    }

    /// The same with other policies.
    public PlaceConfig withPolicies(PolicySource other) {
        return new PlaceConfig(template, limits, other, tools, warm, proxyVariables);
    }

    /// The same with or without variables that name the door as a proxy.
    public PlaceConfig withProxyVariables(boolean other) {
        return new PlaceConfig(template, limits, policies, tools, warm, other);
    }
}
