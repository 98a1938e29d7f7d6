/*
 * tombolo-guest: dirties and checks a working set in a loop, inside a Linux guest.
 *
 *   tombolo-guest key=value...   (the kernel command line's tombolo.* words, prefix removed; see usage below)
 *
 * Every page carries its own number, a version and a checksum over contents that follow from (seed, page, version). The
 * expected version of each page is kept in a table of its own: a page that went back to an older, in itself sound
 * version is found too. A visit checks the whole page and then writes its next version.
 *
 * Lines on standard output, one write each, so that they never mix:
 *
 *   TOMBOLO-GUEST-READY pages=P workers=W pattern=S seed=N
 *   TOMBOLO-GUEST beat=N up_ms=T iterations=I bytes=B errors=E gap_us=G gaps=C
 *   TOMBOLO-GUEST-CORRUPTION page=P word=W expected=X found=F version=V
 *   TOMBOLO-GUEST-FAILED what
 *
 * iterations: page visits; bytes: bytes written; gap_us: longest time on CLOCK_MONOTONIC between two visits of a worker
 * since the last line; gaps: how many were longer than 10 ms since the start.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define WORDS (PAGE / 8)
#define MAX_WORKERS 64
#define GOLDEN 0x9E3779B97F4A7C15ull
#define LONG_GAP_NS 10000000ull
#define ZIPF_EXPONENT 0.99

enum pattern { SEQUENTIAL, UNIFORM, ZIPF };

static const char *const pattern_names[] = {"sequential", "uniform", "zipf"};

/* Written by one worker, read by the parent; a cache line each so that workers do not slow each other down. */
struct counters {
    _Alignas(128) atomic_ullong iterations;
    atomic_ullong errors;
    atomic_ullong max_gap_ns;
    atomic_ullong long_gaps;
};

static struct counters *counters;
static uint64_t seed = 1;
static uint64_t working_set = 64ull << 20;
static uint64_t workers = 1;
static uint64_t beat_ms = 100;
static enum pattern pattern = SEQUENTIAL;

static void say(const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length >= (int)sizeof line) {
        length = (int)sizeof line - 1;
    }
    for (int done = 0; done < length;) {
        ssize_t n = write(STDOUT_FILENO, line + done, (size_t)(length - done));
        if (n < 0 && errno != EINTR) {
            return;
        }
        done += n > 0 ? (int)n : 0;
    }
}

