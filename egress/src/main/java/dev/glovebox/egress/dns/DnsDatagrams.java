package dev.glovebox.egress.dns;

import dev.glovebox.linux.net.Datagrams;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import java.net.Inet4Address;
import java.net.InetSocketAddress;

/// DNS over UDP: each datagram is answered from the address it was sent to, so that a client which
/// asked `8.8.8.8` hears `8.8.8.8`.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class DnsDatagrams extends SimpleChannelInboundHandler<DatagramPacket> {
    private final DnsAnswers answers;

    /// @param answers what to say
    public DnsDatagrams(DnsAnswers answers) {
        this.answers = answers;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, DatagramPacket packet) {
        answers.answer(ByteBufUtil.getBytes(packet.content()))
                .ifPresent(answer -> send(ctx, packet, answer));
    }

    private static void send(ChannelHandlerContext ctx, DatagramPacket packet, byte[] answer) {
        if (packet.recipient() != null
                && packet.recipient().getAddress() instanceof Inet4Address asked) {
            int fd = ((EpollDatagramChannel) ctx.channel()).fd().intValue();
            Datagrams.send(fd, answer, packet.sender(), asked);
        } else {
            InetSocketAddress sender = packet.sender();
            ctx.writeAndFlush(new DatagramPacket(Unpooled.wrappedBuffer(answer), sender));
        }
    }

    /// A datagram that could not be received or sent is a lost datagram.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.fireChannelReadComplete();
    }
}
