// Features of co-occurrence, count (run, zone, distance, dependence) and tone difference
// matrices (IBSI 1, chapters 3.6 to 3.11). Undefined features are NaN.
#include "core.h"

enum { COOCCURRENCE_FEATURES = 25, COUNT_FEATURES = 17, TONE_FEATURES = 5 };

static double count_log(double c) { return c > 0 ? c * log2(c) : 0; }

// Marginal sums of the symmetric co-occurrence matrix, as counts.
typedef struct {
    double *level, *difference, *sum;  // p_i, p_(i-j), p_(i+j)
    double total, largest, count_log, squares;
} Marginals;

// C is one-sided; the symmetric matrix is S = C + transposed C, so S_ii = 2 C_ii.
static void sum_margins(const uint32_t *C, int levels, Marginals *m) {
    const int64_t width = levels + 1;
    for (int i = 1; i <= levels; i++) {
        for (int j = i; j <= levels; j++) {
            const uint64_t upper = C[i * width + j], lower = C[j * width + i];
            const double c = (double)(upper + lower), copies = i == j ? 1 : 2;
            if (c == 0) continue;
            m->total += copies * c;
            if (c > m->largest) m->largest = c;
            m->count_log += copies * count_log(c);
            m->squares += copies * c * c;
            m->difference[j - i] += copies * c;
            m->sum[i + j] += copies * c;
            m->level[i] += c;
            if (i != j) m->level[j] += c;
        }
    }
}

static void describe_differences(const Marginals *m, int levels, double *f) {
    double average = 0, entropy = 0, contrast = 0, id = 0, idn = 0, idm = 0, idmn = 0, iv = 0;
    for (int k = 0; k < levels; k++) {
        const double p = m->difference[k] / m->total, k2 = (double)k * k;
        if (p == 0) continue;
        average += k * p;
        contrast += k2 * p;
        entropy -= p * log2(p);
        id += p / (1 + k);
        idn += p / (1 + (double)k / levels);
        idm += p / (1 + k2);
        idmn += p / (1 + k2 / ((double)levels * levels));
        if (k) iv += p / k2;
    }
    double variance = 0;
    for (int k = 0; k < levels; k++) {
        const double d = k - average;
        variance += d * d * m->difference[k] / m->total;
    }
    f[4] = average;
    f[5] = variance;
    f[6] = entropy;
    f[11] = contrast;
    f[12] = average;
    f[13] = id;
    f[14] = idn;
    f[15] = idm;
    f[16] = idmn;
    f[17] = iv;
}

static void describe_sums(const Marginals *m, int levels, double mean, double *f) {
    double average = 0, entropy = 0, shade = 0, prominence = 0, variance = 0;
    for (int k = 2; k <= 2 * levels; k++) {
        const double p = m->sum[k] / m->total, d = k - 2 * mean, d2 = d * d;
        if (p == 0) continue;
        average += k * p;
        entropy -= p * log2(p);
        variance += d2 * p;
        shade += d2 * d * p;
        prominence += d2 * d2 * p;
    }
    f[7] = average;
    f[8] = variance;
    f[9] = entropy;
    f[20] = variance;
    f[21] = shade;
    f[22] = prominence;
}

// 25 features of one matrix, in IBSI order. Returns 0 and leaves NaN without any pair.
static int describe_pairs(const uint32_t *C, int levels, double *scratch, double *f) {
    const int width = levels + 1;
    Marginals m = {scratch, scratch + width, scratch + 2 * width, 0, 0, 0, 0};
    for (int k = 0; k < 4 * width; k++) scratch[k] = 0;
    for (int k = 0; k < COOCCURRENCE_FEATURES; k++) f[k] = NAN;
    sum_margins(C, levels, &m);
    if (m.total == 0) return 0;
    double mean = 0, level_entropy = 0, variance = 0;
    for (int i = 1; i <= levels; i++) {
        const double p = m.level[i] / m.total;
        mean += i * p;
        if (p > 0) level_entropy -= p * log2(p);
    }
    for (int i = 1; i <= levels; i++) {
        const double d = i - mean;
        variance += d * d * m.level[i] / m.total;
    }
    const double entropy = log2(m.total) - m.count_log / m.total;
    describe_differences(&m, levels, f);
    describe_sums(&m, levels, mean, f);
    f[0] = m.largest / m.total;
    f[1] = mean;
    f[2] = variance;
    f[3] = entropy;
    f[10] = m.squares / (m.total * m.total);
    f[19] = mean * mean + (f[20] - f[11]) / 4;
    const int single_level = m.squares == m.total * m.total;
    f[18] = single_level ? NAN : (f[20] - f[11]) / 4 / variance;
    f[23] = single_level ? NAN : (entropy - 2 * level_entropy) / level_entropy;
    const double gain = 2 * level_entropy - entropy;
    f[24] = gain > 0 ? sqrt(1 - exp(-2 * gain)) : 0;
    return 1;
}

