// Intensity statistics, histogram, intensity-volume histogram and local intensity
// (IBSI 1, chapters 3.2 to 3.5). Undefined features are NaN.
#include "core.h"

// Percentile, linear between ranks; the two values of those ranks must be in their places.
static double percentile(const double *v, int64_t n, double fraction) {
    const double rank = fraction * (double)(n - 1);
    const int64_t k = (int64_t)rank;
    return k + 1 < n ? v[k] + (v[k + 1] - v[k]) * (rank - (double)k) : v[n - 1];
}

static double ratio(double numerator, double denominator) {
    return denominator != 0 ? numerator / denominator : NAN;
}

// 18 statistics of n > 0 values, in IBSI order. The least, the largest and those that the five
// percentiles fall between must be where sorting would put them.
API void describe_intensities(const double *v, int64_t n, double *f) {
    double mean = 0, energy = 0, m2 = 0, m3 = 0, m4 = 0, mad = 0, medad = 0, rmad = 0;
    const double p10 = percentile(v, n, 0.10), p25 = percentile(v, n, 0.25);
    const double median = percentile(v, n, 0.5);
    const double p75 = percentile(v, n, 0.75), p90 = percentile(v, n, 0.90);
    double robust_mean = 0, robust_count = 0;
    for (int64_t i = 0; i < n; i++) {
        mean += v[i];
        energy += v[i] * v[i];
        if (v[i] >= p10 && v[i] <= p90) {
            robust_mean += v[i];
            robust_count++;
        }
    }
    mean /= (double)n;
    robust_mean /= robust_count;
    for (int64_t i = 0; i < n; i++) {
        const double d = v[i] - mean, d2 = d * d;
        m2 += d2;
        m3 += d2 * d;
        m4 += d2 * d2;
        mad += fabs(d);
        medad += fabs(v[i] - median);
        if (v[i] >= p10 && v[i] <= p90) rmad += fabs(v[i] - robust_mean);
    }
    m2 /= (double)n;
    m3 /= (double)n;
    m4 /= (double)n;
    const int flat = v[0] == v[n - 1];
    f[0] = mean;
    f[1] = flat ? 0 : m2;
    f[2] = flat ? NAN : m3 / pow(m2, 1.5);
    f[3] = flat ? NAN : m4 / (m2 * m2) - 3;
    f[4] = median;
    f[5] = v[0];
    f[6] = p10;
    f[7] = p90;
    f[8] = v[n - 1];
    f[9] = p75 - p25;
    f[10] = v[n - 1] - v[0];
    f[11] = flat ? 0 : mad / (double)n;
    f[12] = flat ? 0 : rmad / robust_count;
    f[13] = flat ? 0 : medad / (double)n;
    f[14] = ratio(sqrt(f[1]), mean);
    f[15] = ratio(p75 - p25, p75 + p25);
    f[16] = energy;
    f[17] = sqrt(energy / (double)n);
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

// Sum over a neighborhood of rows around each of n positions. `running` holds running sums along
// the rows: running[p] is the sum of the row up to and excluding p. A neighborhood row starts at
// position + first and holds `length` voxels.
API void sum_neighborhoods(const double *running, const int64_t *positions, int64_t n,
                           const int64_t *first, const int64_t *length, int64_t rows, double *out) {
    for (int64_t t = 0; t < n; t++) {
        const double *here = running + positions[t];
        double sum = 0;
        for (int64_t r = 0; r < rows; r++) sum += here[first[r] + length[r]] - here[first[r]];
        out[t] = sum;
    }
}
