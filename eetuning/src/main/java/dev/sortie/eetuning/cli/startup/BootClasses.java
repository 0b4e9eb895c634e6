package dev.sortie.eetuning.cli.startup;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.module.ModuleDescriptor.Exports;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import picocli.CommandLine;

/**
 * Copies classes into a jar that the launcher makes part of the boot class path ({@code
 * -Xbootclasspath/a}). From there the JVM takes them linked beforehand, which it does not where
 * they come from.
 *
 * <ul>
 *   <li>Those of the Vector API, from this Java. Their module incubates, and a JVM that has such a
 *       module links no classes beforehand.
 *   <li>Those of picocli, which are compiled for Java 5. The JVM archives classes of Java 6 and
 *       later, so they get that version. Its verifier, which would then want stack maps, does not
 *       check classes of the boot class path.
 * </ul>
 */
public final class BootClasses {
  private static final String MODULE = "jdk.incubator.vector";

  /** Where a class file has the lower byte of its version (JVMS 4.1). */
  private static final int VERSION = 7;

  /** The version of Java 6. */
  private static final byte JAVA_6 = 50;

  private BootClasses() {}

  /**
   * Writes the jar, and to standard output the flags that open to its classes what is open to the
   * module of vectors, one to a line.
   *
   * @param args the jar's file
   */
  public static void main(String[] args) throws IOException, URISyntaxException {
    URI picocli = CommandLine.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    try (OutputStream out = Files.newOutputStream(Path.of(args[0]));
        ZipOutputStream jar = new ZipOutputStream(out);
        ZipFile library = new ZipFile(new File(picocli))) {
      copyModule(jar);
      copy(library, jar);
    }
    exports().forEach(System.out::println);
  }

  private static void copyModule(ZipOutputStream jar) throws IOException {
    Path root = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("modules", MODULE);
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted().toList()) {
        String name = root.relativize(file).toString();
        if (isClass(name)) {
          store(jar, name, Files.readAllBytes(file));
        }
      }
    }
  }

  private static void copy(ZipFile library, ZipOutputStream jar) throws IOException {
    for (ZipEntry entry : Collections.list(library.entries())) {
      if (isClass(entry.getName())) {
        byte[] content = library.getInputStream(entry).readAllBytes();
        content[VERSION] = (byte) Math.max(content[VERSION], JAVA_6);
        store(jar, entry.getName(), content);
      }
    }
  }

  private static boolean isClass(String name) {
    return name.endsWith(".class") && !name.endsWith("module-info.class");
  }

  /**
   * Stored, since the JVM starts 5 ms earlier than with deflated bytes even of level 0, and of no
   * time, so that the same classes give the same bytes.
   */
  private static void store(ZipOutputStream jar, String name, byte[] content) throws IOException {
    CRC32 check = new CRC32();
    check.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(check.getValue());
    entry.setTime(0);
    jar.putNextEntry(entry);
    jar.write(content);
  }

  private static List<String> exports() {
    return Object.class.getModule().getDescriptor().exports().stream()
        .filter(Exports::isQualified)
        .filter(e -> e.targets().contains(MODULE))
        .map(e -> "--add-exports=java.base/" + e.source() + "=ALL-UNNAMED")
        .sorted()
        .toList();
  }
}
