package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.eetuning.serve.http.HttpSettings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Refuses requests that a page of another site makes a browser send. Such a page reaches a server
 * on loopback in two ways: by a host name of its own that it makes resolve to 127.0.0.1 (DNS
 * rebinding), which {@code Host} shows, and by a request across sites, which {@code Origin} shows.
 *
 * <p>Checked where the server listens on loopback, and where names are given. An address in {@code
 * Host} is always right, since no name was resolved. {@code Origin} must have the authority of
 * {@code Host}, or a name that was given: a proxy may have replaced {@code Host}.
 */
final class HostCheck {
  private static final Pattern AUTHORITY = Pattern.compile("(\\[[^\\]]*\\]|[^:\\[\\]]+)(:[0-9]*)?");
  private static final Pattern ORIGIN = Pattern.compile("[a-z][a-z0-9+.-]*://(.+)");

  private final boolean active;
  private final String listening;

  /** Those that were given, in lower case. */
  private final Set<String> names;

  private HostCheck(boolean active, String listening, Set<String> names) {
    this.active = active;
    this.listening = listening;
    this.names = names;
  }

  /** The check of a server that listens where the settings say. */
  static HostCheck of(HttpSettings settings) {
    InetAddress address = new InetSocketAddress(settings.host(), 0).getAddress();
    boolean loopback = address != null && address.isLoopbackAddress();
    return new HostCheck(
        loopback || !settings.allowedHosts().isEmpty(),
        settings.host().toLowerCase(Locale.ROOT),
        settings.allowedHosts().stream()
            .map(name -> name.toLowerCase(Locale.ROOT))
            .collect(Collectors.toUnmodifiableSet()));
  }

  /**
   * Refuses a request for another host, or from another site.
   *
   * @throws ApiError with status 403
   */
  void check(HttpExchange exchange) {
    if (!active) {
      return;
    }
    String host = exchange.header("Host").orElse("").toLowerCase(Locale.ROOT);
    if (!host.isEmpty() && !isOurs(name(host))) { // every browser sends it
      throw refused("Host", host);
    }
    exchange
        .header("Origin")
        .map(origin -> origin.toLowerCase(Locale.ROOT))
        .filter(origin -> !isOurs(origin, host))
        .ifPresent(
            origin -> {
              throw refused("Origin", origin);
            });
  }

  private boolean isOurs(String origin, String host) {
    Matcher parts = ORIGIN.matcher(origin);
    return parts.matches() && (parts.group(1).equals(host) || names.contains(name(parts.group(1))));
  }

  private boolean isOurs(String name) {
    return name.equals("localhost")
        || name.endsWith(".localhost") // resolved to loopback by every browser
        || name.equals(listening)
        || names.contains(name)
        || isAddress(name);
  }

  /** The host of an authority, without brackets; empty where it is none. */
  private static String name(String authority) {
    Matcher parts = AUTHORITY.matcher(authority);
    return parts.matches() ? parts.group(1).replaceAll("[\\[\\]]|\\.$", "") : "";
  }

  private static boolean isAddress(String name) {
    try {
      InetAddress.ofLiteral(name);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static ApiError refused(String header, String value) {
    return ApiError.of(
        403,
        "host_not_allowed",
        "%s is '%s', which is not a name of this server; if it should be, start the server with --allowed-host NAME"
            .formatted(header, value));
  }
}
