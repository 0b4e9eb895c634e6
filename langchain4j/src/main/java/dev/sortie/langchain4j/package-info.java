/**
 * Chat, streaming and embedding models of LangChain4j that compute in the application's own
 * process. A model is loaded once by {@code Sortie.load}, serves any number of these, and is closed
 * by who loaded it. What a request asks for is done, or refused by name.
 */
package dev.sortie.langchain4j;
