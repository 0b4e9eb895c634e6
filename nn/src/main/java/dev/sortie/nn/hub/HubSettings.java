package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.CacheFolder;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where the hub is, who asks, and where its files are kept. The variables are those of the hub's
 * own Python library, so that both share one cache: {@code HF_ENDPOINT}, {@code HF_TOKEN}, {@code
 * HF_TOKEN_PATH}, {@code HF_HUB_CACHE}, {@code HF_HOME}, {@code XDG_CACHE_HOME} and {@code
 * HF_HUB_OFFLINE}.
 *
 * @param endpoint the hub, without a slash at its end
 * @param token sent to the endpoint's host alone
 * @param tokenFile where a token would be looked for
 * @param cache folder with a folder for each repository
 * @param offline whether the network must be left alone
 * @param retry how patient to be
 */
public record HubSettings(
    URI endpoint,
    Optional<HubToken> token,
    Path tokenFile,
    HubCache cache,
    boolean offline,
    RetryPolicy retry) {
  private static final String PUBLIC = "https://huggingface.co";
  private static final Set<String> YES = Set.of("1", "on", "yes", "true");

  /**
   * The settings of an environment.
   *
   * @param home the user's folder
   * @throws InputException if a variable is wrong
   */
  public static HubSettings of(Map<String, String> environment, Path home) {
    Path tokenFile =
        CacheFolder.named(environment, "HF_TOKEN_PATH", home)
            .orElseGet(() -> hubHome(environment, home).resolve("token"));
    return new HubSettings(
        endpoint("HF_ENDPOINT", given(environment, "HF_ENDPOINT").orElse(PUBLIC)),
        HubToken.find(environment, tokenFile),
        tokenFile,
        cache(environment, home),
        YES.contains(environment.getOrDefault("HF_HUB_OFFLINE", "").toLowerCase(Locale.ROOT)),
        RetryPolicy.DEFAULT);
  }

  /** The cache alone, for who only looks into it. */
  public static HubCache cache(Map<String, String> environment, Path home) {
    return new HubCache(
        CacheFolder.named(environment, "HF_HUB_CACHE", home)
            .or(() -> CacheFolder.named(environment, "HUGGINGFACE_HUB_CACHE", home))
            .orElseGet(() -> hubHome(environment, home).resolve("hub")));
  }

  /** The same with another hub. */
  public HubSettings withEndpoint(String url) {
    return new HubSettings(endpoint("the endpoint", url), token, tokenFile, cache, offline, retry);
  }

  /** The same with another cache. */
  public HubSettings withCache(Path folder) {
    return new HubSettings(endpoint, token, tokenFile, new HubCache(folder), offline, retry);
  }

  private static Path hubHome(Map<String, String> environment, Path home) {
    return CacheFolder.named(environment, "HF_HOME", home)
        .orElseGet(() -> CacheFolder.of("huggingface", environment, home));
  }

  private static Optional<String> given(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name)).filter(v -> !v.isBlank());
  }

  private static URI endpoint(String origin, String url) {
    try {
      URI uri = new URI(url.strip().replaceAll("/+$", ""));
      boolean web =
          "https".equalsIgnoreCase(uri.getScheme()) || "http".equalsIgnoreCase(uri.getScheme());
      if (web
          && uri.getHost() != null
          && uri.getRawUserInfo() == null
          && uri.getRawQuery() == null
          && uri.getRawFragment() == null) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // the same complaint as for a URL that is none of ours
    }
    throw new InputException(
        "%s is %s, expected a URL such as %s".formatted(origin, Printable.value(url), PUBLIC));
  }
}
