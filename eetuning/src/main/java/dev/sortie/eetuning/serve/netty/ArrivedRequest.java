package dev.sortie.eetuning.serve.netty;

import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;

/**
 * A request that has arrived completely.
 *
 * @param head request line and headers
 * @param path without the query, decoded
 * @param body all of it
 */
record ArrivedRequest(HttpRequest head, String path, byte[] body) {
  ArrivedRequest(HttpRequest head, byte[] body) {
    this(head, new QueryStringDecoder(head.uri()).path(), body);
  }
}
