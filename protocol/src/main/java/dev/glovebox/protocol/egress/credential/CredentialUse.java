package dev.glovebox.protocol.egress.credential;

/// That a rule adds a credential.
///
/// @param name of the credential
/// @param insecure the operator accepts that it travels in the clear
public record CredentialUse(String name, boolean insecure) {}
