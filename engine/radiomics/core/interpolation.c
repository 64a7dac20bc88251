// Linear and cubic spline interpolation (IBSI 1, chapter 2.4).
#include "core.h"

typedef struct {
    int64_t outer, length, inner;  // the axis has `length` samples `inner` apart
} Axis;

static Axis view_axis(const int64_t shape[3], int axis) {
    Axis a = {1, shape[axis], 1};
    for (int k = 0; k < axis; k++) a.outer *= shape[k];
    for (int k = axis + 1; k < 3; k++) a.inner *= shape[k];
    return a;
}

// Weighted sums of consecutive samples along an axis: out[i] = sum over k of
// weights[i][k] * in[first[i] + k]. Serves linear and spline interpolation.
API void interpolate_axis(const double *in, const int64_t shape[3], int axis, const int64_t *first,
                          const double *weights, int taps, int64_t samples, double *out) {
    const Axis a = view_axis(shape, axis);
    for (int64_t o = 0; o < a.outer; o++) {
        for (int64_t i = 0; i < samples; i++) {
            const double *w = weights + i * taps;
            const double *source = in + (o * a.length + first[i]) * a.inner;
            double *restrict target = out + (o * samples + i) * a.inner;
            if (a.inner == 1) {
                double sum = 0;
                for (int k = 0; k < taps; k++) sum += w[k] * source[k];
                target[0] = sum;
                continue;
            }
            for (int64_t x = 0; x < a.inner; x++) target[x] = w[0] * source[x];
            for (int k = 1; k < taps; k++) {
                const double *s = source + k * a.inner, weight = w[k];
                for (int64_t x = 0; x < a.inner; x++) target[x] += weight * s[x];
            }
        }
    }
}

// Pole of the cubic B-spline's inverse filter (Unser 1999, doi:10.1109/79.799930).
static const double POLE = -0.26794919243112270647;  // sqrt(3) - 2
enum { CAUSAL_START = 40 };  // |pole|^40 < 1e-22

// Coefficients of `lanes` interleaved lines of n samples that lie `s` apart, in place.
static inline void prefilter_lines(double *line, int64_t n, int64_t s, int64_t lanes) {
    const double gain = (1 - POLE) * (1 - 1 / POLE);
    double power = POLE, own = 1;  // a short line is mirrored more than once
    for (int64_t k = 1; k < CAUSAL_START; k++, power *= POLE)
        if (k % (2 * n - 2) == 0) own += power;
    for (int64_t x = 0; x < lanes; x++) line[x] *= own;
    power = POLE;
    for (int64_t k = 1; k < CAUSAL_START; k++, power *= POLE) {
        const int64_t turn = k % (2 * n - 2);
        if (turn == 0) continue;
        const double *c = line + (turn < n ? turn : 2 * n - 2 - turn) * s;
        for (int64_t x = 0; x < lanes; x++) line[x] += power * c[x];
    }
    for (int64_t x = 0; x < lanes; x++) line[x] *= gain;
    for (int64_t k = 1; k < n; k++) {
        double *here = line + k * s;
        for (int64_t x = 0; x < lanes; x++) here[x] = gain * here[x] + POLE * here[x - s];
    }
    double *last = line + (n - 1) * s;
    for (int64_t x = 0; x < lanes; x++)
        last[x] = POLE / (POLE * POLE - 1) * (last[x] + POLE * last[x - s]);
    for (int64_t k = n - 2; k >= 0; k--) {
        double *here = line + k * s;
        for (int64_t x = 0; x < lanes; x++) here[x] = POLE * (here[x + s] - here[x]);
    }
}

// Turn samples into cubic B-spline coefficients along the first axis, in place, mirrored
// boundaries.
API void prefilter_slices(double *data, const int64_t shape[3]) {
    if (shape[0] > 1) prefilter_lines(data, shape[0], shape[1] * shape[2], shape[1] * shape[2]);
}

