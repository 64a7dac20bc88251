// One pass over a region of gray levels collects everything the texture families need:
// co-occurrences, runs, neighborhood sums, dependence counts and zone labels (IBSI 1, chapter 3.6).
#include "core.h"

// A padded volume of gray levels, visited as segments of consecutive region voxels in a row.
typedef struct {
    const Level *levels;
    const int32_t *segment_start;   // padded index of the first voxel
    const int32_t *segment_length;
    int64_t segment_count;
    int64_t slice_stride;
    int64_t row_stride;
    int32_t longest_segment;
} LevelVolume;

// Counts of one pass. `gray_levels` is N_g, `longest_run` bounds every run's length.
typedef struct {
    uint32_t *cooccurrence;  // [direction][N_g + 1][N_g + 1], one-sided; row and column 0 unused
    uint32_t *runs;          // [direction][N_g][longest_run]
    uint64_t *differences;   // [N_g][27] sum of |i * c - sum of neighbors| by neighbor count c
    uint32_t *neighbored;    // [N_g] voxels with at least one neighbor in the region
    uint32_t *dependence;    // [N_g][27] voxels by number of neighbors of the same level
    int32_t *labels;         // padded; provisional zone label of each region voxel
    int32_t *parents;        // union-find forest over provisional labels, room for all voxels
    int32_t directions;      // 4: in-plane, 13: all
    int32_t gray_levels;
    int32_t longest_run;
} TextureCounts;

// The 13 unique directions; the four in-plane ones come first.
static const int8_t STEPS[DIRECTIONS][3] = {
    {0, 0, 1},  {0, 1, -1}, {0, 1, 0}, {0, 1, 1}, {1, -1, -1}, {1, -1, 0}, {1, -1, 1},
    {1, 0, -1}, {1, 0, 0},  {1, 0, 1}, {1, 1, -1}, {1, 1, 0},  {1, 1, 1}};

// Per-segment scratch, reused by every segment.
typedef struct {
    uint16_t *sum;       // of the neighbors' levels, background counted as 0
    uint16_t *count;     // neighbors inside the region
    uint16_t *equal;     // neighbors of the voxel's own level
    uint32_t *pair;      // cell of the co-occurrence matrix
    uint32_t *run;       // cell of the run length matrix, or a spare cell
    uint16_t *run_rings; // [direction][2][slice_stride] length of the run that ends at a voxel
} Scratch;

enum { SPARE_CELLS = 8, LANES = 4 };

static int32_t find_root(int32_t *parents, int32_t a) {
    while (parents[a] != a) {
        parents[a] = parents[parents[a]];
        a = parents[a];
    }
    return a;
}

static int32_t unite(int32_t *parents, int32_t a, int32_t b) {
    a = find_root(parents, a);
    b = find_root(parents, b);
    if (a == b) return a;
    if (a > b) { int32_t swap = a; a = b; b = swap; }
    parents[b] = a;
    return a;
}

// Length of the run that ends at each voxel of the segment, along one direction.
static void extend_runs(const Level *restrict here, const Level *restrict before, int n,
                        uint16_t *ending, const uint16_t *previous, int along_row) {
    if (along_row) {
        uint16_t length = 0;
        for (int x = 0; x < n; x++)
            ending[x] = length = before[x] == here[x] ? (uint16_t)(length + 1) : 1;
        return;
    }
    for (int x = 0; x < n; x++) {
        const uint16_t longer = (uint16_t)(previous[x] + 1);
        ending[x] = before[x] == here[x] ? longer : 1;
    }
}

// One direction of one segment: neighborhood sums and the cells to be counted.
static void visit_direction(const Level *restrict here, const Level *restrict after,
                            const Level *restrict before, int n, const uint16_t *restrict ending,
                            const TextureCounts *t, Scratch *s) {
    uint16_t *restrict sum = s->sum, *restrict count = s->count, *restrict equal = s->equal;
    uint32_t *restrict pair = s->pair, *restrict run = s->run;
    const uint32_t width = (uint32_t)t->gray_levels + 1, longest = (uint32_t)t->longest_run;
    for (int x = 0; x < n; x++) {
        const uint16_t i = here[x], a = after[x], b = before[x];
        sum[x] = (uint16_t)(sum[x] + a + b);
        count[x] = (uint16_t)(count[x] + (uint16_t)(a != 0) + (uint16_t)(b != 0));
        equal[x] = (uint16_t)(equal[x] + (uint16_t)(a == i) + (uint16_t)(b == i));
    }
    for (int x = 0; x < n; x++) {
        const uint32_t i = here[x], a = after[x];
        const uint32_t cell = SPARE_CELLS + (i - 1) * longest + ending[x] - 1;
        pair[x] = i * width + a;
        run[x] = a == i ? (uint32_t)(x % SPARE_CELLS) : cell;  // a run is counted at its end
    }
}

