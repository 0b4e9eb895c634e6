package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** What an answer that is no success means, and what the user can do. */
final class HubRefusal {
  private final HubSettings settings;
  private final RepoId repo;
  private final String revision;

  HubRefusal(HubSettings settings, RepoId repo, String revision) {
    this.settings = settings;
    this.repo = repo;
    this.revision = revision;
  }

  /**
   * Fails unless the answer is a success.
   *
   * @param what was asked for
   * @throws TransientException if a second try may help
   * @throws InputException if none will
   */
  void check(HubAnswer answer, String what) throws TransientException {
    if (answer.isSuccess()) {
      return;
    }
    answer.close();
    int status = answer.status();
    if (status == 408 || status == 429 || status >= 500) {
      throw new TransientException(
          "%s answers %d%s".formatted(answer.uri().getHost(), status, said(answer)),
          answer.header("retry-after").flatMap(HubRefusal::retryAfter),
          null);
    }
    String code = answer.firstHeader("x-error-code").orElse("");
    throw new InputException(
        switch (status) {
          case 401 -> unauthorised();
          case 403 -> code.equals("GatedRepo") ? gated() : forbidden(answer, what);
          case 404 -> missing(code, what);
          default ->
              "%s: %s answers %d%s; check HF_ENDPOINT"
                  .formatted(what, HubClient.plain(answer.uri()), status, said(answer));
        });
  }

  /** The hub answers 401 also for a repository that does not exist. */
  private String unauthorised() {
    return settings
        .token()
        .map(
            t ->
                "%s: the hub refuses the token from %s, or there is no such repository; check the name, or set HF_TOKEN to a token that may read it"
                    .formatted(repo, t.origin()))
        .orElseGet(
            () ->
                "%s: is private, gated or does not exist; check the name, or set HF_TOKEN (or write a token to %s)"
                    .formatted(repo, settings.tokenFile()));
  }

  private String gated() {
    return "%s: is gated; accept its terms at %s/%s, then pull with a token of that account in HF_TOKEN"
        .formatted(repo, settings.endpoint(), repo);
  }

  private String forbidden(HubAnswer answer, String what) {
    return "%s: access is refused%s; %s"
        .formatted(
            what,
            said(answer),
            settings
                .token()
                .map(t -> "the token from " + t.origin() + " may not read it")
                .orElse("set HF_TOKEN to a token that may read it"));
  }

  private String missing(String code, String what) {
    return switch (code) {
      case "RepoNotFound" ->
          "%s: the hub at %s has no such repository; check the name"
              .formatted(repo, settings.endpoint());
      case "RevisionNotFound" ->
          "%s: has no revision %s; check --revision".formatted(repo, Printable.value(revision));
      default ->
          "%s: not found at %s; check the name and the revision %s"
              .formatted(what, settings.endpoint(), Printable.value(revision));
    };
  }

  private static String said(HubAnswer answer) {
    return answer
        .firstHeader("x-error-message")
        .map(m -> " (" + Printable.line(m) + ")")
        .orElse("");
  }

  /** RFC 9110 10.2.3: seconds, or a date. */
  private static Optional<Duration> retryAfter(String value) {
    String text = value.strip();
    if (text.matches("\\d{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Duration left =
          Duration.between(
              Instant.now(),
              ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
      return Optional.of(left.isNegative() ? Duration.ZERO : left);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
