import org.jspecify.annotations.NullMarked;

/// The desk: the control plane of Managed Agents, with REST and SSE in front, a queue for workers
/// beside, and one store behind.
@NullMarked
module dev.glovebox.server {
    requires static transitive org.jspecify;
    requires transitive dev.glovebox.protocol;
    requires com.zaxxer.hikari;
    requires flyway.core;
    requires io.helidon.http;
    requires io.helidon.webserver;
    requires java.sql;
    requires org.jdbi.v3.core;
    requires org.xerial.sqlitejdbc;

    exports dev.glovebox.server;
}
