package dev.sortie.eetuning.serve.netty;

import dev.sortie.eetuning.serve.http.HttpExchange;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A request on a connection of Netty. Its state is guarded by its own lock. */
final class NettyExchange implements HttpExchange {
  /** The header with the name of a request. */
  static final String ID = "X-Request-Id";

  private final String id = newId();
  private final Channel channel;
  private final ArrivedRequest request;
  private final long writeNanos;
  private final InFlight inFlight;
  private final List<Runnable> whenGone = new ArrayList<>();
  private int status;
  private boolean keepAlive;
  private boolean complete;
  private boolean gone;

  /**
   * @param inFlight counts it until it is sent
   */
  NettyExchange(Channel channel, ArrivedRequest request, int writeSeconds, InFlight inFlight) {
    this.channel = channel;
    this.request = request;
    this.writeNanos = TimeUnit.SECONDS.toNanos(writeSeconds);
    this.inFlight = inFlight;
  }

  /** A name that no other request has. */
  static String newId() {
    return UUID.randomUUID().toString();
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public String method() {
    return request.head().method().name();
  }

  @Override
  public String path() {
    return request.path();
  }

  @Override
  public Optional<String> header(String name) {
    return Optional.ofNullable(request.head().headers().get(name));
  }

  @Override
  public byte[] body() {
    return request.body();
  }

  @Override
  public String peer() {
    return peer(channel);
  }

  /** The address at the other end of a connection. */
  static String peer(Channel channel) {
    return channel.remoteAddress() instanceof InetSocketAddress a
        ? a.getAddress().getHostAddress()
        : String.valueOf(channel.remoteAddress());
  }

  @Override
  public synchronized boolean isGone() {
    return gone;
  }

  @Override
  public void whenGone(Runnable action) {
    synchronized (this) {
      if (complete) {
        return;
      }
      if (!gone) {
        whenGone.add(action);
        return;
      }
    }
    action.run();
  }

  /** The connection is closed; called in its event loop. */
  void leave() {
    List<Runnable> actions;
    synchronized (this) {
      if (complete) {
        return; // nothing is missing
      }
      gone = true;
      actions = List.copyOf(whenGone);
      whenGone.clear();
      notifyAll();
    }
    actions.forEach(Runnable::run);
  }

  /** The connection takes more bytes again; called in its event loop. */
  synchronized void writable() {
    notifyAll();
  }

  @Override
  public void respond(int code, Map<String, String> headers, byte[] body) {
    begun(code, true);
    DefaultFullHttpResponse response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(code), Unpooled.wrappedBuffer(body));
    fill(response, headers);
    if (code != HttpResponseStatus.NOT_MODIFIED.code()) { // it has no body, whatever its length
      response.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
    }
    completed();
    finish(channel.writeAndFlush(response));
  }

  @Override
  public void begin(int code, Map<String, String> headers) {
    boolean chunked = request.head().protocolVersion().isKeepAliveDefault(); // since HTTP/1.1
    begun(code, chunked); // else the end of the connection is the end of the body
    HttpResponse response =
        new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(code));
    fill(response, headers);
    HttpUtil.setTransferEncodingChunked(response, chunked);
    channel.writeAndFlush(response);
  }

  private synchronized void begun(int code, boolean mayGoOn) {
    if (status != 0) {
      throw new IllegalStateException("the answer " + status + " was begun before");
    }
    status = code;
    keepAlive = mayGoOn && HttpUtil.isKeepAlive(request.head()) && !inFlight.isDraining();
  }

  private void fill(HttpResponse response, Map<String, String> headers) {
    headers.forEach((name, value) -> response.headers().set(name, value));
    response.headers().set(ID, id);
    response.headers().set("X-Content-Type-Options", "nosniff");
    if (!keepsAlive()) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    } else if (!request.head().protocolVersion().isKeepAliveDefault()) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
    }
  }

  @Override
  public boolean write(byte[] piece) {
    if (isGone()) {
      return false;
    }
    channel.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(piece)));
    return awaitRoom();
  }

  /** Waits until the client has read so much that little is buffered here. */
  private boolean awaitRoom() {
    long deadline = System.nanoTime() + writeNanos;
    synchronized (this) {
      while (!gone && !channel.isWritable()) {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0) {
          channel.close();
          return false;
        }
        try {
          wait(left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          channel.close();
          return false;
        }
      }
      return !gone;
    }
  }

  @Override
  public void end() {
    completed();
    finish(channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT));
  }

  /** Before the last bytes are sent: a client that has got them may close at once. */
  private synchronized void completed() {
    complete = true;
    whenGone.clear();
  }

  private void finish(ChannelFuture sent) {
    if (!keepsAlive()) {
      sent.addListener(ChannelFutureListener.CLOSE);
    }
    // who does not read the end of his answer is not waited for
    var late =
        channel.eventLoop().schedule(() -> channel.close(), writeNanos, TimeUnit.NANOSECONDS);
    sent.addListener(
        _ -> {
          late.cancel(false);
          inFlight.end();
        });
  }

  /** Breaks the connection: the answer was begun and cannot be ended. */
  void abort() {
    synchronized (this) {
      complete = true;
      keepAlive = false;
      whenGone.clear();
    }
    channel.close();
    inFlight.end();
  }

  /** Whether the connection may serve another request; known once the answer was begun. */
  synchronized boolean keepsAlive() {
    return keepAlive;
  }

  /** Whether the answer was ended. */
  synchronized boolean isComplete() {
    return complete;
  }

  @Override
  public synchronized int status() {
    return status;
  }
}
