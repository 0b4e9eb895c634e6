package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The page in a browser: what a reader sees and can do with it. Keys are pressed, and the pointer
 * is never used. Screenshots are in {@code target/page}.
 */
@Tag("any-kernels")
@Tag("slow")
@EnabledIf(
    value = "dev.sortie.tests.Chromium#isThere",
    disabledReason = "no browser: apt-get install chromium, or SORTIE_CHROMIUM=PROGRAM")
class PageBrowserTest {
  private static final Path SHOTS = Path.of("target", "page");
  private static final String PROMPT = "Once upon a time";
  private static final String ENDED = "document.getElementById('stop').hidden";
  private static final int LAYERS = 12;

  @TempDir private static Path folder;

  private static ServedFable served;
  private static Chromium browser;

  private BrowserTab tab;

  @BeforeAll
  static void start() throws InterruptedException {
    browser = new Chromium(folder);
    served = ServedFable.withExits(3, 6, 9);
  }

  @AfterAll
  static void stop() {
    browser.close();
    served.close();
  }

  @BeforeEach
  void open() {
    tab = browser.open();
    tab.window(1280, 800, false);
    load();
  }

  private void load() {
    tab.go(served.url() + "/");
    tab.await("document.activeElement?.id === 'message'");
  }

  /** Whatever a test does. */
  @AfterEach
  void nothingCameFromElsewhereAndNothingWasWrong() {
    assertThat(tab.requested())
        .isNotEmpty()
        .allMatch(url -> url.startsWith(served.url() + "/") || url.startsWith("data:"));
    assertThat(tab.complaints()).isEmpty();
  }

  private void ask(String prompt) {
    tab.await("document.activeElement.id === 'message'");
    tab.type(prompt);
    tab.press("Enter");
    tab.await("document.querySelector('.turn') !== null");
  }

  private void askAndWait(String prompt) {
    ask(prompt);
    tab.await(ENDED);
  }

  /** Moves the focus there by Tab. */
  private void tabTo(String id) {
    for (int i = 0; !tab.value("document.activeElement.id").equals(id); i++) {
      assertThat(i).as("Tab leads to " + id).isLessThan(30);
      tab.press("Tab");
    }
  }

  /** Chooses by the arrow keys, from the first of the three. */
  private void choose(String strategy) {
    String chosen = "document.querySelector('input[name=strategy]:checked').value";
    for (int i = 0; !"radio".equals(tab.value("document.activeElement.type")); i++) {
      assertThat(i).as("Tab leads to the strategies").isLessThan(30);
      tab.press("Tab");
    }
    for (int i = 0; i < 3 && !tab.value(chosen).equals(strategy); i++) {
      tab.press("ArrowDown");
    }
    assertThat(tab.value(chosen)).isEqualTo(strategy);
  }

  private void threshold(String key) {
    tabTo("threshold");
    tab.press(key);
    tabTo("message");
  }

  private double metric(String name) {
    return ((String) tab.value("fetch('metrics').then(answer => answer.text())"))
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
        .findFirst()
        .orElse(0);
  }

  /** Lets the engine take its time for each round, so that an answer can be watched. */
  private record Brake(Thread thread) implements AutoCloseable {
    static Brake on() {
      return new Brake(
          Thread.startVirtualThread(
              () -> {
                try {
                  while (true) {
                    served.engine().compute(Brake::nap);
                  }
                } catch (InterruptedException
                    | CancellationException
                    | RejectedExecutionException e) {
                  Thread.currentThread().interrupt();
                }
              }));
    }

    private static boolean nap() {
      LockSupport.parkNanos(40_000_000);
      return true;
    }

    @Override
    public void close() {
      thread.interrupt();
    }
  }

