package dev.sortie.eetuning.serve.netty;

import dev.sortie.eetuning.serve.http.HttpHandler;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.HttpServer;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.nn.InputException;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;

/** A server on Netty's NIO transport, with one event loop: it moves bytes, and computes nothing. */
public final class NettyServer implements HttpServer {
  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("http"), NioIoHandler.newFactory());
  private final ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final InFlight inFlight = new InFlight();
  private final Channel listening;

  private NettyServer(HttpSettings settings, HttpHandler handler) {
    Optional<SslContext> tls = settings.tls().map(identity -> context(identity.keys()));
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loop)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 256)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    connect(channel, settings.limits(), handler, tls);
                  }
                });
    ChannelFuture bound = bootstrap.bind(new InetSocketAddress(settings.host(), settings.port()));
    bound.awaitUninterruptibly();
    if (!bound.isSuccess()) {
      close();
      throw new InputException(
          "cannot listen on %s port %d: %s; take another --host or --port"
              .formatted(settings.host(), settings.port(), reason(bound.cause())),
          bound.cause());
    }
    this.listening = bound.channel();
  }

  private static String reason(Throwable cause) {
    return cause instanceof UnresolvedAddressException // which has no message
        ? "no address is known for this name"
        : cause.getMessage();
  }

  /**
   * Listens.
   *
   * @throws InputException if the address cannot be had
   */
  public static NettyServer start(HttpSettings settings, HttpHandler handler) {
    return new NettyServer(settings, handler);
  }

  private static SslContext context(KeyManagerFactory keys) {
    try {
      return SslContextBuilder.forServer(keys).sslProvider(SslProvider.JDK).build();
    } catch (SSLException e) {
      throw new InputException("TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  private void connect(
      SocketChannel channel, HttpLimits limits, HttpHandler handler, Optional<SslContext> tls) {
    if (open.size() >= limits.connections()) {
      channel.close();
      return;
    }
    open.add(channel);
    tls.ifPresent(context -> channel.pipeline().addLast(context.newHandler(channel.alloc())));
    HttpDecoderConfig config =
        new HttpDecoderConfig()
            .setMaxInitialLineLength(limits.headerBytes())
            .setMaxHeaderSize(limits.headerBytes());
    ClientConnection connection = new ClientConnection(limits, handler, inFlight);
    channel.pipeline().addLast(connection, new HttpServerCodec(config), connection.reader());
  }

  @Override
  public int port() {
    return ((InetSocketAddress) listening.localAddress()).getPort();
  }

  @Override
  public int connections() {
    return open.size();
  }

  @Override
  public boolean drain(Duration most) {
    inFlight.drain();
    listening.close().awaitUninterruptibly();
    open.forEach(
        channel -> channel.pipeline().fireUserEventTriggered(ClientConnection.Order.DRAIN));
    try {
      return inFlight.await(most);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public void close() {
    open.close().awaitUninterruptibly(5, TimeUnit.SECONDS);
    try {
      inFlight.await(Duration.ofSeconds(5)); // handlers learn that their clients are gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
  }
}