static _Noreturn void fail(const char *what)
{
    say("TOMBOLO-GUEST-FAILED %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Word 0: page number, word 1: version, words 2..510: contents, word 511: sum of words 0..510. */
static void write_page(volatile uint64_t *words, uint64_t page, uint64_t version)
{
    uint64_t value = mix(seed ^ mix(page * GOLDEN + version));
    uint64_t sum = page + version;
    words[0] = page;
    words[1] = version;
    for (unsigned i = 2; i < WORDS - 1; i++) {
        value += GOLDEN;
        words[i] = value;
        sum += value;
    }
    words[WORDS - 1] = sum;
}

static int wrong(uint64_t page, unsigned word, uint64_t expected, uint64_t found, uint64_t version)
{
    say("TOMBOLO-GUEST-CORRUPTION page=%llu word=%u expected=%016llx found=%016llx version=%llu\n",
        (unsigned long long)page, word, (unsigned long long)expected, (unsigned long long)found,
        (unsigned long long)version);
    return 1;
}

static int check_page(const volatile uint64_t *words, uint64_t page, uint64_t version)
{
    uint64_t value = mix(seed ^ mix(page * GOLDEN + version));
    uint64_t sum = page + version;
    if (words[0] != page) {
        return wrong(page, 0, page, words[0], version);
    }
    if (words[1] != version) {
        return wrong(page, 1, version, words[1], version);
    }
    for (unsigned i = 2; i < WORDS - 1; i++) {
        value += GOLDEN;
        uint64_t found = words[i];
        if (found != value) {
            return wrong(page, i, value, found, version);
        }
        sum += found;
    }
    if (words[WORDS - 1] != sum) {
        return wrong(page, WORDS - 1, sum, words[WORDS - 1], version);
    }
    return 0;
}

/* Cumulative Zipf weights; rank r is page (r * odd) mod n for a power of two, so that hot pages are spread. */
static double *zipf_table(uint64_t pages)
{
    double *table = mmap(NULL, pages * sizeof *table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED) {
        fail("zipf table");
    }
    double total = 0;
    for (uint64_t i = 0; i < pages; i++) {
        total += pow((double)(i + 1), -ZIPF_EXPONENT);
        table[i] = total;
    }
    for (uint64_t i = 0; i < pages; i++) {
        table[i] /= total;
    }
    return table;
}

static uint64_t zipf_rank(const double *table, uint64_t pages, uint64_t random)
{
    double u = (double)(random >> 11) * 0x1p-53;
    uint64_t low = 0, high = pages - 1;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (table[middle] < u) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint64_t next_page(uint64_t visit, uint64_t pages, const double *zipf, uint64_t *state)
{
    switch (pattern) {
    case SEQUENTIAL:
        return visit % pages;
    case UNIFORM:
        return mix(*state += GOLDEN) % pages;
    case ZIPF:
        return mix(zipf_rank(zipf, pages, mix(*state += GOLDEN)) ^ seed) % pages;
    }
    abort();
}

static _Noreturn void work(volatile uint64_t *memory, uint64_t first, uint64_t pages, struct counters *mine,
                           uint64_t worker)
{
    uint32_t *versions = mmap(NULL, pages * sizeof *versions, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (versions == MAP_FAILED) {
        fail("version table");
    }
    const double *zipf = pattern == ZIPF ? zipf_table(pages) : NULL;
    uint64_t state = mix(seed + worker);
    for (uint64_t page = 0; page < pages; page++) {
        write_page(memory + (first + page) * WORDS, first + page, 0);
    }
    uint64_t last = now_ns();
    for (uint64_t visit = 0;; visit++) {
        uint64_t page = next_page(visit, pages, zipf, &state);
        volatile uint64_t *words = memory + (first + page) * WORDS;
        if (check_page(words, first + page, versions[page])) {
            atomic_fetch_add(&mine->errors, 1);
        }
        write_page(words, first + page, ++versions[page]);
        uint64_t now = now_ns();
        if (now - last > atomic_load_explicit(&mine->max_gap_ns, memory_order_relaxed)) {
            atomic_store(&mine->max_gap_ns, now - last);
        }
        if (now - last > LONG_GAP_NS) {
            atomic_fetch_add(&mine->long_gaps, 1);
        }
        last = now;
        atomic_store_explicit(&mine->iterations, visit + 1, memory_order_relaxed);
    }
}

static void beat(uint64_t number, uint64_t started)
{
    uint64_t iterations = 0, errors = 0, gap = 0, gaps = 0;
    for (uint64_t i = 0; i < workers; i++) {
        iterations += atomic_load(&counters[i].iterations);
        errors += atomic_load(&counters[i].errors);
        gaps += atomic_load(&counters[i].long_gaps);
        uint64_t g = atomic_exchange(&counters[i].max_gap_ns, 0);
        gap = g > gap ? g : gap;
    }
    say("TOMBOLO-GUEST beat=%llu up_ms=%llu iterations=%llu bytes=%llu errors=%llu gap_us=%llu gaps=%llu\n",
        (unsigned long long)number, (unsigned long long)((now_ns() - started) / 1000000),
        (unsigned long long)iterations,
        (unsigned long long)(iterations * PAGE), (unsigned long long)errors, (unsigned long long)(gap / 1000),
        (unsigned long long)gaps);
}

static uint64_t number(const char *key, const char *text, uint64_t low, uint64_t high)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0' || value < low || value > high) {
        errno = EINVAL;
        fail(key);
    }
    return value;
}

static void option(const char *word)
{
    const char *value = strchr(word, '=');
    if (value == NULL) {
        errno = EINVAL;
        fail(word);
    }
    size_t length = (size_t)(value++ - word);
#define IS(name) (length == strlen(name) && strncmp(word, name, length) == 0)
    if (IS("ws")) {
        working_set = number("ws", value, PAGE, 1ull << 46);
    } else if (IS("workers")) {
        workers = number("workers", value, 1, MAX_WORKERS);
    } else if (IS("seed")) {
        seed = number("seed", value, 0, UINT64_MAX);
    } else if (IS("beat_ms")) {
        beat_ms = number("beat_ms", value, 1, 60000);
    } else if (IS("pattern")) {
        for (unsigned i = 0; i < 3; i++) {
            if (strcmp(value, pattern_names[i]) == 0) {
                pattern = (enum pattern)i;
                return;
            }
        }
        errno = EINVAL;
        fail("pattern (sequential, uniform, zipf)");
    } else {
        errno = EINVAL;
        fail(word);
    }
#undef IS
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        option(argv[i]);
    }
    uint64_t pages = working_set / PAGE / workers;
    if (pages == 0) {
        errno = EINVAL;
        fail("ws smaller than a page per worker");
    }
    volatile uint64_t *memory = mmap(NULL, pages * workers * PAGE, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    counters = mmap(NULL, workers * sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || counters == MAP_FAILED) {
        fail("working set does not fit");
    }
    say("TOMBOLO-GUEST-READY pages=%llu workers=%llu pattern=%s seed=%llu\n", (unsigned long long)(pages * workers),
        (unsigned long long)workers, pattern_names[pattern], (unsigned long long)seed);
    for (uint64_t i = 0; i < workers; i++) {
        pid_t child = fork();
        if (child < 0) {
            fail("fork");
        }
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work(memory, i * pages, pages, &counters[i], i);
        }
    }
    uint64_t started = now_ns();
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (uint64_t n = 1;; n++) {
        due.tv_nsec += (long)(beat_ms % 1000) * 1000000;
        due.tv_sec += (time_t)(beat_ms / 1000) + due.tv_nsec / 1000000000;
        due.tv_nsec %= 1000000000;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {
        }
        beat(n, started);
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            errno = ECHILD;
            fail("a worker died");
        }
    }
}
