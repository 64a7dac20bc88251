// Moran's I and Geary's C (IBSI 1, chapters 3.1.21 and 3.1.22) through Fourier space: sums over
// all pairs of voxels, weighted by 1 / distance, are sums over spectra (Parseval).
//
// Fields fill n of N samples along each axis and the rest is 0, so rows of zeros are never
// transformed, and no whole spectrum is ever kept: blocks of frequencies along x are finished one
// after the other. LANES transforms run side by side.
#include "core.h"

enum { LANES = 4, MOST_FACTORS = 32, FIELDS = 3 };

// LANES numbers that are worked on side by side.
typedef double Lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));

// A batch of complex numbers.
typedef struct {
    Lanes re, im;
} Batch;

typedef struct {
    int size, factors, factor[MOST_FACTORS];
    double *cosine, *sine;  // of -2 pi k / size
    Batch *work;
} Transform;

static const double TURN = 6.283185307179586476925286766559;

static int plan_transform(Transform *t, int size) {
    *t = (Transform){.size = size};
    for (int radix = 5, left = size; left > 1 && radix > 1; radix--)
        for (; left % radix == 0; left /= radix) t->factor[t->factors++] = radix;
    t->cosine = malloc((size_t)size * sizeof(double));
    t->sine = malloc((size_t)size * sizeof(double));
    t->work = malloc((size_t)size * sizeof(Batch));
    if (!t->cosine || !t->sine || !t->work) return 0;
    for (int k = 0; k < size; k++) {
        t->cosine[k] = cos(TURN * k / size);
        t->sine[k] = -sin(TURN * k / size);
    }
    return 1;
}

static void free_transform(Transform *t) {
    free(t->cosine);
    free(t->sine);
    free(t->work);
}

static inline void store(Batch *out, Lanes re, Lanes im, double cosine, double sine) {
    out->re = re * cosine - im * sine;
    out->im = re * sine + im * cosine;
}

// Discrete Fourier transform of `radix` batches (Stockham's step): a[j] = sum over i of
// b[i] * w^(i j), then a[j] times the twiddle factor of its place.
static inline void combine(const Batch *in, int64_t distance, int radix, const double *wr,
                           const double *wi, const double *tr, const double *ti, Batch *out,
                           int64_t step) {
    for (int j = 0; j < radix; j++) {
        Lanes re = in[0].re, im = in[0].im;
        for (int i = 1; i < radix; i++) {
            const Batch *b = in + i * distance;
            const double c = wr[i * j % radix], s = wi[i * j % radix];
            re += b->re * c - b->im * s;
            im += b->re * s + b->im * c;
        }
        store(out + j * step, re, im, tr[j], ti[j]);
    }
}

static inline void combine_4(const Batch *in, int64_t distance, const double *tr, const double *ti,
                             Batch *out, int64_t step) {
    const Batch *a = in, *b = in + distance, *c = in + 2 * distance, *d = in + 3 * distance;
    const Lanes er = a->re + c->re, ei = a->im + c->im, fr = a->re - c->re, fi = a->im - c->im;
    const Lanes gr = b->re + d->re, gi = b->im + d->im;
    const Lanes hr = b->im - d->im, hi = d->re - b->re;  // -i (b - d)
    store(out, er + gr, ei + gi, tr[0], ti[0]);
    store(out + step, fr + hr, fi + hi, tr[1], ti[1]);
    store(out + 2 * step, er - gr, ei - gi, tr[2], ti[2]);
    store(out + 3 * step, fr - hr, fi - hi, tr[3], ti[3]);
}

static inline void combine_3(const Batch *in, int64_t distance, const double *tr, const double *ti,
                             Batch *out, int64_t step) {
    const double half_root = 0.86602540378443864676;  // sqrt(3) / 2
    const Batch *a = in, *b = in + distance, *c = in + 2 * distance;
    const Lanes sr = b->re + c->re, si = b->im + c->im;
    const Lanes dr = half_root * (b->im - c->im), di = half_root * (c->re - b->re);
    const Lanes mr = a->re - 0.5 * sr, mi = a->im - 0.5 * si;
    store(out, a->re + sr, a->im + si, tr[0], ti[0]);
    store(out + step, mr + dr, mi + di, tr[1], ti[1]);
    store(out + 2 * step, mr - dr, mi - di, tr[2], ti[2]);
}