// Count cells. Four copies of the pair counts keep equal neighbors from waiting on each other.
static void count_cells(const Scratch *s, int n, uint32_t *pairs, int64_t copy, uint32_t *runs) {
    uint32_t *p0 = pairs, *p1 = p0 + copy, *p2 = p1 + copy, *p3 = p2 + copy;
    int x = 0;
    for (; x + LANES <= n; x += LANES) {
        p0[s->pair[x]]++;
        p1[s->pair[x + 1]]++;
        p2[s->pair[x + 2]]++;
        p3[s->pair[x + 3]]++;
        runs[s->run[x]]++;
        runs[s->run[x + 1]]++;
        runs[s->run[x + 2]]++;
        runs[s->run[x + 3]]++;
    }
    for (; x < n; x++) {
        p0[s->pair[x]]++;
        runs[s->run[x]]++;
    }
}

// Provisional zone label of one voxel from its 13 already visited neighbors. The order of the
// questions skips neighbors that are known to be united with one already found.
static int32_t label_voxel(const Level *v, const int32_t *w, int64_t slice, int64_t row,
                           int32_t *parents, int32_t *next) {
    const Level i = *v;
    int32_t label;
#define SAME(o) (v[o] == i)
#define JOIN(o) label = unite(parents, label, w[o])
    if (SAME(-slice)) return w[-slice];
    if (SAME(-row)) {
        label = w[-row];
        if (SAME(-slice + row)) JOIN(-slice + row);
        else {
            if (SAME(-slice + row - 1)) JOIN(-slice + row - 1);
            if (SAME(-slice + row + 1)) JOIN(-slice + row + 1);
        }
        return label;
    }
    if (SAME(-1)) {
        label = w[-1];
        if (SAME(-slice + 1)) { JOIN(-slice + 1); return label; }
        if (SAME(-row + 1)) JOIN(-row + 1);
        else if (SAME(-slice - row + 1)) JOIN(-slice - row + 1);
        if (SAME(-slice + row + 1)) JOIN(-slice + row + 1);
        return label;
    }
    const int64_t others[10] = {-row - 1, -row + 1, -slice - 1, -slice + 1, -slice - row,
                                -slice + row, -slice - row - 1, -slice - row + 1,
                                -slice + row - 1, -slice + row + 1};
    label = -1;
    for (int k = 0; k < 10; k++)
        if (SAME(others[k])) label = label < 0 ? w[others[k]] : unite(parents, label, w[others[k]]);
#undef SAME
#undef JOIN
    if (label < 0) {
        label = (*next)++;
        parents[label] = label;
    }
    return label;
}

// Neighborhood counts and zone labels of one segment, once its 26 neighbors are summed up.
static void close_segment(const LevelVolume *v, int64_t start, int n, const Scratch *s,
                          TextureCounts *t, int32_t *labels_used) {
    const Level *here = v->levels + start;
    int32_t *labels = t->labels + start;
    for (int x = 0; x < n; x++) {
        const int i = here[x], c = s->count[x], row = (i - 1) * (NEIGHBORS + 1);
        const int difference = i * c - s->sum[x];
        t->dependence[row + s->equal[x]]++;
        t->differences[row + c] += (uint64_t)(difference < 0 ? -difference : difference);
        t->neighbored[i - 1] += c != 0;
        labels[x] = label_voxel(here + x, labels + x, v->slice_stride, v->row_stride, t->parents,
                                labels_used);
    }
}

static int allocate_scratch(Scratch *s, const LevelVolume *v, const TextureCounts *t) {
    const size_t n = (size_t)v->longest_segment;
    s->sum = malloc(3 * n * sizeof(uint16_t));
    s->pair = malloc(2 * n * sizeof(uint32_t));
    s->run_rings = malloc((size_t)t->directions * 2 * (size_t)v->slice_stride * sizeof(uint16_t));
    if (!s->sum || !s->pair || !s->run_rings) return 0;
    s->count = s->sum + n;
    s->equal = s->count + n;
    s->run = s->pair + n;
    return 1;
}

static void free_scratch(Scratch *s, uint32_t *pairs, uint32_t *runs) {
    free(s->sum);
    free(s->pair);
    free(s->run_rings);
    free(pairs);
    free(runs);
}

