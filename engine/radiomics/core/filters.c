// Separable filters of volumes.
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

enum { WIDE = 16, NARROW = 4, COLUMN_BLOCK = 512 };

// `width` neighboring samples of a correlation, held in registers; the taps lie `step` apart.
static inline void correlate_block(const double *in, int width, int64_t step, const double *kernel,
                                   int taps, int accumulate, double *out) {
    double sum[WIDE];
    for (int i = 0; i < width; i++) sum[i] = accumulate ? out[i] : 0.0;
    for (int k = 0; k < taps; k++) {
        const double weight = kernel[k], *s = in + k * step;
        for (int i = 0; i < width; i++) sum[i] += weight * s[i];
    }
    for (int i = 0; i < width; i++) out[i] = sum[i];
}

static void correlate_run(const double *in, int64_t count, int64_t step, const double *kernel,
                          int taps, int accumulate, double *out) {
    int64_t x = 0;
    for (; x + WIDE <= count; x += WIDE)
        correlate_block(in + x, WIDE, step, kernel, taps, accumulate, out + x);
    for (; x + NARROW <= count; x += NARROW)
        correlate_block(in + x, NARROW, step, kernel, taps, accumulate, out + x);
    for (; x < count; x++) correlate_block(in + x, 1, step, kernel, taps, accumulate, out + x);
}

// Correlate with a kernel along an axis, keeping only samples whose whole support is there:
// the axis shrinks by taps - 1 (times `dilation`). Adds to `out` when `accumulate` is set.
// Works on blocks of columns, so that what the taps share stays in the cache.
API void correlate_axis(const double *in, const int64_t shape[3], int axis, const double *kernel,
                        int taps, int64_t dilation, int accumulate, double *out) {
    const Axis a = view_axis(shape, axis);
    const int64_t samples = a.length - (taps - 1) * dilation, step = dilation * a.inner;
    for (int64_t o = 0; o < a.outer; o++) {
        const double *source = in + o * a.length * a.inner;
        double *target = out + o * samples * a.inner;
        if (a.inner <= COLUMN_BLOCK) {
            correlate_run(source, samples * a.inner, step, kernel, taps, accumulate, target);
            continue;
        }
        for (int64_t c = 0; c < a.inner; c += COLUMN_BLOCK) {
            const int64_t width = a.inner - c < COLUMN_BLOCK ? a.inner - c : COLUMN_BLOCK;
            for (int64_t i = 0; i < samples; i++)
                correlate_run(source + i * a.inner + c, width, step, kernel, taps, accumulate,
                              target + i * a.inner + c);
        }
    }
}

// Two correlations of the same samples.
static inline void correlate_pair(const double *in, int width, int64_t step, const double *a,
                                  const double *b, int taps, double *out_a, double *out_b) {
    double sum_a[NARROW * 2] = {0}, sum_b[NARROW * 2] = {0};
    for (int k = 0; k < taps; k++) {
        const double wa = a[k], wb = b[k], *s = in + k * step;
        for (int i = 0; i < width; i++) {
            sum_a[i] += wa * s[i];
            sum_b[i] += wb * s[i];
        }
    }
    for (int i = 0; i < width; i++) {
        out_a[i] = sum_a[i];
        out_b[i] = sum_b[i];
    }
}

static void correlate_pair_run(const double *in, int64_t count, int64_t step, const double *a,
                               const double *b, int taps, double *out_a, double *out_b) {
    int64_t x = 0;
    for (; x + 2 * NARROW <= count; x += 2 * NARROW)
        correlate_pair(in + x, 2 * NARROW, step, a, b, taps, out_a + x, out_b + x);
    for (; x < count; x++) correlate_pair(in + x, 1, step, a, b, taps, out_a + x, out_b + x);
}

// Sum of the second derivatives of a smoothed image. `in` has rows of shape[2] samples, strides
// give the distance of slices and rows; kernels hold, for z, y and x, the smoothing weights and
// then those of the second derivative, taps[axis] each. Each axis shrinks by taps - 1.
// scratch: 2 * shape[1] * shape[2] * (slices left) + 2 * shape[2] * (rows left) numbers.
API void filter_laplacian(const double *in, const int64_t strides[2], const int64_t shape[3],
                          const double *kernels, const int64_t taps[3], double *scratch,
                          double *out) {
    const int64_t slices = shape[0] - taps[0] + 1, rows = shape[1] - taps[1] + 1;
    const int64_t columns = shape[2] - taps[2] + 1, plane = shape[1] * shape[2];
    const int tz = (int)taps[0], ty = (int)taps[1], tx = (int)taps[2];
    const double *kz = kernels, *ky = kz + 2 * tz, *kx = ky + 2 * ty;
    double *smooth = scratch, *curved = smooth + slices * plane;
    double *row_smooth = curved + slices * plane, *row_curved = row_smooth + rows * shape[2];
    for (int64_t y = 0; y < shape[1]; y++)
        for (int64_t z = 0; z < slices; z++) {
            const int64_t at = z * plane + y * shape[2];
            correlate_pair_run(in + z * strides[0] + y * strides[1], shape[2], strides[0], kz,
                               kz + tz, tz, smooth + at, curved + at);
        }
    for (int64_t z = 0; z < slices; z++) {
        const int64_t run = rows * shape[2];
        correlate_pair_run(smooth + z * plane, run, shape[2], ky, ky + ty, ty, row_smooth,
                           row_curved);
        correlate_run(curved + z * plane, run, shape[2], ky, ty, 1, row_curved);
        for (int64_t y = 0; y < rows; y++, out += columns) {
            correlate_run(row_curved + y * shape[2], columns, 1, kx, tx, 0, out);
            correlate_run(row_smooth + y * shape[2], columns, 1, kx + tx, tx, 1, out);
        }
    }
}
