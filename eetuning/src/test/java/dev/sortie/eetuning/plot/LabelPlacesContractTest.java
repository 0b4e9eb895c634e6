package dev.sortie.eetuning.plot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.plot.LabelPlaces.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Labels lie on no point and on no other label, and off lines where there is room. */
class LabelPlacesContractTest {
  private static final String TEXT = "0.8";

  @Test
  void labelsOfManyPointsNeitherMeetEachOtherNorPoints() {
    Random random = new Random(1);
    double[][] points = new double[40][];
    LabelPlaces places = new LabelPlaces(0, 500, 300);
    for (int i = 0; i < points.length; i++) {
      points[i] = new double[] {20 + 460 * random.nextDouble(), 20 + 260 * random.nextDouble()};
      places.point(points[i][0], points[i][1], 5);
    }
    List<Place> found = new ArrayList<>();
    for (double[] p : points) {
      places.take(TEXT, p[0], p[1]).ifPresent(found::add);
    }
    assertThat(found).hasSizeGreaterThan(30);
    for (Place a : found) {
      for (Place b : found) {
        assertThat(a == b || Math.abs(a.x() - b.x()) >= 22 || Math.abs(a.y() - b.y()) >= 13)
            .as("%s and %s", a, b)
            .isTrue();
      }
      for (double[] p : points) {
        assertThat(p[0] > a.x() && p[0] < a.x() + 22 && p[1] > a.y() - 11 && p[1] < a.y())
            .as("%s on a point", a)
            .isFalse();
      }
    }
  }

  @Test
  void aLabelLeavesALineAndLiesOnItOnlyWhereThereIsNoOtherPlace() {
    Place free = new LabelPlaces(0, 500, 300).take(TEXT, 100, 100).orElseThrow();
    LabelPlaces one = new LabelPlaces(0, 500, 300);
    one.line(100, 100, 200, 70); // up to the right, through the first place
    Place beside = one.take(TEXT, 100, 100).orElseThrow();
    assertThat(beside).isNotEqualTo(free);
    LabelPlaces all = new LabelPlaces(0, 500, 300);
    for (int y = 0; y < 300; y += 5) {
      all.line(0, y, 500, y);
    }
    assertThat(all.take(TEXT, 100, 100)).contains(free);
  }

  @Test
  void aLabelWithoutRoomIsLeftOut() {
    assertThat(new LabelPlaces(90, 110, 300).take(TEXT, 100, 100)).isEmpty();
    assertThat(new LabelPlaces(0, 500, 300).take("", 100, 100)).isEmpty();
  }
}
