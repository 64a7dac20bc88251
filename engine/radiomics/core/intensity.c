// Histogram, intensity-volume histogram and local intensity (IBSI 1, chapters 3.2, 3.4 and 3.5). Undefined features are NaN.
#include "core.h"

static double ratio(double numerator, double denominator) {
    return denominator != 0 ? numerator / denominator : NAN;
}

enum { BIN_BLOCK = 512 };

// Gray level of n values, floor(scale * (value - low) / width) + 1 and at most `most`; values
// are not below `low`. `levels` may be null; counts[most], zero on entry, is the histogram.
API void count_levels(const double *v, int64_t n, const double bins[3], int32_t most,
                      uint16_t *levels, uint32_t *counts) {
    const double low = bins[0], scale = bins[1], width = bins[2];
    int32_t block[BIN_BLOCK];
    for (int64_t start = 0; start < n; start += BIN_BLOCK) {
        const int64_t m = n - start < BIN_BLOCK ? n - start : BIN_BLOCK;
        for (int64_t i = 0; i < m; i++) {
            const int32_t level = (int32_t)(scale * (v[start + i] - low) / width);
            block[i] = level < most - 1 ? level : most - 1;
        }
        for (int64_t i = 0; i < m; i++) counts[block[i]]++;
        for (int64_t i = 0; levels && i < m; i++) levels[start + i] = (uint16_t)(block[i] + 1);
    }
}

// Values of a region, segment by segment, from the box around it. The segments' starts are
// indices into the box padded by one voxel: padded[2] is its row length, padded[1] its rows.
API void gather_region(const double *box, const int64_t padded[3], const int32_t *segment_start,
                       const int32_t *segment_length, int64_t segments, double *values) {
    const int64_t columns = padded[2], slice = padded[1] * columns;
    for (int64_t k = 0; k < segments; k++) {
        const int64_t p = segment_start[k], z = p / slice - 1, y = p % slice / columns - 1;
        const double *row = box + (z * (padded[1] - 2) + y) * (columns - 2) + p % columns - 1;
        memcpy(values, row, (size_t)segment_length[k] * sizeof(double));
        values += segment_length[k];
    }
}

static double level_at_rank(const double *cumulative, int levels, double rank) {
    for (int i = 0; i < levels; i++)
        if (cumulative[i] > rank) return i + 1;
    return levels;
}

static double level_percentile(const double *cumulative, int levels, double n, double fraction) {
    const double rank = fraction * (n - 1), low = floor(rank);
    const double a = level_at_rank(cumulative, levels, low);
    return rank > low ? a + (level_at_rank(cumulative, levels, low + 1) - a) * (rank - low) : a;
}

static void describe_gradients(const uint32_t *h, int levels, double *f) {
    f[19] = f[20] = f[21] = f[22] = NAN;
    if (levels < 2) return;
    for (int i = 0; i < levels; i++) {
        const double low = h[i ? i - 1 : 0], high = h[i < levels - 1 ? i + 1 : i];
        const double gradient = (high - low) / (i == 0 || i == levels - 1 ? 1 : 2);
        if (i == 0 || gradient > f[19]) { f[19] = gradient; f[20] = i + 1; }
        if (i == 0 || gradient < f[21]) { f[21] = gradient; f[22] = i + 1; }
    }
}

// 23 features of a histogram of gray levels 1..levels with n > 0 entries, in IBSI order.
// Returns 0 when memory ran out.
API int describe_histogram(const uint32_t *h, int levels, double *f) {
    double *cumulative = malloc((size_t)levels * sizeof(double));
    if (!cumulative) return 0;
    double n = 0, mean = 0, robust_mean = 0, robust_count = 0;
    int lowest = 0, highest = 0, mode = 0;
    for (int i = 0; i < levels; i++) {
        n += h[i];
        cumulative[i] = n;
        mean += (i + 1.0) * h[i];
        if (h[i] && !lowest) lowest = i + 1;
        if (h[i]) highest = i + 1;
        if (h[i] > h[mode]) mode = i;
    }
    mean /= n;
    const double p10 = level_percentile(cumulative, levels, n, 0.10);
    const double p25 = level_percentile(cumulative, levels, n, 0.25);
    const double median = level_percentile(cumulative, levels, n, 0.5);
    const double p75 = level_percentile(cumulative, levels, n, 0.75);
    const double p90 = level_percentile(cumulative, levels, n, 0.90);
    double m2 = 0, m3 = 0, m4 = 0, mad = 0, medad = 0, rmad = 0, entropy = 0, uniformity = 0;
    for (int i = 0; i < levels; i++) {
        if (!h[i]) continue;
        const double g = i + 1, d = g - mean, p = h[i] / n;
        m2 += p * d * d;
        m3 += p * d * d * d;
        m4 += p * d * d * d * d;
        mad += p * fabs(d);
        medad += p * fabs(g - median);
        entropy -= p * log2(p);
        uniformity += p * p;
        if (g >= p10 && g <= p90) {
            robust_mean += g * h[i];
            robust_count += h[i];
        }
    }
    robust_mean /= robust_count;
    for (int i = 0; i < levels; i++)
        if (i + 1 >= p10 && i + 1 <= p90) rmad += h[i] * fabs(i + 1 - robust_mean);
    const int flat = lowest == highest;
    f[0] = mean;
    f[1] = m2;
    f[2] = flat ? NAN : m3 / pow(m2, 1.5);
    f[3] = flat ? NAN : m4 / (m2 * m2) - 3;
    f[4] = median;
    f[5] = lowest;
    f[6] = p10;
    f[7] = p90;
    f[8] = highest;
    f[9] = mode + 1;
    f[10] = p75 - p25;
    f[11] = highest - lowest;
    f[12] = mad;
    f[13] = rmad / robust_count;
    f[14] = medad;
    f[15] = sqrt(m2) / mean;
    f[16] = ratio(p75 - p25, p75 + p25);
    f[17] = entropy;
    f[18] = uniformity;
    describe_gradients(h, levels, f);
    free(cumulative);
    return 1;
}

