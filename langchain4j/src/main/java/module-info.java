/** Sortie's models behind the interfaces of LangChain4j. Nothing depends on this module. */
module dev.sortie.langchain4j {
  requires transitive dev.sortie.eetuning;
  requires transitive langchain4j.core;

  exports dev.sortie.langchain4j;
}
