// Separable interpolation and convolution of volumes, one axis at a time.
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

// Turn samples into cubic B-spline coefficients along an axis, in place, mirrored boundaries.
API void prefilter_axis(double *data, const int64_t shape[3], int axis) {
    const Axis a = view_axis(shape, axis);
    const int64_t n = a.length, s = a.inner;
    if (n < 2) return;
    const double gain = (1 - POLE) * (1 - 1 / POLE);
    for (int64_t o = 0; o < a.outer; o++) {
        double *block = data + o * n * s;
        for (int64_t x = 0; x < s; x++) {
            double *c = block + x, sum = c[0], power = POLE;
            for (int64_t k = 1; k < CAUSAL_START; k++, power *= POLE) {
                const int64_t turn = k % (2 * n - 2);
                sum += power * c[(turn < n ? turn : 2 * n - 2 - turn) * s];
            }
            c[0] = gain * sum;
        }
        for (int64_t k = 1; k < n; k++) {
            double *here = block + k * s;
            for (int64_t x = 0; x < s; x++) here[x] = gain * here[x] + POLE * here[x - s];
        }
        double *last = block + (n - 1) * s;
        for (int64_t x = 0; x < s; x++)
            last[x] = POLE / (POLE * POLE - 1) * (last[x] + POLE * last[x - s]);
        for (int64_t k = n - 2; k >= 0; k--) {
            double *here = block + k * s;
            for (int64_t x = 0; x < s; x++) here[x] = POLE * (here[x + s] - here[x]);
        }
    }
}

// Correlate with a kernel along an axis, keeping only samples whose whole support is there:
// the axis shrinks by taps - 1 (times `dilation`). Adds to `out` when `accumulate` is set.
API void correlate_axis(const double *in, const int64_t shape[3], int axis, const double *kernel,
                        int taps, int64_t dilation, int accumulate, double *out) {
    const Axis a = view_axis(shape, axis);
    const int64_t samples = a.length - (taps - 1) * dilation;
    const int64_t step = dilation * a.inner, run = samples * a.inner;
    for (int64_t o = 0; o < a.outer; o++) {
        const double *source = in + o * a.length * a.inner;
        double *restrict target = out + o * run;
        int k = 0;
        if (!accumulate) memset(target, 0, (size_t)run * sizeof(double));
        for (; k + 4 <= taps; k += 4) {
            const double k0 = kernel[k], k1 = kernel[k + 1], k2 = kernel[k + 2], k3 = kernel[k + 3];
            const double *s0 = source + k * step, *s1 = s0 + step, *s2 = s1 + step, *s3 = s2 + step;
            for (int64_t x = 0; x < run; x++)
                target[x] += k0 * s0[x] + k1 * s1[x] + k2 * s2[x] + k3 * s3[x];
        }
        for (; k < taps; k++) {
            const double weight = kernel[k], *s = source + k * step;
            for (int64_t x = 0; x < run; x++) target[x] += weight * s[x];
        }
    }
}
