/** A program that continues a tale. */
module example.tale {
  requires dev.sortie.eetuning;
}