// Transform size batches in place.
static void transform(const Transform *t, Batch *data) {
    Batch *in = data, *out = t->work;
    int left = t->size, done = 1;
    for (int f = 0; f < t->factors; f++) {
        const int radix = t->factor[f], part = left / radix;
        double wr[5], wi[5], tr[5], ti[5];
        for (int k = 0; k < radix; k++) {
            wr[k] = t->cosine[(int64_t)k * (t->size / radix)];
            wi[k] = t->sine[(int64_t)k * (t->size / radix)];
        }
        for (int p = 0; p < part; p++) {
            for (int j = 0; j < radix; j++) {
                tr[j] = t->cosine[(int64_t)j * p * done];
                ti[j] = t->sine[(int64_t)j * p * done];
            }
            for (int q = 0; q < done; q++) {
                const Batch *from = in + q + (int64_t)done * p;
                Batch *to = out + q + (int64_t)done * radix * p;
                const int64_t distance = (int64_t)done * part;
                if (radix == 4) combine_4(from, distance, tr, ti, to, done);
                else if (radix == 3) combine_3(from, distance, tr, ti, to, done);
                else if (radix == 2) combine(from, distance, 2, wr, wi, tr, ti, to, done);
                else combine(from, distance, 5, wr, wi, tr, ti, to, done);
            }
        }
        left = part;
        done *= radix;
        Batch *swap = in;
        in = out;
        out = swap;
    }
    if (in != data) memcpy(data, in, (size_t)t->size * sizeof(Batch));
}

// What the sums need: planned transforms along z, y and x, and the weights.
typedef struct {
    int64_t n[3], size[3], half[3];  // samples, transformed size, frequencies from 0 to Nyquist
    Transform along[3];
    double *weights;                 // [half z][half y][half x]
    Batch *line;                     // longest size
} Sums;

// One axis of the even kernel's spectrum: two real lines per complex one.
static void transform_even_axis(Sums *s, int axis) {
    const int64_t *h = s->half;
    const int64_t length = h[axis], step = axis == 2 ? 1 : axis == 1 ? h[2] : h[1] * h[2];
    const int64_t lines = h[0] * h[1] * h[2] / length, size = s->size[axis];
    for (int64_t first = 0; first < lines; first += 2 * LANES) {
        double *start[2 * LANES];
        for (int64_t i = 0; i < 2 * LANES; i++) {
            const int64_t line = first + i < lines ? first + i : lines - 1;
            start[i] = s->weights + line / step * step * length + line % step;
        }
        for (int64_t k = 0; k < size; k++) {
            const int64_t from = (k < length ? k : size - k) * step;
            for (int l = 0; l < LANES; l++) {
                s->line[k].re[l] = start[l][from];
                s->line[k].im[l] = start[LANES + l][from];
            }
        }
        transform(s->along + axis, s->line);
        const int64_t kept = lines - first < 2 * LANES ? lines - first : 2 * LANES;
        for (int64_t k = 0; k < length; k++)
            for (int64_t i = 0; i < kept; i++)
                start[i][k * step] = i < LANES ? s->line[k].re[i] : s->line[k].im[i - LANES];
    }
}

// Spectrum of 1 / distance (0 at distance 0), times what Parseval's sum over half the
// frequencies along x needs.
static void weigh_frequencies(Sums *s, const double spacing[3]) {
    const int64_t *h = s->half;
    double *w = s->weights;
    for (int64_t z = 0; z < h[0]; z++)
        for (int64_t y = 0; y < h[1]; y++)
            for (int64_t x = 0; x < h[2]; x++) {
                const double a = (double)z * spacing[0], b = (double)y * spacing[1];
                const double c = (double)x * spacing[2];
                *w++ = z + y + x ? 1 / sqrt(a * a + b * b + c * c) : 0;
            }
    for (int axis = 2; axis >= 0; axis--) transform_even_axis(s, axis);
    const double samples = (double)s->size[0] * (double)s->size[1] * (double)s->size[2];
    for (int64_t k = 0; k < h[0] * h[1] * h[2]; k++) {
        const int64_t x = k % h[2];
        s->weights[k] *= (x == 0 || x == h[2] - 1 ? 1 : 2) / samples;
    }
}

// Spectra along x of two real fields, one the real and one the imaginary part, as blocks of
// frequencies: out[block][z][y], each field for itself.
static void transform_rows(Sums *s, const double *a, const double *b, Batch *out_a, Batch *out_b) {
    const int64_t rows = s->n[0] * s->n[1], n = s->n[2], size = s->size[2];
    for (int64_t r = 0; r < rows; r += LANES) {
        const int64_t kept = rows - r < LANES ? rows - r : LANES;
        memset(s->line, 0, (size_t)size * sizeof(Batch));
        for (int64_t l = 0; l < kept; l++)
            for (int64_t x = 0; x < n; x++) {
                s->line[x].re[l] = a[(r + l) * n + x];
                s->line[x].im[l] = b[(r + l) * n + x];
            }
        transform(s->along + 2, s->line);
        for (int64_t k = 0; k < s->half[2]; k++) {
            const Batch *p = s->line + k, *q = s->line + (k ? size - k : 0);
            Batch *to_a = out_a + k / LANES * rows + r, *to_b = out_b + k / LANES * rows + r;
            for (int64_t l = 0; l < kept; l++) {
                to_a[l].re[k % LANES] = (p->re[l] + q->re[l]) / 2;
                to_a[l].im[k % LANES] = (p->im[l] - q->im[l]) / 2;
                to_b[l].re[k % LANES] = (p->im[l] + q->im[l]) / 2;
                to_b[l].im[k % LANES] = (q->re[l] - p->re[l]) / 2;
            }
        }
    }
}

