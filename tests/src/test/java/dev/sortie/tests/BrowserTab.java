package dev.sortie.tests;

import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** A page as its reader has it: keys, a window, colours; and what only a console would show. */
final class BrowserTab {
  private static final int PATIENCE_SECONDS = 30;
  private static final int SHIFT = 8;

  /** Codes and, where a key writes something, its text. */
  private static final Map<String, Key> KEYS =
      Map.of(
          "Tab", new Key(9, ""),
          "Enter", new Key(13, "\r"),
          "Escape", new Key(27, ""),
          " ", new Key(32, " "),
          "End", new Key(35, ""),
          "Home", new Key(36, ""),
          "ArrowLeft", new Key(37, ""),
          "ArrowUp", new Key(38, ""),
          "ArrowRight", new Key(39, ""),
          "ArrowDown", new Key(40, ""));

  private record Key(int code, String text) {}

  private final Chromium browser;
  private final String session;

  BrowserTab(Chromium browser, String session) {
    this.browser = browser;
    this.session = session;
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable");
    }
  }

  private JsonObject call(String method, Object... namesAndValues) {
    return browser.call(session, method, namesAndValues);
  }

  void go(String url) {
    load("Page.navigate", "url", url);
  }

  void reload() {
    load("Page.reload");
  }

  private void load(String method, Object... namesAndValues) {
    long before = loads();
    call(method, namesAndValues);
    await(() -> loads() > before, method);
  }

  private long loads() {
    return browser.events(session).stream()
        .filter(event -> event.getString("method").equals("Page.loadEventFired"))
        .count();
  }

  /** The value of an expression in the page, a promise's too. */
  Object value(String expression) {
    JsonObject answer =
        call(
            "Runtime.evaluate",
            "expression",
            expression,
            "returnByValue",
            true,
            "awaitPromise",
            true);
    if (answer.has("exceptionDetails")) {
      throw new IllegalStateException(expression + ": " + answer.getObject("exceptionDetails"));
    }
    return answer.getObject("result").fields().get("value");
  }

  String text(String selector) {
    return (String) value("document.querySelector('" + selector + "').textContent");
  }

  int count(String selector) {
    return ((Number) value("document.querySelectorAll('" + selector + "').length")).intValue();
  }

  /** Waits until an expression is true. */
  void await(String expression) {
    await(() -> Boolean.TRUE.equals(value(expression)), expression);
  }

  private void await(BooleanSupplier condition, String what) {
    long deadline = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(what + ", but: " + value("document.body.innerText"));
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Presses keys by their names. */
  void press(String... keys) {
    for (String key : keys) {
      press(key, 0);
    }
  }

  void pressWithShift(String key) {
    press(key, SHIFT);
  }

  private void press(String key, int modifiers) {
    Key known = KEYS.get(key);
    int code = known != null ? known.code : Character.toUpperCase(key.charAt(0));
    String text = known != null ? known.text : key;
    for (String type : List.of(text.isEmpty() ? "rawKeyDown" : "keyDown", "keyUp")) {
      call(
          "Input.dispatchKeyEvent",
          "type",
          type,
          "key",
          key,
          "windowsVirtualKeyCode",
          code,
          "modifiers",
          modifiers,
          "text",
          type.equals("keyDown") ? text : "");
    }
  }

  /** Types a text, key by key. */
  void type(String text) {
    text.chars().forEach(c -> press(String.valueOf((char) c)));
  }

  void window(int width, int height, boolean phone) {
    call(
        "Emulation.setDeviceMetricsOverride",
        "width",
        width,
        "height",
        height,
        "deviceScaleFactor",
        phone ? 2 : 1,
        "mobile",
        phone);
  }

  void colours(String scheme) {
    call(
        "Emulation.setEmulatedMedia",
        "features",
        List.of(Map.of("name", "prefers-color-scheme", "value", scheme)));
  }

  void screenshot(Path file) {
    String png = call("Page.captureScreenshot", "format", "png").getString("data");
    try {
      Files.createDirectories(file.getParent());
      Files.write(file, Base64.getDecoder().decode(png));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Addresses of all that was asked for. */
  List<String> requested() {
    return browser.events(session).stream()
        .filter(event -> event.getString("method").equals("Network.requestWillBeSent"))
        .map(event -> event.getObject("params").getObject("request").getString("url"))
        .toList();
  }

  /** Errors and warnings of the console, of the policy, and exceptions. */
  List<String> complaints() {
    value("0"); // events of before have come when its answer has
    return browser.events(session).stream()
        .filter(BrowserTab::isComplaint)
        .map(event -> event.getObject("params").toString())
        .toList();
  }

  private static boolean isComplaint(JsonObject event) {
    JsonObject params = event.getObject("params");
    return switch (event.getString("method")) {
      case "Runtime.exceptionThrown" -> true;
      case "Runtime.consoleAPICalled" -> !params.getString("type").equals("log");
      case "Log.entryAdded" -> !params.getObject("entry").getString("level").equals("verbose");
      default -> false;
    };
  }
}