static int64_t count_below(const double *v, int64_t n, double x) {
    int64_t a = 0, b = n;
    while (a < b) {
        const int64_t middle = (a + b) / 2;
        if (v[middle] < x) a = middle + 1;
        else b = middle;
    }
    return a;
}

// Volume fraction of n ascending values with an intensity of at least x.
static double volume_at(const double *v, int64_t n, double x) {
    return 1.0 - (double)count_below(v, n, x) / (double)n;
}

// Least grid intensity whose volume fraction is at most `fraction`.
static double intensity_at(const double *v, int64_t n, const double grid[3], int64_t steps,
                           double fraction) {
    int64_t a = 0, b = steps;
    while (a < b) {
        const int64_t middle = (a + b) / 2;
        if (volume_at(v, n, grid[0] + (double)middle * grid[1] - grid[2]) <= fraction) b = middle;
        else a = middle + 1;
    }
    return grid[0] + (double)a * grid[1];
}

// 6 features of the intensity-volume histogram of n > 0 ascending values (IBSI 3.5).
// grid: first intensity, step, and how far a bin reaches below the intensity that names it.
API void describe_volume_histogram(const double *v, int64_t n, const double grid[3], int64_t steps,
                                   double *f) {
    const double last = (double)(steps - 1);
    const double x10 = grid[0] + ceil(0.1 * last - 1e-9) * grid[1] - grid[2];
    const double x90 = grid[0] + ceil(0.9 * last - 1e-9) * grid[1] - grid[2];
    f[0] = volume_at(v, n, x10);
    f[1] = volume_at(v, n, x90);
    f[2] = intensity_at(v, n, grid, steps, 0.1);
    f[3] = intensity_at(v, n, grid, steps, 0.9);
    f[4] = f[0] - f[1];
    f[5] = f[2] - f[3];
}

// 6 features of the intensity-volume histogram of gray levels 1..levels with n > 0 entries.
API void describe_volume_levels(const uint32_t *counts, int32_t levels, int64_t n, double *f) {
    const double last = (double)(levels - 1);
    const int32_t x10 = (int32_t)ceil(0.1 * last - 1e-9), x90 = (int32_t)ceil(0.9 * last - 1e-9);
    int64_t below = 0;
    f[2] = f[3] = levels + 1;
    for (int32_t k = 0; k < levels; below += counts[k++]) {
        const double volume = 1.0 - (double)below / (double)n;
        if (k == x10) f[0] = volume;
        if (k == x90) f[1] = volume;
        if (volume <= 0.1 && f[2] > levels) f[2] = k + 1;
        if (volume <= 0.9 && f[3] > levels) f[3] = k + 1;
    }
    f[4] = f[0] - f[1];
    f[5] = f[2] - f[3];
}

enum { ROW_BLOCK = 8 };

// Sum over a neighborhood of rows around each voxel of a region's segments. `running` holds sums
// along the rows: running[p] is the sum of the row up to and excluding p. A neighborhood row
// starts at position + first and holds `length` voxels.
API void sum_neighborhoods(const double *running, const int64_t *segment_start,
                           const int32_t *segment_length, int64_t segments, const int64_t *first,
                           const int64_t *length, int64_t rows, double *out) {
    for (int64_t k = 0; k < segments; k++) {
        const double *here = running + segment_start[k];
        const int32_t n = segment_length[k];
        int32_t x = 0;
        for (; x + ROW_BLOCK <= n; x += ROW_BLOCK) {
            double sum[ROW_BLOCK] = {0};
            for (int64_t r = 0; r < rows; r++) {
                const double *a = here + x + first[r], *b = a + length[r];
                for (int i = 0; i < ROW_BLOCK; i++) sum[i] += b[i] - a[i];
            }
            memcpy(out + x, sum, sizeof sum);
        }
        for (; x < n; x++) {
            out[x] = 0;
            for (int64_t r = 0; r < rows; r++)
                out[x] += here[x + first[r] + length[r]] - here[x + first[r]];
        }
        out += n;
    }
}
