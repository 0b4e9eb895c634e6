package dev.sortie.eetuning.exercise;

import dev.sortie.eetuning.exercise.CheckResult.Outcome;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.CommException;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs checks one after the other, each in a thread of its own and within a time limit. Java cannot
 * stop a thread that does not listen, so a check that does not end stays behind as a daemon, and no
 * other is run after it.
 *
 * @param file name of the learner's file, whose lines are named in messages
 * @param limit for each check
 */
record CheckRun(String file, Duration limit) {

  /** All checks. */
  List<CheckResult> run(List<Check> checks) {
    List<CheckResult> results = new ArrayList<>();
    boolean stopped = false;
    for (Check check : checks) {
      if (stopped) {
        results.add(new CheckResult(check.promise(), Outcome.NOT_RUN, "", ""));
        continue;
      }
      try {
        String measured = within(check.body()::run);
        results.add(new CheckResult(check.promise(), Outcome.PASSED, measured, ""));
      } catch (TimeoutException e) {
        stopped = true;
        results.add(failed(check, e.getMessage()));
      } catch (ExecutionException e) {
        results.add(failed(check, message(e.getCause())));
      }
    }
    return results;
  }

  private static CheckResult failed(Check check, String message) {
    return new CheckResult(check.promise(), Outcome.FAILED, message, check.hint());
  }

  /**
   * The learner's object.
   *
   * @throws InputException if its constructor fails or does not end
   */
  <T> T make(Callable<T> maker) {
    try {
      return within(maker);
    } catch (TimeoutException e) {
      throw new InputException(file + ": making an object: " + e.getMessage(), e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      throw new InputException(
          "%s: no object can be made; the class needs a constructor without parameters: %s"
              .formatted(
                  file,
                  message(cause instanceof InvocationTargetException t ? t.getCause() : cause)),
          e);
    }
  }

  private <T> T within(Callable<T> work) throws TimeoutException, ExecutionException {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().daemon().name("exercise").start(task);
    try {
      return task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      String where = // ranks have threads of their own
          Thread.getAllStackTraces().values().stream()
              .map(this::place)
              .filter(place -> !place.isEmpty())
              .findFirst()
              .orElse("");
      task.cancel(true);
      throw new TimeoutException("did not end within " + limit.toMillis() / 1e3 + " s" + where);
    } catch (InterruptedException e) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      throw new ExecutionException(e);
    }
  }

  /** What a failure says to a learner: what was expected, or the exception and its line. */
  private String message(Throwable failure) {
    return switch (failure) {
      case AssertionError wrong when wrong.getMessage() != null -> wrong.getMessage();
      case CommException lost -> lost.getMessage();
      case UnsupportedOperationException unwritten when unwritten.getMessage() != null ->
          unwritten.getMessage() + place(unwritten.getStackTrace());
      default -> failure + place(failure.getStackTrace());
    };
  }

  /** The innermost line of the learner's file. */
  private String place(StackTraceElement[] stack) {
    return Arrays.stream(stack)
        .filter(frame -> file.equals(frame.getFileName()))
        .findFirst()
        .map(frame -> " (" + file + ":" + frame.getLineNumber() + ")")
        .orElse("");
  }
}
