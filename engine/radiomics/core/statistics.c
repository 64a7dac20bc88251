// Intensity statistics (IBSI 1, chapter 3.3). Undefined features are NaN.
#include "core.h"

static double ratio(double numerator, double denominator) {
    return denominator != 0 ? numerator / denominator : NAN;
}

// Sums run in LANES of their own, so that every processor adds in the same order.
enum { LANES = 8, PERCENTILES = 5 };

typedef struct {
    double low, high, sum, energy;
} Range;

static double add_lanes(const double *lane) {
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static Range measure_range(const double *v, int64_t n) {
    double low[LANES], high[LANES], sum[LANES] = {0}, energy[LANES] = {0};
    for (int k = 0; k < LANES; k++) low[k] = high[k] = v[0];
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const double x = v[i + k];
            low[k] = x < low[k] ? x : low[k];
            high[k] = x > high[k] ? x : high[k];
            sum[k] += x;
            energy[k] += x * x;
        }
    for (int k = 0; i < n; i++, k++) {
        low[k] = v[i] < low[k] ? v[i] : low[k];
        high[k] = v[i] > high[k] ? v[i] : high[k];
        sum[k] += v[i];
        energy[k] += v[i] * v[i];
    }
    Range r = {low[0], high[0], add_lanes(sum), add_lanes(energy)};
    for (int k = 1; k < LANES; k++) {
        r.low = low[k] < r.low ? low[k] : r.low;
        r.high = high[k] > r.high ? high[k] : r.high;
    }
    return r;
}

// Percentiles of n > 0 values, linear between ranks. Returns 0 when memory ran out.
static int find_percentiles(const double *v, int64_t n, const Range *r, double *p) {
    static const double FRACTIONS[PERCENTILES] = {0.10, 0.25, 0.50, 0.75, 0.90};
    int64_t ranks[2 * PERCENTILES];
    double values[2 * PERCENTILES];
    for (int k = 0; k < PERCENTILES; k++) {
        const int64_t low = (int64_t)(FRACTIONS[k] * (double)(n - 1));
        ranks[2 * k] = low;
        ranks[2 * k + 1] = low + 1 < n ? low + 1 : n - 1;
    }
    for (int i = 1; i < 2 * PERCENTILES; i++)  // of few values the ranks overlap
        for (int k = i; k > 0 && ranks[k - 1] > ranks[k]; k--) {
            const int64_t swap = ranks[k];
            ranks[k] = ranks[k - 1];
            ranks[k - 1] = swap;
        }
    if (!select_ranks(v, n, r->low, r->high, ranks, 2 * PERCENTILES, values)) return 0;
    for (int k = 0; k < PERCENTILES; k++) {
        const double rank = FRACTIONS[k] * (double)(n - 1);
        const int64_t low = (int64_t)rank, high = low + 1 < n ? low + 1 : n - 1;
        int i = 0, j = 0;
        while (ranks[i] != low) i++;
        while (ranks[j] != high) j++;
        p[k] = values[i] + (values[j] - values[i]) * (rank - (double)low);
    }
    return 1;
}

typedef struct {
    double m2, m3, m4, deviation, median_deviation, robust_sum, robust_count;
} Moments;

// Mean and number of the values from p10 to p90.
static void sum_robust(const double *v, int64_t n, double p10, double p90, Moments *m) {
    double sum[LANES] = {0}, count[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const double x = v[i + k], inside = x >= p10 && x <= p90 ? 1.0 : 0.0;
            sum[k] += inside * x;
            count[k] += inside;
        }
    for (int k = 0; i < n; i++, k++) {
        const double inside = v[i] >= p10 && v[i] <= p90 ? 1.0 : 0.0;
        sum[k] += inside * v[i];
        count[k] += inside;
    }
    m->robust_sum = add_lanes(sum);
    m->robust_count = add_lanes(count);
}

static void sum_moments(const double *v, int64_t n, double mean, double median, Moments *m) {
    double m2[LANES] = {0}, m3[LANES] = {0}, m4[LANES] = {0}, mad[LANES] = {0}, medad[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const double d = v[i + k] - mean, d2 = d * d;
            m2[k] += d2;
            m3[k] += d2 * d;
            m4[k] += d2 * d2;
            mad[k] += fabs(d);
            medad[k] += fabs(v[i + k] - median);
        }
    for (int k = 0; i < n; i++, k++) {
        const double d = v[i] - mean, d2 = d * d;
        m2[k] += d2;
        m3[k] += d2 * d;
        m4[k] += d2 * d2;
        mad[k] += fabs(d);
        medad[k] += fabs(v[i] - median);
    }
    m->m2 = add_lanes(m2) / (double)n;
    m->m3 = add_lanes(m3) / (double)n;
    m->m4 = add_lanes(m4) / (double)n;
    m->deviation = add_lanes(mad) / (double)n;
    m->median_deviation = add_lanes(medad) / (double)n;
}

static double robust_deviation(const double *v, int64_t n, const double *p, const Moments *m) {
    const double mean = m->robust_sum / m->robust_count;
    double sum[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            const double x = v[i + k], d = fabs(x - mean);
            sum[k] += x >= p[0] && x <= p[4] ? d : 0.0;
        }
    for (int k = 0; i < n; i++, k++) sum[k] += v[i] >= p[0] && v[i] <= p[4] ? fabs(v[i] - mean) : 0;
    return add_lanes(sum) / m->robust_count;
}

// 18 statistics of n > 0 values, in IBSI order. Returns 0 when memory ran out.
API int describe_intensities(const double *v, int64_t n, double *f) {
    const Range r = measure_range(v, n);
    double p[PERCENTILES];
    Moments m;
    if (!find_percentiles(v, n, &r, p)) return 0;
    const double mean = r.sum / (double)n;
    const int flat = r.low == r.high;
    sum_robust(v, n, p[0], p[4], &m);
    sum_moments(v, n, mean, p[2], &m);
    f[0] = mean;
    f[1] = flat ? 0 : m.m2;
    f[2] = flat ? NAN : m.m3 / pow(m.m2, 1.5);
    f[3] = flat ? NAN : m.m4 / (m.m2 * m.m2) - 3;
    f[4] = p[2];
    f[5] = r.low;
    f[6] = p[0];
    f[7] = p[4];
    f[8] = r.high;
    f[9] = p[3] - p[1];
    f[10] = r.high - r.low;
    f[11] = flat ? 0 : m.deviation;
    f[12] = flat ? 0 : robust_deviation(v, n, p, &m);
    f[13] = flat ? 0 : m.median_deviation;
    f[14] = ratio(sqrt(f[1]), mean);
    f[15] = ratio(p[3] - p[1], p[3] + p[1]);
    f[16] = r.energy;
    f[17] = sqrt(r.energy / (double)n);
    return 1;
}
