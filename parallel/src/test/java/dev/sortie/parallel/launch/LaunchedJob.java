package dev.sortie.parallel.launch;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.FaultyRank;
import dev.sortie.parallel.comm.Processes;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A launcher in a JVM of its own, and what its ranks do. */
final class LaunchedJob {
  private LaunchedJob() {}

  /** Arguments: number of ranks, restarts, seconds of grace, command. */
  public static void main(String[] args) throws InterruptedException {
    Launcher.Options options =
        new Launcher.Options(
            Integer.parseInt(args[0]),
            List.of(args).subList(3, args.length),
            Integer.parseInt(args[1]),
            Duration.ZERO,
            Duration.ofSeconds(Integer.parseInt(args[2])));
    System.exit(new Launcher(options, System.out::println, System.out::println).run());
  }

  static List<String> command(Class<?> rank, String... arguments) {
    List<String> command = new ArrayList<>(Processes.command(rank));
    command.addAll(List.of(arguments));
    return command;
  }

  /** Says which process and which job it is, then makes calls until one fails. */
  static final class Calling {
    public static void main(String[] args) {
      RankEnvironment me = RankEnvironment.read(System.getenv());
      try (Transport transport = Ranks.join(me);
          Communicator c = GroupCommunicator.over(transport, CommOptions.defaults())) {
        System.out.println(
            "process "
                + ProcessHandle.current().pid()
                + " job "
                + Ranks.jobName(me.job().token(), me.job().generation()));
        FaultyRank.call(c, 1, Integer.MAX_VALUE);
      } catch (CommException e) {
        System.out.println(e.kind() + " " + e.getMessage());
        System.exit(3);
      }
    }
  }

  /**
   * Sums ten steps and keeps the sum in a file after each, from which it resumes; rank 1 of the
   * first start dies at step 5. Argument: the folder.
   */
  static final class Resuming {
    private static final int STEPS = 10;

    public static void main(String[] args) throws IOException {
      RankEnvironment me = RankEnvironment.read(System.getenv());
      Path kept = Path.of(args[0], "rank-" + me.rank());
      try (Transport transport = Ranks.join(me);
          Communicator c = GroupCommunicator.over(transport, CommOptions.defaults());
          Arena arena = Arena.ofConfined()) {
        Elements x = new Elements(ElementType.I64, arena.allocate(16));
        int first = Files.exists(kept) ? Integer.parseInt(Files.readString(kept).split(" ")[0]) : 0;
        long sum = first == 0 ? 0 : Long.parseLong(Files.readString(kept).split(" ")[1]);
        x.memory().setAtIndex(ValueLayout.JAVA_LONG, 0, first);
        x.memory().setAtIndex(ValueLayout.JAVA_LONG, 1, sum);
        c.broadcast(x, 0); // a rank may have died between two files
        first = (int) x.memory().getAtIndex(ValueLayout.JAVA_LONG, 0);
        sum = x.memory().getAtIndex(ValueLayout.JAVA_LONG, 1);
        System.out.println("start " + me.job().generation() + " at step " + first);
        for (int step = first; step < STEPS; step++) {
          if (step == 5 && me.rank() == 1 && me.job().generation() == 0) {
            Runtime.getRuntime().halt(7);
          }
          x.memory().setAtIndex(ValueLayout.JAVA_LONG, 0, step * (me.rank() + 1L));
          c.allReduce(x.slice(0, 1));
          sum += x.memory().getAtIndex(ValueLayout.JAVA_LONG, 0);
          Files.writeString(kept, (step + 1) + " " + sum);
          c.barrier();
        }
        System.out.println("sum " + sum);
      } catch (CommException e) {
        System.out.println(e.kind() + " " + e.getMessage());
        System.exit(3);
      }
    }
  }
}