  @Test
  void anAnswerComesTokenByToken() {
    List<Integer> counts = new ArrayList<>();
    try (Brake _ = Brake.on()) {
      ask(PROMPT);
      for (int i = 1; i <= 3; i++) {
        // several may come between two looks at the page
        int seen = counts.isEmpty() ? 0 : counts.getLast();
        tab.await("document.querySelectorAll('.speaking .tok').length > " + Math.max(5 * i, seen));
        counts.add(tab.count(".tok"));
        tab.await("Number(document.getElementById('speed').textContent) > 0");
        assertThat(tab.value("document.getElementById('send').hidden")).isEqualTo(true);
      }
    }
    tab.await(ENDED);
    assertThat(counts).isSorted().doesNotHaveDuplicates();
    assertThat(tab.count(".tok")).isGreaterThan(counts.getLast());
    assertThat(tab.count(".speaking")).isZero();
    assertThat(tab.text(".tokens"))
        .isEqualTo(
            tab.value(
                """
                fetch('v1/completions', {method: 'POST', body: JSON.stringify({
                  prompt: '%s', temperature: 0, max_tokens: 64,
                  sortie: {strategy: 'early-exit', threshold: 0.8}})})
                .then(answer => answer.json()).then(json => json.choices[0].text)"""
                    .formatted(PROMPT)));
    assertThat(tab.text("#status")).isEqualTo(tab.text(".tokens"));
  }

  /** The first token asks no exit; and after 15 deficit tokens, one goes to full depth. */
  @Test
  void theThresholdChoosesTheExits() {
    threshold("Home");
    assertThat(tab.text("#threshold-value")).isEqualTo("0.00");
    askAndWait(PROMPT);
    int all = tab.count(".tok");
    assertThat(all).isGreaterThan(5);
    int deep = 1 + (all - 1) / 16;
    assertThat(tab.count(".tok.final")).isEqualTo(deep);
    assertThat(tab.count(".tok[style=\"--level: 0;\"]")).isEqualTo(all - deep);
    assertThat(tab.text(".answer h3")).contains("Early exit at 0.00", all + " tokens");
    threshold("End");
    assertThat(tab.text("#threshold-value")).isEqualTo("1.00");
    askAndWait(PROMPT);
    String second = ".turn:last-child ";
    assertThat(tab.count(second + ".tok")).isGreaterThan(5);
    assertThat(tab.count(second + ".tok:not(.final)")).isZero();
    assertThat(tab.text("#depth")).isEqualTo(LAYERS + ".0");
    assertThat(tab.text("#histogram li:last-child .value")).contains("100");
  }

  @Test
  void theStrategyTakesEffectAtTheNextMessage() {
    threshold("Home");
    choose("full");
    assertThat(tab.value("document.getElementById('threshold').disabled")).isEqualTo(true);
    tabTo("message");
    askAndWait(PROMPT);
    assertThat(tab.text(".answer h3")).startsWith("Full depth");
    assertThat(tab.count(".tok:not(.final)")).isZero();
    choose("early-exit");
    tabTo("message");
    askAndWait(PROMPT);
    assertThat(tab.text(".turn:last-child h3")).startsWith("Early exit at 0.00");
    assertThat(tab.count(".turn:last-child .tok:not(.final)")).isPositive();
  }

  @Test
  void fullDepthAndEarlyExitStandSideBySide() {
    threshold("Home");
    choose("compare");
    tabTo("message");
    askAndWait(PROMPT);
    assertThat(tab.count(".answer")).isEqualTo(2);
    assertThat(tab.text(".answer:first-child h3")).startsWith("Full depth");
    assertThat(tab.text(".answer:last-child h3")).startsWith("Early exit");
    String left = "document.querySelector('.answer:first-child').getBoundingClientRect()";
    String right = "document.querySelector('.answer:last-child').getBoundingClientRect()";
    assertThat(tab.value(left + ".right < " + right + ".left")).isEqualTo(true);
    assertThat(number(left + ".top")).isCloseTo(number(right + ".top"), within(1.0));
    int same = tab.count(".answer:first-child .tok:not(.differs)");
    assertThat(tab.count(".answer:last-child .tok:not(.differs)")).isEqualTo(same);
    assertThat(tab.text(".answer:first-child .note")).startsWith(same + " of ");
    assertThat(tab.text(".answer:last-child .note")).startsWith(same + " of ");
  }

