package dev.sortie.eetuning.serve.api;

/** Answers the requests of one path and method. */
@FunctionalInterface
interface ApiEndpoint {

  /**
   * Sends the answer.
   *
   * @throws ApiError if there is none
   */
  void answer(ApiRequest request) throws InterruptedException;
}
