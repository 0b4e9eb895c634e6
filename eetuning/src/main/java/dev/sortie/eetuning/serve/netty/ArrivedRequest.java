package dev.sortie.eetuning.serve.netty;

import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;

/**
 * A request that has arrived completely.
 *
 * @param head request line and headers
 * @param path without the query, decoded; of a URL that is whole, as proxies get it, its path
 * @param body all of it
 */
record ArrivedRequest(HttpRequest head, String path, byte[] body) {
  ArrivedRequest(HttpRequest head, byte[] body) {
    this(head, new QueryStringDecoder(relative(head.uri())).path(), body);
  }

  private static String relative(String uri) {
    int scheme = uri.indexOf("://");
    if (uri.startsWith("/") || scheme < 0) {
      return uri;
    }
    int path = uri.indexOf('/', scheme + "://".length());
    return path < 0 ? "/" : uri.substring(path);
  }
}
