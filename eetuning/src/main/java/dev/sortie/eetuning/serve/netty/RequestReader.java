package dev.sortie.eetuning.serve.netty;

import dev.sortie.eetuning.serve.http.HttpHandler;
import dev.sortie.eetuning.serve.http.HttpLimits;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Collects the requests of one connection within limits and hands them on when they are complete.
 * What breaks a limit is refused after the answers to requests before it, and the connection ends.
 * All runs in the event loop of the connection.
 */
final class RequestReader extends SimpleChannelInboundHandler<HttpObject> {
  private static final int LINGER_MILLIS = 1000;
  private static final String IDENTITY = HttpHeaderValues.IDENTITY.toString();

  private final HttpLimits limits;
  private final HttpHandler handler;
  private final ClientConnection connection;
  private HttpRequest head;
  private ByteArrayOutputStream body;

  /** What the connection ends with; null while nothing was refused. */
  private FullHttpResponse refusal;

  /** Ends the connection where no request comes, or one does not end. */
  private Future<?> deadline;

  RequestReader(HttpLimits limits, HttpHandler handler, ClientConnection connection) {
    this.limits = limits;
    this.handler = handler;
    this.connection = connection;
  }

  /** Nothing is being read or answered from now on. */
  void idle(ChannelHandlerContext context) {
    expect(context, limits.idleSeconds(), context::close);
  }

  /** The first bytes of a request have come. */
  void arriving(ChannelHandlerContext context) {
    expect(
        context,
        limits.requestSeconds(),
        () ->
            refuse(
                context,
                408,
                "the request did not arrive within " + limits.requestSeconds() + " seconds"));
  }

  private void expect(ChannelHandlerContext context, int seconds, Runnable otherwise) {
    relax();
    deadline = context.executor().schedule(otherwise, seconds, TimeUnit.SECONDS);
  }

  /** No deadline holds. */
  void relax() {
    if (deadline != null) {
      deadline.cancel(false);
      deadline = null;
    }
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, HttpObject part) {
    if (hasRefused()) {
      return;
    }
    if (part.decoderResult().isFailure()) {
      malformed(context, part.decoderResult());
      return;
    }
    if (part instanceof HttpRequest request) {
      begin(context, request);
    }
    if (part instanceof HttpContent content && head != null && !hasRefused()) {
      add(context, content);
    }
  }

  private void begin(ChannelHandlerContext context, HttpRequest request) {
    head = request;
    body = new ByteArrayOutputStream();
    String coding = request.headers().get(HttpHeaderNames.CONTENT_ENCODING, IDENTITY);
    if (request.protocolVersion().equals(HttpVersion.HTTP_1_1)
        && !request.headers().contains(HttpHeaderNames.HOST)) {
      refuse(context, 400, "the request has no Host header, which HTTP/1.1 requires");
    } else if (!coding.equalsIgnoreCase(IDENTITY)) {
      refuse(context, 415, "the body is encoded as " + coding + "; send it plain");
    } else if (HttpUtil.getContentLength(request, 0L) > limits.bodyBytes()) {
      tooLarge(context);
    } else if (HttpUtil.is100ContinueExpected(request)) {
      context.writeAndFlush(
          new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
    }
  }

  private void add(ChannelHandlerContext context, HttpContent content) {
    int more = content.content().readableBytes();
    if (more > limits.bodyBytes() - body.size()) {
      tooLarge(context);
      return;
    }
    byte[] bytes = new byte[more];
    content.content().readBytes(bytes);
    body.writeBytes(bytes);
    if (content instanceof LastHttpContent) {
      relax();
      ArrivedRequest request;
      try {
        request = new ArrivedRequest(head, body.toByteArray());
      } catch (IllegalArgumentException e) {
        refuse(context, 400, "the path of the request is not encoded as URLs are");
        return;
      }
      head = null;
      body = null;
      if (!connection.take(request)) {
        refuse(context, 429, "too many requests at once on one connection; wait for answers");
      }
    }
  }

  private void malformed(ChannelHandlerContext context, DecoderResult result) {
    switch (result.cause()) {
      case TooLongHttpLineException _ ->
          refuse(context, 414, "the request line has more than %d bytes".formatted(most()));
      case TooLongHttpHeaderException _ ->
          refuse(context, 431, "the headers have more than %d bytes".formatted(most()));
      default -> refuse(context, 400, "the request is not HTTP/1.1");
    }
  }

  private int most() {
    return limits.headerBytes();
  }

  private void tooLarge(ChannelHandlerContext context) {
    refuse(context, 413, "the body has more than %d bytes".formatted(limits.bodyBytes()));
  }

  private void refuse(ChannelHandlerContext context, int status, String message) {
    relax();
    head = null;
    body = null;
    byte[] text = handler.refusal(status, message);
    refusal =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), Unpooled.wrappedBuffer(text));
    String id = NettyExchange.newId();
    handler.refused(id, NettyExchange.peer(context.channel()), status);
    refusal
        .headers()
        .set(HttpHeaderNames.CONTENT_TYPE, "application/json")
        .set(NettyExchange.ID, id)
        .setInt(HttpHeaderNames.CONTENT_LENGTH, text.length)
        .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    if (!connection.isAnswering()) {
      end(context);
    }
  }

  /** Whether something was refused, so that nothing behind it is read. */
  boolean hasRefused() {
    return refusal != null;
  }

  /** Tells what was refused, when all that came before it is answered. */
  void end(ChannelHandlerContext context) {
    context.channel().writeAndFlush(refusal); // through the codec, whose context this may not be
    // closed at once, the connection would be reset under a client that is still sending
    context.executor().schedule(() -> context.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** What the client sends wrongly, or a connection that breaks, is no event for a log. */
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close();
  }
}