  /** As after a reload, for which the page keeps its conversation when it is left. */
  @ParameterizedTest
  @CsvSource({"failed, No answer: gone", "stopped, ''"})
  void anAnswerThatDidNotEndIsNotCompared(String finish, String note) {
    choose("compare");
    tabTo("message");
    askAndWait(PROMPT);
    tab.value(
        """
        addEventListener('pagehide', () => {
          const turns = JSON.parse(sessionStorage.getItem('sortie.conversation'));
          Object.assign(turns[0].answers[1], {finish: '%s', error: '%s' || undefined});
          sessionStorage.setItem('sortie.conversation', JSON.stringify(turns));
        })"""
            .formatted(finish, note));
    tab.reload();
    tab.await("document.querySelectorAll('.answer').length === 2");
    assertThat(tab.count(".answer:last-child .tok")).isPositive();
    assertThat(tab.text(".answer:last-child .note")).isEqualTo(note);
    assertThat(tab.text(".answer:first-child .note")).isEmpty();
    assertThat(tab.count(".differs")).isZero();
  }

  @Test
  void theEndOfAnAnswerLeavesTheFocusWhereTheReaderPutIt() {
    try (Brake _ = Brake.on()) {
      ask(PROMPT);
      tab.await("document.querySelectorAll('.speaking .tok').length > 2");
      tabTo("threshold");
    }
    tab.await(ENDED);
    assertThat(tab.value("document.activeElement.id")).isEqualTo("threshold");
    tabTo("message");
    try (Brake _ = Brake.on()) {
      ask(PROMPT);
      tab.await("document.querySelectorAll('.speaking .tok').length > 2");
      tabTo("stop");
      tab.press("Enter");
    }
    tab.await(ENDED);
    assertThat(tab.value("document.activeElement.id")).isEqualTo("message");
  }

  private double number(String expression) {
    return ((Number) tab.value(expression)).doubleValue();
  }

  @Test
  void stopEndsAnAnswerAndFreesItsPlace() throws InterruptedException {
    String name = "sortie_texts_total{finish=\"cancelled\"}";
    double before = metric(name);
    try (Brake _ = Brake.on()) {
      ask(PROMPT);
      tab.await("document.querySelectorAll('.speaking .tok').length > 2");
      assertThat(metric("sortie_texts_running")).isEqualTo(1);
      tab.press("Escape");
      tab.await(ENDED);
      awaitNoText();
    }
    assertThat(metric(name)).isEqualTo(before + 1);
    assertThat(metric("sortie_kv_pages_free")).isEqualTo(metric("sortie_kv_pages"));
    assertThat(tab.text(".answer h3")).contains(" · stopped");
    askAndWait(PROMPT);
    assertThat(tab.text(".turn:last-child h3")).doesNotContain("stopped");
  }

  private void awaitNoText() throws InterruptedException {
    long deadline = System.nanoTime() + 1_000_000_000L;
    while (metric("sortie_texts_running") > 0) {
      assertThat(System.nanoTime()).as("within a second").isLessThan(deadline);
      Thread.sleep(10);
    }
  }