static void visit_segments(const LevelVolume *v, TextureCounts *t, Scratch *s, uint32_t *pairs,
                           uint32_t *runs, int32_t *labels_used) {
    const int64_t copy = (int64_t)(t->gray_levels + 1) * (t->gray_levels + 1);
    const int64_t run_cells = SPARE_CELLS + (int64_t)t->gray_levels * t->longest_run;
    for (int64_t k = 0; k < v->segment_count; k++) {
        const int64_t start = v->segment_start[k];
        const int n = v->segment_length[k];
        const int64_t z = start / v->slice_stride, in_plane = start % v->slice_stride;
        const Level *here = v->levels + start;
        memset(s->sum, 0, (size_t)n * sizeof(uint16_t));
        memset(s->count, 0, (size_t)n * sizeof(uint16_t));
        memset(s->equal, 0, (size_t)n * sizeof(uint16_t));
        for (int d = 0; d < t->directions; d++) {
            const int64_t in_plane_step = STEPS[d][1] * v->row_stride + STEPS[d][2];
            const int64_t step = STEPS[d][0] * v->slice_stride + in_plane_step;
            uint16_t *ring = s->run_rings + (int64_t)d * 2 * v->slice_stride;
            uint16_t *ending = ring + (z & 1) * v->slice_stride + in_plane;
            const uint16_t *previous =
                ring + ((z - STEPS[d][0]) & 1) * v->slice_stride + in_plane - in_plane_step;
            extend_runs(here, here - step, n, ending, previous, step == 1);
            visit_direction(here, here + step, here - step, n, ending, t, s);
            count_cells(s, n, pairs + d * LANES * copy, copy, runs + d * run_cells);
        }
        close_segment(v, start, n, s, t, labels_used);
    }
}

// Collect all counts of a region. The arrays of `t` must be zero on entry (labels and parents
// need not be). Returns the number of provisional zone labels, or -1 when memory ran out.
API int32_t count_texture(const LevelVolume *v, TextureCounts *t) {
    const int64_t copy = (int64_t)(t->gray_levels + 1) * (t->gray_levels + 1);
    const int64_t run_cells = (int64_t)t->gray_levels * t->longest_run;
    Scratch s = {0};
    uint32_t *pairs = calloc((size_t)(t->directions * LANES * copy), sizeof(uint32_t));
    uint32_t *runs = calloc((size_t)(t->directions * (SPARE_CELLS + run_cells)), sizeof(uint32_t));
    int32_t labels_used = -1;
    if (pairs && runs && allocate_scratch(&s, v, t)) {
        labels_used = 0;
        visit_segments(v, t, &s, pairs, runs, &labels_used);
        for (int d = 0; d < t->directions; d++) {
            const uint32_t *p = pairs + d * LANES * copy;
            uint32_t *out = t->cooccurrence + d * copy;
            for (int64_t c = 0; c < copy; c++)
                out[c] = p[c] + p[copy + c] + p[2 * copy + c] + p[3 * copy + c];
            memcpy(t->runs + d * run_cells, runs + d * (SPARE_CELLS + run_cells) + SPARE_CELLS,
                   (size_t)run_cells * sizeof(uint32_t));
        }
    }
    free_scratch(&s, pairs, runs);
    return labels_used;
}

// Turn provisional labels into zones: gray level, number of voxels and least distance to the
// border of the region. Returns the number of zones.
API int64_t collect_zones(const LevelVolume *v, const TextureCounts *t, int32_t labels_used,
                          const uint16_t *distance, int32_t *zone_of_label, uint16_t *zone_level,
                          uint32_t *zone_size, uint16_t *zone_distance) {
    int32_t zones = 0;
    for (int32_t a = 0; a < labels_used; a++) {
        if (t->parents[a] == a) {
            zone_size[zones] = 0;
            zone_distance[zones] = UINT16_MAX;
            zone_of_label[a] = zones++;
        } else {
            zone_of_label[a] = zone_of_label[find_root(t->parents, a)];
        }
    }
    for (int64_t k = 0; k < v->segment_count; k++) {
        const int64_t start = v->segment_start[k];
        for (int64_t p = start; p < start + v->segment_length[k]; p++) {
            const int32_t zone = zone_of_label[t->labels[p]];
            zone_level[zone] = v->levels[p];
            zone_size[zone]++;
            if (distance[p] < zone_distance[zone]) zone_distance[zone] = distance[p];
        }
    }
    return zones;
}

static uint16_t nearer(uint16_t a, uint16_t b) { return a < b ? a : b; }

// City-block distance of each voxel of a padded mask to the nearest voxel outside (IBSI 3.9.1):
// 1 on the border. With `in_plane` only neighbors of the same slice are looked at.
API void measure_border_distance(const uint8_t *mask, const int64_t shape[3], int in_plane,
                                 uint16_t *distance) {
    const int64_t row = shape[2], slice = shape[1] * shape[2], total = shape[0] * slice;
    for (int64_t p = 0; p < total; p++) distance[p] = mask[p] ? UINT16_MAX - 1 : 0;
    for (int64_t p = 0; p < total; p++) {
        if (!mask[p]) continue;
        uint16_t d = nearer(distance[p - 1], distance[p - row]);
        if (!in_plane) d = nearer(d, distance[p - slice]);
        distance[p] = nearer(distance[p], (uint16_t)(d + 1));
    }
    for (int64_t p = total - 1; p >= 0; p--) {
        if (!mask[p]) continue;
        uint16_t d = nearer(distance[p + 1], distance[p + row]);
        if (!in_plane) d = nearer(d, distance[p + slice]);
        distance[p] = nearer(distance[p], (uint16_t)(d + 1));
    }
}