// Mean of each feature over the matrices where it is defined.
typedef struct {
    double sum[COOCCURRENCE_FEATURES];
    int32_t defined[COOCCURRENCE_FEATURES];
} Average;

static void add_to_average(Average *a, const double *f, int n) {
    for (int k = 0; k < n; k++)
        if (!isnan(f[k])) {
            a->sum[k] += f[k];
            a->defined[k]++;
        }
}

static void finish_average(const Average *a, int n, double *out) {
    for (int k = 0; k < n; k++) out[k] = a->defined[k] ? a->sum[k] / a->defined[k] : NAN;
}

// Features of [direction][levels + 1][levels + 1] one-sided counts: averaged over the
// directions, and of the matrix merged over them. Returns 0 when memory ran out.
API int describe_cooccurrence(const uint32_t *counts, int directions, int levels,
                              double *averaged, double *merged) {
    const int64_t cells = (int64_t)(levels + 1) * (levels + 1);
    double *scratch = malloc((size_t)(levels + 1) * 4 * sizeof(double));
    uint32_t *sum = calloc((size_t)cells, sizeof(uint32_t));
    if (scratch && sum) {
        Average average = {{0}, {0}};
        for (int d = 0; d < directions; d++) {
            double f[COOCCURRENCE_FEATURES];
            describe_pairs(counts + d * cells, levels, scratch, f);
            add_to_average(&average, f, COOCCURRENCE_FEATURES);
            for (int64_t c = 0; c < cells; c++) sum[c] += counts[d * cells + c];
        }
        finish_average(&average, COOCCURRENCE_FEATURES, averaged);
        describe_pairs(sum, levels, scratch, merged);
    }
    const int done = scratch && sum;
    free(scratch);
    free(sum);
    return done;
}

// Sums that all count features are made of; rows are gray levels i, columns sizes j (from 1).
typedef struct {
    double total, low, high, rows_squared, small_low, small_high, large_low, large_high;
    double count_log, squares, level, level_squared;
} RowSums;

static void sum_rows(const uint32_t *M, int levels, int64_t sizes, RowSums *s, double *columns) {
    for (int64_t j = 0; j < sizes; j++) columns[j] = 0;
    for (int i = 1; i <= levels; i++) {
        const uint32_t *row = M + (int64_t)(i - 1) * sizes;
        double total = 0, small = 0, large = 0;
        for (int64_t j = 0; j < sizes; j++) {
            const double c = row[j], j2 = (double)(j + 1) * (double)(j + 1);
            if (c == 0) continue;
            total += c;
            columns[j] += c;
            small += c / j2;
            large += c * j2;
            s->count_log += count_log(c);
            s->squares += c * c;
        }
        const double g = i, g2 = g * g;
        s->total += total;
        s->low += total / g2;
        s->high += total * g2;
        s->rows_squared += total * total;
        s->small_low += small / g2;
        s->small_high += small * g2;
        s->large_low += large / g2;
        s->large_high += large * g2;
        s->level += g * total;
        s->level_squared += g2 * total;
    }
}