// Finish a block of a field: planes[y frequency][z] from rows[z][y].
static void transform_columns(Sums *s, const Batch *rows, Batch *planes) {
    const int64_t slices = s->n[0], n = s->n[1], size = s->size[1];
    for (int64_t z = 0; z < slices; z++) {
        memcpy(s->line, rows + z * n, (size_t)n * sizeof(Batch));
        memset(s->line + n, 0, (size_t)(size - n) * sizeof(Batch));
        transform(s->along + 1, s->line);
        for (int64_t y = 0; y < size; y++) planes[y * slices + z] = s->line[y];
    }
}

static Lanes power(const Batch *a, const Batch *b) { return a->re * b->re + a->im * b->im; }

// Add weights * Re(a * conj(b)) of a block of x frequencies for the three pairs of fields.
static void correlate_block(Sums *s, const Batch *planes, int64_t block, Batch *lines, double *out) {
    const int64_t slices = s->n[0], size = s->size[0], plane = s->size[1] * slices, *h = s->half;
    const int64_t kept = h[2] - block * LANES < LANES ? h[2] - block * LANES : LANES;
    Lanes sums[FIELDS] = {0};
    for (int64_t y = 0; y < s->size[1]; y++) {
        const int64_t folded = y < h[1] ? y : s->size[1] - y;
        for (int f = 0; f < FIELDS; f++) {
            Batch *line = lines + f * size;
            memcpy(line, planes + f * plane + y * slices, (size_t)slices * sizeof(Batch));
            memset(line + slices, 0, (size_t)(size - slices) * sizeof(Batch));
            transform(s->along, line);
        }
        for (int64_t z = 0; z < size; z++) {
            const double *w = s->weights + ((z < h[0] ? z : size - z) * h[1] + folded) * h[2];
            const Batch *mask = lines + z, *deviation = mask + size, *square = deviation + size;
            Lanes weight;
            for (int64_t l = 0; l < LANES; l++) weight[l] = l < kept ? w[block * LANES + l] : 0;
            sums[0] += weight * power(mask, mask);
            sums[1] += weight * power(deviation, deviation);
            sums[2] += weight * power(square, mask);
        }
    }
    for (int f = 0; f < FIELDS; f++)
        for (int64_t l = 0; l < LANES; l++) out[f] += sums[f][l];
}

static int correlate_fields(Sums *s, const double *fields, double *out) {
    const int64_t voxels = s->n[0] * s->n[1] * s->n[2], rows = s->n[0] * s->n[1];
    const int64_t blocks = (s->half[2] + LANES - 1) / LANES, plane = s->size[1] * s->n[0];
    Batch *planes = malloc((size_t)(FIELDS * (plane + s->size[0])) * sizeof(Batch));
    Batch *spectra = calloc((size_t)(FIELDS * blocks * rows), sizeof(Batch));  // unused lanes: 0
    const int done = planes && spectra;
    if (done) {
        const int64_t one = blocks * rows;
        const double *square = fields + 2 * voxels;
        transform_rows(s, fields, fields + voxels, spectra, spectra + one);
        transform_rows(s, square, square, spectra + 2 * one, spectra + 2 * one);
        out[0] = out[1] = out[2] = 0;
        for (int64_t k = 0; k < blocks; k++) {
            for (int f = 0; f < FIELDS; f++)
                transform_columns(s, spectra + f * one + k * rows, planes + f * plane);
            correlate_block(s, planes, k, planes + FIELDS * plane, out);
        }
    }
    free(planes);
    free(spectra);
    return done;
}

// Sums over all pairs of voxels of a_i b_j / distance. fields: mask, deviation, its square, each
// [z][y][x] of `shape`; `sizes` are at least twice the shape minus 1, even, products of 2, 3, 5.
// out: mask with mask, deviation with deviation, square with mask. Returns 0 when memory ran out.
API int sum_pairs(const double *fields, const int64_t shape[3], const int64_t sizes[3],
                  const double spacing[3], double out[3]) {
    Sums s = {0};
    int64_t longest = 0;
    int done = 1;
    for (int a = 0; a < 3; a++) {
        s.n[a] = shape[a];
        s.size[a] = sizes[a];
        s.half[a] = sizes[a] / 2 + 1;
        if (sizes[a] > longest) longest = sizes[a];
        done &= plan_transform(s.along + a, (int)sizes[a]);
    }
    s.weights = malloc((size_t)(s.half[0] * s.half[1] * s.half[2]) * sizeof(double));
    s.line = malloc((size_t)longest * sizeof(Batch));
    done = done && s.weights && s.line;
    if (done) {
        weigh_frequencies(&s, spacing);
        done = correlate_fields(&s, fields, out);
    }
    for (int a = 0; a < 3; a++) free_transform(s.along + a);
    free(s.weights);
    free(s.line);
    return done;
}