// How one axis becomes another: out[i] = sum over k of weights[i][k] * in[first[i] + k]. Samples
// beyond the ends are mirrored. No taps: the axis stays as it is.
typedef struct {
    const int64_t *first;
    const double *weights;
    int64_t samples, resampled;
    int32_t taps;
    int32_t spline;  // the samples must become spline coefficients first
} AxisPlan;

enum { LINES = 8 };  // rows that run through the recursion side by side
typedef double Lines __attribute__((vector_size(LINES * sizeof(double)), aligned(8)));

static int64_t mirror(int64_t k, int64_t n) {
    k = k < 0 ? -k : k;
    return k < n ? k : 2 * (n - 1) - k;
}

static void resample_rows(double *plane, const AxisPlan *y, int64_t columns, double *out) {
    if (y->spline) prefilter_lines(plane, y->samples, columns, columns);
    for (int64_t i = 0; i < y->resampled; i++) {
        double *restrict row = out + i * columns;
        for (int32_t k = 0; k < y->taps; k++) {
            const double weight = y->weights[i * y->taps + k];
            const double *from = plane + mirror(y->first[i] + k, y->samples) * columns;
            for (int64_t x = 0; x < columns; x++)
                row[x] = k ? row[x] + weight * from[x] : weight * from[x];
        }
    }
}

// Rows are interleaved, because the recursion has to wait for each sample's predecessor.
static void resample_columns(const double *plane, int64_t rows, const AxisPlan *x, int round,
                             Lines *lines, double *out) {
    for (int64_t r = 0; r < rows; r += LINES) {
        const int64_t kept = rows - r < LINES ? rows - r : LINES;
        for (int64_t i = 0; i < LINES; i++) {
            const double *row = plane + (r + (i < kept ? i : 0)) * x->samples;
            for (int64_t k = 0; k < x->samples; k++) ((double *)lines)[k * LINES + i] = row[k];
        }
        if (x->spline) prefilter_lines((double *)lines, x->samples, LINES, LINES);
        for (int64_t c = 0; c < x->resampled; c++) {
            Lines sum = x->weights[c * x->taps] * lines[mirror(x->first[c], x->samples)];
            for (int32_t k = 1; k < x->taps; k++)
                sum += x->weights[c * x->taps + k] * lines[mirror(x->first[c] + k, x->samples)];
            for (int64_t i = 0; i < kept; i++)
                out[(r + i) * x->resampled + c] = round ? rint(sum[i]) : sum[i];
        }
    }
}

// Resample the rows and columns of slices, one slice after the other. `in` holds doubles or,
// with `whole`, int16, rows contiguous, slices and rows `strides` apart; `round` to whole
// numbers in the end. Returns 0 when memory ran out.
API int resample_planes(const void *in, int whole, const int64_t strides[2], int64_t slices,
                        const AxisPlan plans[2], int round, double *out) {
    const AxisPlan *y = plans, *x = plans + 1;
    const int64_t rows = y->taps ? y->resampled : y->samples;
    const int64_t columns = x->taps ? x->resampled : x->samples;
    double *plane = malloc((size_t)(y->samples * x->samples) * sizeof(double));
    double *between = malloc((size_t)(rows * x->samples) * sizeof(double));
    Lines *lines = malloc((size_t)x->samples * sizeof(Lines));
    const int done = plane && between && lines;
    for (int64_t z = 0; done && z < slices; z++, out += rows * columns) {
        for (int64_t r = 0; r < y->samples; r++) {
            const int64_t at = z * strides[0] + r * strides[1];
            double *row = plane + r * x->samples;
            if (whole) for (int64_t c = 0; c < x->samples; c++) row[c] = ((const int16_t *)in + at)[c];
            else memcpy(row, (const double *)in + at, (size_t)x->samples * sizeof(double));
        }
        if (y->taps) resample_rows(plane, y, x->samples, between);
        const double *source = y->taps ? between : plane;
        if (x->taps) resample_columns(source, rows, x, round, lines, out);
        else
            for (int64_t k = 0; k < rows * columns; k++) out[k] = round ? rint(source[k]) : source[k];
    }
    free(plane);
    free(between);
    free(lines);
    return done;
}
