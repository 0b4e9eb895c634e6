/* Two ranks under mpirun, asked line by line: a question on rank 0's standard input, a JSON object on its standard output.
 *
 *   check BYTES 1         sums a buffer of whole numbers once; the answer is a hash of the sum
 *   sum BYTES CALLS       times sums in place
 *   messages BYTES CALLS  times messages there and back
 *   end 0 0               ends; mpirun does not pass on the end of standard input
 */
#define _DEFAULT_SOURCE
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { QUESTION = 1, MESSAGE = 2, HUGE_PAGE = 2 << 20, IDLE_SECONDS = 900 };

struct question {
  char what[16];
  long bytes;
  long calls;
};

/* Whole numbers below 2^20, others on each rank: any order of summation gives the same bits. */
static void fill(float *x, long n, int rank) {
  for (long i = 0; i < n; i++) x[i] = (float)((uint32_t)((i + 1) * 2654435761u + rank * 40503u) >> 12);
}

static unsigned long long hash(const float *x, long n) {
  unsigned long long h = 0;
  for (long i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, 4);
    h = h * 31 + bits;
  }
  return h;
}

/* A rank that waits for a question must not take a core from the other side of the comparison. */
static void receive_idly(struct question *q) {
  int there = 0;
  while (!there) {
    MPI_Iprobe(0, QUESTION, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
    if (!there) usleep(2000);
  }
  MPI_Recv(q, sizeof *q, MPI_BYTE, 0, QUESTION, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void ask(struct question *q, int rank, int size) {
  memset(q, 0, sizeof *q);
  alarm(IDLE_SECONDS); /* ends a rank whose asker is gone */
  if (rank == 0) {
    if (scanf("%15s %ld %ld", q->what, &q->bytes, &q->calls) != 3) strcpy(q->what, "end");
    for (int i = 1; i < size; i++) MPI_Send(q, sizeof *q, MPI_BYTE, i, QUESTION, MPI_COMM_WORLD);
  } else {
    receive_idly(q);
  }
}

static void sum(float *x, long bytes) {
  MPI_Allreduce(MPI_IN_PLACE, x, (int)(bytes / 4), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static void there_and_back(int rank, void *x, long bytes) {
  if (rank == 0) MPI_Send(x, (int)bytes, MPI_BYTE, 1, MESSAGE, MPI_COMM_WORLD);
  MPI_Recv(x, (int)bytes, MPI_BYTE, 1 - rank, MESSAGE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (rank == 1) MPI_Send(x, (int)bytes, MPI_BYTE, 0, MESSAGE, MPI_COMM_WORLD);
}

static void run(const struct question *q, float *x, int rank) {
  int sums = strcmp(q->what, "sum") == 0;
  for (long i = 0; i < q->calls; i++) {
    if (sums) {
      sum(x, q->bytes);
    } else {
      there_and_back(rank, x, q->bytes);
    }
  }
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  size_t most = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
  float *x = aligned_alloc(HUGE_PAGE, (most + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
  if (!x || !most || size != 2) MPI_Abort(MPI_COMM_WORLD, 1);
  madvise(x, most, MADV_HUGEPAGE);
  memset(x, 0, most);
  if (rank == 0) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(version, &length);
    version[strcspn(version, ",\n\"")] = 0;
    printf("{\"peer\":\"%s\"}\n", version);
    fflush(stdout);
  }
  struct question q;
  for (ask(&q, rank, size); strcmp(q.what, "end") != 0; ask(&q, rank, size)) {
    if (q.bytes < 0 || (size_t)q.bytes > most || q.calls < 1) MPI_Abort(MPI_COMM_WORLD, 1);
    if (strcmp(q.what, "check") == 0) {
      fill(x, q.bytes / 4, rank);
      sum(x, q.bytes);
      if (rank == 0) printf("{\"hash\":\"%llx\"}\n", hash(x, q.bytes / 4));
      memset(x, 0, most); /* sums of zeros stay zeros however often they are made */
    } else {
      struct question first = q;
      first.calls = 1;
      run(&first, x, rank);
      MPI_Barrier(MPI_COMM_WORLD);
      double start = MPI_Wtime();
      run(&q, x, rank);
      double mine = MPI_Wtime() - start, slowest;
      MPI_Reduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
      if (rank == 0) printf("{\"seconds\":%.9g}\n", slowest / q.calls);
    }
    if (rank == 0) fflush(stdout);
  }
  free(x);
  MPI_Finalize();
  return 0;
}
