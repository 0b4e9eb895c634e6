package dev.sortie.eetuning.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class CostMeterContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;

  @BeforeAll
  static void open() {
    device = Device.cpu(1);
    arena = new NativeArena("exits");
    model = LanguageModel.load(TinyModel.write(shared.resolve("model"), 1), Precision.F32, device);
  }

  @AfterAll
  static void close() {
    model.close();
    arena.close();
    device.close();
  }

  private static Exits exits(ExitArchitecture... byDepth) {
    List<Exit> list = new ArrayList<>();
    for (int i = 0; i < byDepth.length; i++) {
      list.add(
          ExitInit.COPY.build(
              new ExitSpec(i + 1, byDepth[i], false), model.decoder(), 1, arena, device.kernels()));
    }
    return new Exits("", Map.of(), list);
  }

  /** Ten million nanoseconds pass each time somebody looks. */
  private static final class Ticks {
    private long now;

    long look() {
      now += 10_000_000;
      return now;
    }
  }

  @Test
  void timesAreTakenBetweenLooksAtTheClock() {
    Exits exits = exits(ExitArchitecture.NORM, ExitArchitecture.LAYER);
    CostTable t = new CostMeter(new Ticks()::look, () -> 0).measure(model.decoder(), exits, device);
    // the clock is looked at three times among the three layers: before each exit and at the end
    assertThat(t.layer().at(1)).isEqualTo(0.01);
    assertThat(t.layer().at(16)).isEqualTo(0.01);
    assertThat(t.head().at(4)).isEqualTo(0.01);
    assertThat(t.attention().at(1)).isZero();
    // before the embedding's end and after the head
    assertThat(t.token()).isEqualTo(0.02);
    assertThat(t.depths()).containsExactly(1, 2);
    assertThat(t.exit(1).layer()).isEmpty();
    assertThat(t.exit(2).layer().orElseThrow().at(8)).isEqualTo(0.01);
    assertThat(t.exit(2).each()).isEqualTo(0.02);
  }

  @Test
  void shortContextsAreMeasuredWithFewerRows() {
    assertThat(CostMeter.rows(48)).containsExactly(1, 2, 4, 8, 16);
    assertThat(CostMeter.rows(9)).containsExactly(1, 2, 4);
    assertThat(CostMeter.rows(1)).containsExactly(1);
  }

  @Test
  void aTableReadAgainIsTheSame() {
    for (CostTable t :
        List.of(
            Tables.of(Tables.norm(4, 2), Tables.layer(7, 0.5)),
            Tables.withLookahead(Tables.norm(4, 2)))) {
      String text = Json.compact(CostJson.of(t));
      assertThat(CostJson.read(Json.parse("table", text, JsonLimits.CONFIG))).isEqualTo(t);
    }
  }

  @Test
  void aTableIsKeptForItsModelAndADamagedOneIsNotUsed() throws IOException {
    CostCache cache =
        new CostCache(temp.resolve("cache"), new CostMeter(new Ticks()::look, () -> 0));
    Exits exits = exits(ExitArchitecture.NORM);
    assertThat(cache.known(model.decoder(), exits, device)).isEmpty();
    CostTable table = cache.measure(model.decoder(), exits, device);
    assertThat(cache.known(model.decoder(), exits, device)).contains(table);
    assertThat(cache.known(model.decoder(), Exits.none(), device)).isEmpty();
    Path file;
    try (var files = Files.list(cache.folder())) {
      file = files.findFirst().orElseThrow();
    }
    Files.writeString(file, "{");
    assertThat(cache.known(model.decoder(), exits, device)).isEmpty();
  }

  @Test
  void aTableThatCannotBeKeptIsUsedAllTheSame() throws IOException {
    Path file = Files.writeString(temp.resolve("file"), "no folder");
    CostCache cache = new CostCache(file, new CostMeter(new Ticks()::look, () -> 0));
    Exits exits = exits(ExitArchitecture.NORM);
    assertThat(cache.measure(model.decoder(), exits, device).exit(1).each()).isPositive();
    assertThat(cache.known(model.decoder(), exits, device)).isEmpty();
    assertThat(file).hasContent("no folder");
  }

  @Test
  void onTheSystemsClockMoreRowsAndLayersTakeMoreTime() {
    CostTable t = new CostMeter().measure(model.decoder(), exits(ExitArchitecture.LAYER), device);
    assertThat(t.layer().at(1)).isPositive();
    assertThat(t.layer().at(16)).isGreaterThan(t.layer().at(1));
    assertThat(t.exit(1).each()).isPositive();
  }

  @Test
  void otherExitsOrThreadsAreAnotherTable() {
    String one = CostCache.description(model.decoder(), exits(ExitArchitecture.NORM), device);
    assertThat(CostCache.description(model.decoder(), exits(ExitArchitecture.MLP), device))
        .isNotEqualTo(one);
    try (Device two = Device.cpu(2)) {
      assertThat(CostCache.description(model.decoder(), exits(ExitArchitecture.NORM), two))
          .isNotEqualTo(one);
    }
  }

  @Test
  void onlyExitsThatCanPayAreActiveAndTheOthersAreExplained() {
    Exits exits = exits(ExitArchitecture.NORM, ExitArchitecture.NORM);
    CostTable dearSecond = Tables.of(Tables.norm(1, 0.5), Tables.norm(2, 14));
    ActiveExits active = ActiveExits.thatPay(exits, dearSecond, 15);
    assertThat(active.exits().depths()).containsExactly(1);
    assertThat(active.remarks()).singleElement().asString().contains("exit 2", "14000.00 ms");
    assertThat(ActiveExits.at(exits, List.of(2)).depths()).containsExactly(2);
    assertThatThrownBy(() -> ActiveExits.at(exits, List.of(3)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("layer 3")
        .hasMessageContaining("[1, 2]");
  }
}
