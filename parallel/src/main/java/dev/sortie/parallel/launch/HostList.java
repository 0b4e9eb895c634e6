package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Slurm's short form of host names, such as {@code gpu[03-07,12],login1}. */
final class HostList {
  private static final Pattern FIRST =
      Pattern.compile("([A-Za-z0-9._-]+)(?:\\[([0-9]+)[-0-9,]*\\]([A-Za-z0-9._-]*))?(?:,.*)?");

  private HostList() {}

  /** The first host. */
  static String first(String list) {
    Matcher matcher = FIRST.matcher(list);
    if (!matcher.matches()) {
      throw new InputException(
          "SLURM_JOB_NODELIST=" + list + " is no list of hosts; set MASTER_ADDR to rank 0's host");
    }
    String number = matcher.group(2);
    return number == null ? matcher.group(1) : matcher.group(1) + number + matcher.group(3);
  }
}
