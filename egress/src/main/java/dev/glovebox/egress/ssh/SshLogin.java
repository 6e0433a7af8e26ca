package dev.glovebox.egress.ssh;

import dev.glovebox.protocol.Secret;
import java.nio.file.Path;

/// As whom the door logs in at an SSH server, and what the sandbox may run there.
///
/// @param user the account
/// @param key a private key without passphrase, in a form that `ssh-keygen` writes
/// @param knownHosts file of the keys that servers may have (sshd(8)); who is not in it is refused
/// @param commands which commands the rule gives
public record SshLogin(String user, Secret key, Path knownHosts, CommandRules commands) {}
