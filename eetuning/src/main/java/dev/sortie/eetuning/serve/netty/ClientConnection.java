package dev.sortie.eetuning.serve.netty;

import dev.sortie.eetuning.serve.http.HttpHandler;
import dev.sortie.eetuning.serve.http.HttpLimits;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;

/**
 * One connection: its requests are answered one after the other, each in a virtual thread, while
 * the event loop reads on and so sees the client leave. It stands before the HTTP codec in the
 * pipeline; all but the handler's work runs in the event loop.
 */
final class ClientConnection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = System.getLogger(ClientConnection.class.getName());

  /** Requests that may wait for the answers before them. */
  private static final int PIPELINED = 4;

  /** What a server asks its connections for. */
  enum Order {
    /** To end where nothing is being answered, else with the answer. */
    DRAIN
  }

  private final HttpLimits limits;
  private final HttpHandler handler;
  private final InFlight inFlight;
  private final RequestReader reader;
  private final Queue<ArrivedRequest> waiting = new ArrayDeque<>();
  private ChannelHandlerContext context;
  private NettyExchange active;

  /** Whether bytes have come since the last complete request. */
  private boolean arriving;

  ClientConnection(HttpLimits limits, HttpHandler handler, InFlight inFlight) {
    this.limits = limits;
    this.handler = handler;
    this.inFlight = inFlight;
    this.reader = new RequestReader(limits, handler, this);
  }

  RequestReader reader() {
    return reader;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
  }

  @Override
  public void channelActive(ChannelHandlerContext c) {
    reader.idle(context);
    c.fireChannelActive();
  }

  @Override
  public void channelRead(ChannelHandlerContext c, Object bytes) {
    if (reader.hasRefused()) { // read on to see the client leave
      ReferenceCountUtil.release(bytes);
      return;
    }
    if (!arriving) {
      arriving = true;
      if (active == null) {
        reader.arriving(context);
      }
    }
    c.fireChannelRead(bytes);
  }

  /**
   * Takes a complete request.
   *
   * @return false if too many wait
   */
  boolean take(ArrivedRequest request) {
    arriving = false;
    if (active != null) {
      return waiting.size() < PIPELINED && waiting.add(request);
    }
    answer(request);
    return true;
  }

  boolean isAnswering() {
    return active != null;
  }

  private void answer(ArrivedRequest request) {
    NettyExchange exchange =
        new NettyExchange(context.channel(), request, limits.writeSeconds(), inFlight);
    active = exchange;
    inFlight.begin();
    Thread.ofVirtual().name("http").start(() -> run(exchange));
  }

  private void run(NettyExchange exchange) {
    try {
      handler.handle(exchange);
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, "a request failed: " + exchange.method() + " " + exchange.path(), e);
    } finally {
      if (!exchange.isComplete()) {
        if (exchange.status() == 0) {
          exchange.respond(
              500,
              Map.of("Content-Type", "application/json"),
              handler.refusal(500, "internal error"));
        } else {
          exchange.abort();
        }
      }
      try {
        context.executor().execute(() -> answered(exchange));
      } catch (RejectedExecutionException e) {
        LOG.log(Level.DEBUG, "the server was closed before the end of an answer", e);
      }
    }
  }

  private void answered(NettyExchange exchange) {
    active = null;
    if (!exchange.keepsAlive()) {
      waiting.clear();
      return; // it closes with the end of the answer
    }
    ArrivedRequest next = waiting.poll();
    if (next != null) {
      answer(next);
    } else if (reader.hasRefused()) {
      reader.end(context);
    } else if (arriving) {
      reader.arriving(context);
    } else {
      reader.idle(context);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext c) {
    reader.relax();
    waiting.clear();
    if (active != null) {
      active.leave();
    }
    c.fireChannelInactive();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext c) {
    if (active != null && c.channel().isWritable()) {
      active.writable();
    }
    c.fireChannelWritabilityChanged();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext c, Object event) {
    if (event == Order.DRAIN && active == null && !arriving) {
      c.close();
    } else {
      c.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext c, Throwable cause) {
    c.close(); // a connection that breaks is no event for a log
  }
}
