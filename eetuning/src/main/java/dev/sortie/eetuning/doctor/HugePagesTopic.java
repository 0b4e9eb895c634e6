package dev.sortie.eetuning.doctor;

/** Pages of 2 MiB, which weights are read through twice as fast. */
final class HugePagesTopic {
  /** Linux's switch. */
  static final String SWITCH = "/sys/kernel/mm/transparent_hugepage/enabled";

  private HugePagesTopic() {}

  /**
   * @param offered whether large blocks of memory are asked for in huge pages
   * @param setting text of {@link #SWITCH}, or empty if there is none
   */
  static Topic of(boolean offered, String setting) {
    Topic t = new Topic("huge_pages").fact("asked_for", offered);
    if (!setting.isEmpty()) {
      t.fact("transparent_hugepage", setting);
    }
    if (setting.contains("[never]")) {
      t.advise(
          "transparent huge pages are off: echo madvise > "
              + SWITCH
              + " (as root) speeds decoding up");
    }
    return t;
  }
}