// 17 features of a count matrix; `possible` is the denominator of the percentage.
static void describe_counts(const uint32_t *M, int levels, int64_t sizes, double possible,
                            double *columns, double *f) {
    RowSums s = {0};
    for (int k = 0; k < COUNT_FEATURES; k++) f[k] = NAN;
    sum_rows(M, levels, sizes, &s, columns);
    if (s.total == 0) return;
    double small = 0, large = 0, squares = 0, mean = 0, mean_squares = 0;
    for (int64_t j = 0; j < sizes; j++) {
        const double c = columns[j], j1 = (double)(j + 1);
        if (c == 0) continue;
        small += c / (j1 * j1);
        large += c * (j1 * j1);
        squares += c * c;
        mean += j1 * c;
        mean_squares += j1 * j1 * c;
    }
    const double n = s.total, mean_level = s.level / n, mean_size = mean / n;
    f[0] = small / n;
    f[1] = large / n;
    f[2] = s.low / n;
    f[3] = s.high / n;
    f[4] = s.small_low / n;
    f[5] = s.small_high / n;
    f[6] = s.large_low / n;
    f[7] = s.large_high / n;
    f[8] = s.rows_squared / n;
    f[9] = s.rows_squared / (n * n);
    f[10] = squares / n;
    f[11] = squares / (n * n);
    f[12] = n / possible;
    f[13] = s.level_squared / n - mean_level * mean_level;
    f[14] = mean_squares / n - mean_size * mean_size;
    f[15] = log2(n) - s.count_log / n;
    f[16] = s.squares / (n * n);
}

// Features of [direction][levels][sizes] counts, averaged and merged as above; `voxels` is the
// number of region voxels each direction was counted on.
API int describe_count_matrices(const uint32_t *counts, int directions, int levels, int64_t sizes,
                                double voxels, double *averaged, double *merged) {
    const int64_t cells = (int64_t)levels * sizes;
    double *columns = malloc((size_t)sizes * sizeof(double));
    uint32_t *sum = calloc((size_t)cells, sizeof(uint32_t));
    if (columns && sum) {
        Average average = {{0}, {0}};
        for (int d = 0; d < directions; d++) {
            double f[COUNT_FEATURES];
            describe_counts(counts + d * cells, levels, sizes, voxels, columns, f);
            add_to_average(&average, f, COUNT_FEATURES);
            for (int64_t c = 0; c < cells; c++) sum[c] += counts[d * cells + c];
        }
        finish_average(&average, COUNT_FEATURES, averaged);
        describe_counts(sum, levels, sizes, voxels * directions, columns, merged);
    }
    const int done = columns && sum;
    free(columns);
    free(sum);
    return done;
}

enum { ZONE_CELLS = 1 << 16, MOST_SIZES = 256 };

