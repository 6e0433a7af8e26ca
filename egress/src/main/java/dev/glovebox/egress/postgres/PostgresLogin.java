package dev.glovebox.egress.postgres;

import dev.glovebox.protocol.Secret;
import java.util.function.Predicate;

/// As whom the door logs in at a PostgreSQL server.
///
/// @param user the role
/// @param password its password
/// @param databases which databases the rule gives
public record PostgresLogin(String user, Secret password, Predicate<String> databases) {}
