package dev.sortie.tests;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.lang.module.ResolvedModule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows between the rooms, as docs/ARCHITECTURE.md draws them. */
class ArchitectureTest {
  private static final List<String> MODULES =
      List.of(
          "dev.sortie.eetuning",
          "dev.sortie.langchain4j",
          "dev.sortie.nn",
          "dev.sortie.opencl",
          "dev.sortie.parallel",
          "dev.sortie.tensor");

  private static final String DECODING = "dev.sortie.eetuning.decode";

  private static JavaClasses sortie;

  @BeforeAll
  static void readTheClassesOfAllModules() {
    TreeMap<String, Location> places = new TreeMap<>();
    for (ResolvedModule module : ModuleLayer.boot().configuration().modules()) {
      if (MODULES.contains(module.name())) {
        places.put(module.name(), Location.of(module.reference().location().orElseThrow()));
      }
    }
    assertThat(places.keySet()).as("modules on the module path").containsExactlyElementsOf(MODULES);
    sortie = new ClassFileImporter().importLocations(places.values());
    for (String module : MODULES) {
      assertThat(sortie.that(resideInAPackage(module + "..")))
          .as("classes of " + module)
          .isNotEmpty();
    }
  }

  @Test
  void arrowsPointOneWay() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("dev.sortie..")
        .layer("tensor")
        .definedBy("dev.sortie.tensor..")
        .layer("nn")
        .definedBy("dev.sortie.nn..")
        .layer("parallel")
        .definedBy("dev.sortie.parallel..")
        .layer("eetuning")
        .definedBy("dev.sortie.eetuning..")
        .layer("opencl")
        .definedBy("dev.sortie.opencl..")
        .layer("langchain4j")
        .definedBy("dev.sortie.langchain4j..")
        .whereLayer("tensor")
        .mayNotAccessAnyLayer()
        .whereLayer("nn")
        .mayOnlyAccessLayers("tensor")
        .whereLayer("parallel")
        .mayOnlyAccessLayers("tensor", "nn")
        .whereLayer("eetuning")
        .mayOnlyAccessLayers("tensor", "nn", "parallel")
        .whereLayer("opencl")
        .mayOnlyAccessLayers("tensor")
        .whereLayer("langchain4j")
        .mayOnlyAccessLayers("nn", "eetuning")
        .check(sortie);
  }

  @Test
  void partsOfDecodingUseEachOtherOneWay() {
    partOfDecoding("sampling");
    partOfDecoding("policy");
    partOfDecoding("grammar", "sampling");
    partOfDecoding("grammar.schema", "grammar");
    partOfDecoding("tool", "grammar", "grammar.schema");
    partOfDecoding("", "sampling");
    partOfDecoding("pass", "", "policy");
    partOfDecoding("single", "", "policy", "pass");
    partOfDecoding("speculative", "", "pass");
    partOfDecoding("batch", "", "sampling", "policy", "pass", "single");
    partOfDecoding("pipeline", "", "sampling", "policy", "pass", "single");
  }

  @Test
  void packagesHaveNoCycles() {
    check(slices().matching("dev.sortie.(**)").should().beFreeOfCycles());
  }

  /** The first sentences that a newcomer reads: what lives here, and what may be touched. */
  @Test
  void everyPackageSaysWhatLivesThere() throws IOException {
    List<Path> packages;
    try (Stream<Path> files = Files.walk(Path.of(".."), 12)) {
      packages =
          files
              .filter(file -> file.toString().matches("\\.\\./[a-z0-9-]+/src/main/java/.*\\.java"))
              .map(Path::getParent)
              .filter(folder -> !folder.endsWith("java"))
              .distinct()
              .toList();
    }
    assertThat(packages).hasSizeGreaterThan(50);
    for (Path folder : packages) {
      Path info = folder.resolve("package-info.java");
      assertThat(info).exists();
      assertThat(
              Pattern.compile("[A-Za-z})]\\.\\s").matcher(Files.readString(info)).results().count())
          .as("sentences of " + info)
          .isGreaterThanOrEqualTo(3);
    }
  }

  /** A type is found by its name alone. */
  @Test
  void simpleNamesAreUnique() {
    assertThat(
            sortie.stream()
                .filter(JavaClass::isTopLevelClass)
                .filter(type -> !type.getSimpleName().endsWith("-info"))
                .collect(groupingBy(JavaClass::getSimpleName, counting()))
                .entrySet())
        .allSatisfy(name -> assertThat(name.getValue()).as(name.getKey()).isEqualTo(1));
  }

  /** Options are fields of a command or of a mixin; {@code *Options} are values of a library. */
  @Test
  void optionsOfTheCommandLineAreInCommandsAndMixins() {
    check(
        fields()
            .that()
            .areAnnotatedWith("picocli.CommandLine$Option")
            .or()
            .areAnnotatedWith("picocli.CommandLine$Parameters")
            .should()
            .beDeclaredInClassesThat()
            .haveSimpleNameEndingWith("Command")
            .orShould()
            .beDeclaredInClassesThat()
            .haveSimpleNameEndingWith("Mixin"));
  }

  @Test
  void trainingAndCostsKnowNoReports() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage("dev.sortie.eetuning.train..", "dev.sortie.eetuning.cost..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.sortie.eetuning.eval..", "dev.sortie.eetuning.cli.."));
  }

  @Test
  void theTableOfRoomsHasEveryPackage() throws IOException {
    String table = Files.readString(Path.of("..", "docs", "ARCHITECTURE.md"));
    assertThat(sortie.stream().map(JavaClass::getPackageName).distinct())
        .isNotEmpty()
        .allSatisfy(
            name ->
                assertThat(table).contains("| `" + name.substring("dev.sortie.".length()) + "` |"));
  }

  /** A package of decoding, by its last name, and those that it may use; "" is their parent. */
  private static void partOfDecoding(String part, String... used) {
    Stream<String> allowed = Stream.concat(Stream.of(part), Stream.of(used));
    DescribedPredicate<JavaClass> others =
        resideInAPackage(DECODING + "..")
            .and(not(resideInAnyPackage(allowed.map(p -> decoding(p)).toArray(String[]::new))));
    check(noClasses().that().resideInAPackage(decoding(part)).should().dependOnClassesThat(others));
  }

  private static String decoding(String part) {
    return part.isEmpty() ? DECODING : DECODING + "." + part;
  }

  @Test
  void theCoreNeedsTheJdkAlone() {
    check(
        classes()
            .that()
            .resideInAPackage("dev.sortie.tensor..")
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage("dev.sortie.tensor..", "java..", "jdk.incubator.vector..")));
    check(
        classes()
            .that()
            .resideInAPackage("dev.sortie.parallel..")
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage(
                    "dev.sortie.parallel..",
                    "dev.sortie.nn..",
                    "dev.sortie.tensor..",
                    "java..",
                    "javax.crypto..",
                    "javax.net.ssl..")));
  }

  @Test
  void vectorsStayInTheirPackage() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.sortie.tensor.kernel.simd..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.incubator.vector.."));
  }

  @Test
  void librariesNeitherPrintNorExit() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("dev.sortie.eetuning.cli..")
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "exit", int.class)
            .orShould()
            .callMethod(Runtime.class, "halt", int.class)
            .orShould()
            .callMethod(Throwable.class, "printStackTrace"));
  }

  @Test
  void eachLibraryStaysInItsRoom() {
    onlyIn("dev.sortie.eetuning.cli..", "picocli..");
    onlyIn("dev.sortie.eetuning..", "com.fasterxml.jackson.databind..");
    check(
        noClasses()
            .that()
            .resideOutsideOfPackages("dev.sortie.nn.json..", "dev.sortie.eetuning..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.fasterxml.jackson.."));
    onlyIn("dev.sortie.eetuning..", "me.tongfei.progressbar..");
    onlyIn("dev.sortie.nn..", "it.unimi.dsi..");
    onlyIn("dev.sortie.nn.basis..", "org.ejml..");
    onlyIn("dev.sortie.eetuning.serve.netty..", "io.netty..");
    onlyIn("dev.sortie.opencl..", "org.jocl..");
    onlyIn("dev.sortie.langchain4j..", "dev.langchain4j..");
  }

  @Test
  void theJdksUnsafeAndOldLoggingAreNotUsed() {
    check(
        noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("sun..", "jdk.internal..", "java.util.logging.."));
  }

  @Test
  void nothingRunsAtFinalisation() {
    check(noClasses().should().dependOnClassesThat().belongToAnyOf(java.lang.ref.Cleaner.class));
    assertThat(
            sortie.stream()
                .flatMap(type -> type.getMethods().stream())
                .filter(
                    method ->
                        method.getName().equals("finalize")
                            && method.getRawParameterTypes().isEmpty()))
        .isEmpty();
  }

  private static void onlyIn(String room, String library) {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(room)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(library));
  }

  private static void check(ArchRule rule) {
    rule.check(sortie);
  }
}