static int compare_keys(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

typedef struct {
    double small, large, low, high, small_low, small_high, large_low, large_high, level, size;
    double size_squares, count_log;
} ZoneSums;

// `count` zones of one size and level.
static void add_zones(ZoneSums *s, double count, double size, double level) {
    const double z2 = size * size, g2 = level * level;
    s->small += count / z2;
    s->large += count * z2;
    s->low += count / g2;
    s->high += count * g2;
    s->small_low += count / (z2 * g2);
    s->small_high += count * g2 / z2;
    s->large_low += count * z2 / g2;
    s->large_high += count * z2 * g2;
    s->level += count * level;
    s->size += count * size;
    s->count_log += count_log(count);
}

// Zones counted by size (from 1) and level.
static void add_counted_zones(ZoneSums *s, const uint32_t *counted, int64_t sizes, int levels) {
    for (int64_t z = 1; z < sizes; z++) {
        double of_size = 0;
        for (int g = 1; g <= levels; g++) {
            const double count = counted[z * (levels + 1) + g];
            if (count == 0) continue;
            add_zones(s, count, (double)z, g);
            of_size += count;
        }
        s->size_squares += of_size * of_size;
    }
}

// Zones as sorted keys: size in the high bits, level in the low 16.
static void add_sorted_zones(ZoneSums *s, const uint64_t *keys, int64_t n) {
    for (int64_t a = 0, b; a < n; a = b) {
        int64_t c = a;
        for (b = a; b < n && keys[b] >> 16 == keys[a] >> 16; b = c) {
            for (c = b; c < n && keys[c] == keys[b]; c++) {}
            add_zones(s, (double)(c - b), (double)(keys[b] >> 16), (double)(keys[b] & 0xffff));
        }
        s->size_squares += (double)(b - a) * (double)(b - a);
    }
}

static void finish_zones(const ZoneSums *s, double n, double level_squares, double voxels,
                         double *f) {
    f[0] = s->small / n;
    f[1] = s->large / n;
    f[2] = s->low / n;
    f[3] = s->high / n;
    f[4] = s->small_low / n;
    f[5] = s->small_high / n;
    f[6] = s->large_low / n;
    f[7] = s->large_high / n;
    f[8] = level_squares / n;
    f[9] = level_squares / (n * n);
    f[10] = s->size_squares / n;
    f[11] = s->size_squares / (n * n);
    f[12] = n / voxels;
    f[13] = s->high / n - (s->level / n) * (s->level / n);
    f[14] = s->large / n - (s->size / n) * (s->size / n);
    f[15] = log2(n) - s->count_log / n;
}

// 16 features of a list of zones (a sparse size zone matrix: sizes reach the whole region).
// The many small zones are counted, the few large ones sorted. Returns 0 when memory ran out.
API int describe_zones(const uint16_t *level, const uint32_t *size, int64_t zones, int levels,
                       double voxels, double *f) {
    const int64_t width = levels + 1, room = ZONE_CELLS / width;
    const int64_t sizes = room < 1 ? 1 : room > MOST_SIZES ? MOST_SIZES : room;
    uint32_t *counted = calloc((size_t)(sizes * width), sizeof(uint32_t));
    uint64_t *of_level = calloc((size_t)width, sizeof(uint64_t));
    int64_t large = 0;
    for (int64_t t = 0; t < zones; t++) large += size[t] >= sizes;
    uint64_t *keys = malloc((size_t)(large + 1) * sizeof(uint64_t));
    const int done = counted && of_level && keys;
    if (done) {
        ZoneSums s = {0};
        double level_squares = 0;
        large = 0;
        for (int64_t t = 0; t < zones; t++) {
            of_level[level[t]]++;
            if (size[t] < sizes) counted[size[t] * width + level[t]]++;
            else keys[large++] = (uint64_t)size[t] << 16 | level[t];
        }
        for (int64_t g = 1; g < width; g++) level_squares += (double)of_level[g] * (double)of_level[g];
        add_counted_zones(&s, counted, sizes, levels);
        qsort(keys, (size_t)large, sizeof(uint64_t), compare_keys);
        add_sorted_zones(&s, keys, large);
        finish_zones(&s, (double)zones, level_squares, voxels, f);
    }
    free(counted);
    free(of_level);
    free(keys);
    return done;
}

// Count zones by level and border distance: counts[levels][farthest], zero on entry.
API void count_zone_distances(const uint16_t *level, const uint16_t *distance, int64_t zones,
                              int64_t farthest, uint32_t *counts) {
    for (int64_t t = 0; t < zones; t++)
        counts[(level[t] - 1) * farthest + distance[t] - 1]++;
}

// 5 features of a neighborhood gray tone difference matrix: s_i and n_i by level. The values
// without contrast (10^6 and 0) are the standard's own (IBSI 3.10.1 to 3.10.5).
API void describe_tone_differences(const double *s, const uint32_t *n, int levels, double *f) {
    double total = 0, all_differences = 0, weighted = 0;
    double contrast = 0, busyness = 0, complexity = 0, strength = 0;
    int present = 0;
    for (int k = 0; k < TONE_FEATURES; k++) f[k] = NAN;
    for (int i = 0; i < levels; i++) {
        total += n[i];
        all_differences += s[i];
        weighted += n[i] * s[i];
        present += n[i] > 0;
    }
    if (total == 0) return;
    weighted /= total;
    for (int i = 0; i < levels; i++) {
        if (!n[i]) continue;
        const double pi = n[i] / total;
        for (int j = 0; j < levels; j++) {
            if (!n[j]) continue;
            const double pj = n[j] / total, d = i - j;
            contrast += pi * pj * d * d;
            busyness += fabs((i + 1) * pi - (j + 1) * pj);
            complexity += fabs(d) * (pi * s[i] + pj * s[j]) / (pi + pj);
            strength += (pi + pj) * d * d;
        }
    }
    const double pairs = (double)present * (present - 1);
    f[0] = weighted > 0 ? 1 / weighted : 1e6;
    f[1] = present > 1 ? contrast / pairs * all_differences / total : 0;
    f[2] = present > 1 && busyness > 0 ? weighted / busyness : 0;
    f[3] = complexity / total;
    f[4] = all_differences > 0 ? strength / all_differences : 0;
}