  /** Without the switch nothing is sent before Enter. */
  @Test
  void aMessageIsReadWhileItIsTypedIfTheSwitchIsOn() throws InterruptedException {
    String message =
        "There was once a hen who had a daughter and a fox in the forest and ".repeat(6).strip();
    String read = "sortie_texts_total{finish=\"length\"}";
    String found = "sortie_prompt_tokens_found_total";
    double before = metric("sortie_prompt_tokens_total");
    tab.type(message);
    Thread.sleep(600); // twice the pause after which it would be sent
    assertThat(metric("sortie_prompt_tokens_total")).isEqualTo(before);
    tabTo("live");
    tab.press(" ");
    assertThat(tab.value("document.getElementById('live').checked")).isEqualTo(true);
    tabTo("message");
    double reads = metric(read);
    tab.press("s");
    for (int i = 0; metric(read) == reads; i++) {
      assertThat(i).as("the message is read").isLessThan(300);
      Thread.sleep(20);
    }
    double cached = metric(found);
    tab.press("Enter");
    tab.await("document.querySelector('.turn') !== null && " + ENDED);
    assertThat(metric(found)).isGreaterThanOrEqualTo(cached + 64);
    assertThat(tab.text(".prompt")).isEqualTo(message + "s");
    tab.reload();
    tab.await("document.getElementById('live').checked");
  }

  @Test
  void aReloadInTheMiddleLeavesAUsablePage() throws InterruptedException {
    threshold("Home");
    askAndWait(PROMPT);
    String first = tab.text(".tokens");
    try (Brake _ = Brake.on()) {
      ask(PROMPT);
      tab.await("document.querySelectorAll('.speaking .tok').length > 2");
      tab.reload();
      awaitNoText();
    }
    tab.await("document.querySelectorAll('.turn').length === 2");
    tab.await("document.activeElement?.id === 'message'");
    assertThat(tab.text(".tokens")).isEqualTo(first);
    assertThat(tab.text(".turn:last-child h3")).contains(" · stopped");
    assertThat(tab.text(".turn:last-child .note")).isEmpty();
    assertThat(tab.text("#threshold-value")).isEqualTo("0.00");
    assertThat(tab.count(".speaking")).isZero();
    askAndWait(PROMPT);
    assertThat(tab.text(".turn:last-child .tokens")).isEqualTo(first);
  }

  @Test
  void theKeyboardAloneReachesEverything() {
    threshold("Home");
    askAndWait(PROMPT);
    tab.pressWithShift("Tab");
    assertThat(tab.value("document.activeElement.className")).isEqualTo("tokens");
    assertThat(tab.text("#token-text")).isEqualTo(shown(0));
    tab.press("ArrowRight", "ArrowRight", "ArrowRight");
    assertThat(tab.text("#token-text")).isEqualTo(shown(3));
    assertThat(tab.text("#token-facts")).contains("Exit", "Confidence", " %");
    assertThat(tab.count("#token-alternatives tbody tr")).isEqualTo(5);
    assertThat(tab.text("#token-alternatives th code")).isEqualTo(shown(3));
    assertThat(tab.text("#announcer")).contains(": layer 3 of 12, ", " %");
    tab.press("Enter");
    tab.await("document.querySelectorAll('#way .layers').length === 1");
    assertThat(tab.text("#way-title")).isEqualTo(shown(3));
    assertThat(tab.count("#way .layers th button")).isEqualTo(LAYERS);
    assertThat(tab.count("#way .likely")).isEqualTo(4);
    assertThat(tab.count("#way .kernels:not([hidden])")).isZero();
    for (int i = 0; i < 5 && tab.count("#way .layers button:focus") == 0; i++) {
      tab.press("Tab");
    }
    tab.press("Enter");
    assertThat(tab.count("#way .kernels:not([hidden]) tbody tr")).isGreaterThan(5);
    tab.press("Escape");
    assertThat(tab.value("document.getElementById('way').open")).isEqualTo(false);
    assertThat(tab.value("document.activeElement.className")).isEqualTo("tokens");
    for (String id :
        List.of("message", "threshold", "temperature", "longest", "live", "token-explain")) {
      tabTo(id);
      assertThat(tab.value("getComputedStyle(document.activeElement).outlineStyle"))
          .as("the focus on " + id + " shows")
          .isEqualTo("solid");
    }
    tab.press("Enter");
    tab.await("document.querySelectorAll('#way .layers').length === 1");
    tab.press("Escape");
    tabTo("new");
    tab.press("Enter");
    assertThat(tab.count(".turn")).isZero();
    assertThat(tab.value("document.activeElement.id")).isEqualTo("message");
  }

