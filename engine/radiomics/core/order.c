// Values by rank without sorting all values.
#include "core.h"

enum { BINS = 1024, FEW = 48 };

static int compare_values(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort_few(double *v, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        const double x = v[i];
        int64_t k = i;
        for (; k > 0 && v[k - 1] > x; k--) v[k] = v[k - 1];
        v[k] = x;
    }
}

// Bin of each value, ascending with the value; counts[BINS] must be zero on entry.
static void fill_bins(const double *v, int64_t n, double low, double scale, uint16_t *bin,
                      uint32_t *counts) {
    for (int64_t i = 0; i < n; i++) {
        const int32_t b = (int32_t)((v[i] - low) * scale);
        bin[i] = (uint16_t)(b < BINS - 1 ? b : BINS - 1);
    }
    for (int64_t i = 0; i < n; i++) counts[bin[i]]++;
}

static int select_binned(const double *v, int64_t n, double low, double scale,
                         const int64_t *ranks, int wanted, double *out);

// Values at ascending ranks (from 0). Values may be reordered. Returns 0 when memory ran out.
static int select_again(double *v, int64_t n, const int64_t *ranks, int wanted, double *out) {
    double low = v[0], high = v[0];
    for (int64_t i = 1; i < n; i++) {
        low = v[i] < low ? v[i] : low;
        high = v[i] > high ? v[i] : high;
    }
    const double scale = BINS / (high - low);
    if (n > FEW && isfinite(scale) && scale != 0)
        return select_binned(v, n, low, scale, ranks, wanted, out);
    if (n <= FEW) sort_few(v, n);
    else qsort(v, (size_t)n, sizeof(double), compare_values);
    for (int k = 0; k < wanted; k++) out[k] = v[ranks[k]];
    return 1;
}

// Where the values of the bins that hold a rank are put together.
typedef struct {
    uint32_t count[BINS];
    uint8_t wanted[BINS];
    int64_t next[BINS];
} Bins;

// Bring together the values of the bins that a rank falls into, and look only there. The extremes
// lie in different bins, so every round leaves fewer values.
static int look_into_bins(const double *v, int64_t n, const uint16_t *bin, Bins *b,
                          const int64_t *ranks, int wanted, double *out) {
    int64_t before = 0, room = 0;
    for (int k = 0, i = 0; k < wanted; before += b->count[i++])
        if (ranks[k] < before + b->count[i]) {
            b->wanted[i] = 1;
            b->next[i] = room;
            room += b->count[i];
            while (k < wanted && ranks[k] < before + b->count[i]) k++;
        }
    double *few = malloc((size_t)room * sizeof(double));
    int64_t *inside = malloc((size_t)wanted * sizeof(int64_t));
    int done = few && inside;
    for (int64_t i = 0; done && i < n; i++)
        if (b->wanted[bin[i]]) few[b->next[bin[i]]++] = v[i];
    before = 0;
    for (int k = 0, i = 0; done && k < wanted; before += b->count[i++]) {
        const int first = k;
        for (; k < wanted && ranks[k] < before + b->count[i]; k++)
            inside[k - first] = ranks[k] - before;
        if (k > first)
            done = select_again(few + b->next[i] - b->count[i], b->count[i], inside, k - first,
                                out + first);
    }
    free(few);
    free(inside);
    return done;
}

static int select_binned(const double *v, int64_t n, double low, double scale,
                         const int64_t *ranks, int wanted, double *out) {
    uint16_t *bin = malloc((size_t)n * sizeof(uint16_t));
    Bins *b = calloc(1, sizeof(Bins));
    int done = bin && b;
    if (done) {
        fill_bins(v, n, low, scale, bin, b->count);
        done = look_into_bins(v, n, bin, b, ranks, wanted, out);
    }
    free(bin);
    free(b);
    return done;
}

// Values at ascending ranks (from 0) of n > 0 values, which are left in their order.
// Returns 0 when memory ran out.
int select_ranks(const double *v, int64_t n, double low, double high, const int64_t *ranks,
                 int wanted, double *out) {
    const double scale = BINS / (high - low);
    if (n > FEW && isfinite(scale) && scale != 0)
        return select_binned(v, n, low, scale, ranks, wanted, out);
    double *copy = malloc((size_t)n * sizeof(double));
    if (!copy) return 0;
    memcpy(copy, v, (size_t)n * sizeof(double));
    const int done = select_again(copy, n, ranks, wanted, out);
    free(copy);
    return done;
}
