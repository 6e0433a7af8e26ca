package dev.glovebox.egress.onward;

/// Why an allowed connection did not come about.
///
/// The sandbox hears less than the operator: whether a name exists and leads to a private address,
/// or does not exist, is one answer to it, so that it cannot map a network that it may not reach.
///
/// @param told what the sandbox hears: no address, nothing of what a server or a proxy said
/// @param detail what the audit log keeps
public record Failure(String told, String detail) {
    /// How every failure begins that means a name leads to where a sandbox has no business.
    public static final String NO_PUBLIC_ADDRESS = "the name leads to no public address";

    static final Failure NO_ADDRESS = notPublic("it has no address");
    static final Failure NOT_PUBLIC = notPublic("none of its addresses may be dialled");
    static final Failure TOO_MANY_LOOKUPS = of("too many lookups are under way");
    static final Failure UNREACHED = of("it is allowed, but no connection came about");
    static final Failure LATE =
            new Failure(UNREACHED.told, "it is allowed, but no connection came about in time");
    static final Failure CLIENT_GONE = of("the client has gone");

    /// One text for both.
    static Failure of(String text) {
        return new Failure(text, text);
    }

    static Failure notLookedUp(String why) {
        String told = "the name could not be looked up";
        return new Failure(told, told + ": " + why);
    }

    private static Failure notPublic(String why) {
        return new Failure(NO_PUBLIC_ADDRESS, NO_PUBLIC_ADDRESS + ": " + why);
    }
}