  /** A token's text with signs for what has no shape. */
  private String shown(int token) {
    String text =
        (String) tab.value("document.querySelectorAll('.tok')[" + token + "].textContent");
    return text.replace(' ', '␣').replace('\n', '↵');
  }

  @Test
  void aNameThatWasMadeToResolveHereGetsNoPage() {
    tab.go(served.url().replace("127.0.0.1", Chromium.REBOUND) + "/");
    assertThat(tab.text("body")).contains("host_not_allowed", Chromium.REBOUND);
    open(); // one without complaints
  }

  /** What the other tests rely on: the policy holds in a browser, and a breach is seen. */
  @Test
  void thePolicyKeepsOtherHostsOut() {
    BrowserTab page = tab;
    Object refused =
        page.value("fetch('http://localhost:1/').then(() => 'sent', error => error.name)");
    assertThat(refused).isEqualTo("TypeError");
    assertThat(page.complaints()).anyMatch(text -> text.contains("Content Security Policy"));
    open(); // one without complaints
  }

  @ParameterizedTest
  @CsvSource({"1280, 800", "390, 844"})
  void itFitsTheWindow(int width, int height) {
    boolean phone = width < 600;
    tab.window(width, height, phone);
    load();
    look(width, "empty");
    tab.value("document.getElementById('settings').open = true");
    choose("compare");
    tabTo("threshold");
    tab.press("Home");
    for (int i = 0; i < 30; i++) {
      tab.press("ArrowRight");
    }
    look(width, "settings");
    tab.value("document.getElementById('settings').open = " + !phone);
    tab.value("document.getElementById('message').focus()");
    askAndWait(PROMPT);
    assertThat(
            tab.value(
                "(log => log.scrollHeight - log.scrollTop - log.clientHeight < 2)(document.getElementById('log'))"))
        .as("the end of the answer is in view")
        .isEqualTo(true);
    look(width, "answers");
    tab.pressWithShift("Tab");
    tab.press("ArrowRight", "ArrowRight", "ArrowDown");
    look(width, "token");
    if (!phone) {
      assertThat(
              tab.value(
                  "(side => side.scrollHeight <= side.clientHeight)(document.querySelector('.side'))"))
          .as("settings and token are in view together")
          .isEqualTo(true);
    }
    tab.press("Enter");
    tab.await("document.querySelectorAll('#way .layers').length === 1");
    tab.press("Tab", "Tab", "Enter");
    look(width, "way");
  }

  /** In both colours. Nothing is wider than its place but tables of kernels, which can scroll. */
  private void look(int width, String name) {
    for (String scheme : List.of("light", "dark")) {
      tab.colours(scheme);
      tab.screenshot(SHOTS.resolve("%d-%s-%s.png".formatted(width, scheme, name)));
      double ink = number("Number(getComputedStyle(document.body).color.match(/[0-9]+/)[0])");
      double paper =
          number("Number(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0])");
      assertThat(ink < paper).as(scheme).isEqualTo(scheme.equals("light"));
      assertThat(Math.abs(ink - paper)).as(scheme).isGreaterThan(180);
    }
    assertThat(number("document.documentElement.scrollWidth")).as(name).isEqualTo(width);
    assertThat(
            tab.value(
                """
                [...document.querySelectorAll('body > *, .side > *, .turn, .answer, #way .scroll, .layers')]
                  .filter(e => e.offsetParent !== null && e.clientWidth > 1 && e.scrollWidth > e.clientWidth)
                  .map(e => e.tagName + '#' + e.id + '.' + e.className + ' ' + e.scrollWidth + ' > ' + e.clientWidth)
                  .join(', ')"""))
        .as(name)
        .isEqualTo("");
  }
}
