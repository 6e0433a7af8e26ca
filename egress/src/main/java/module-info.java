import org.jspecify.annotations.NullMarked;

/// The door: nothing leaves a sandbox unless a rule says so.
@NullMarked
module dev.glovebox.egress {
    requires static transitive org.jspecify;
    requires dev.glovebox.linux;
    requires transitive dev.glovebox.protocol;
    requires java.net.http;
    requires tools.jackson.databind;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.codec.http2;
    requires io.netty.codec.dns;
    requires io.netty.codec.socks;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.handler.proxy;
    requires io.netty.resolver;
    requires io.netty.resolver.dns;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.unix.common;
    requires org.apache.sshd.osgi;
    requires org.bouncycastle.pkix;
    requires org.bouncycastle.provider;
    requires org.slf4j;

    exports dev.glovebox.egress;
    exports dev.glovebox.egress.ask;
    exports dev.glovebox.egress.audit;
    exports dev.glovebox.egress.lookup;
    exports dev.glovebox.egress.onward;
    exports dev.glovebox.egress.tls;
}
