// Texture counts of a region of gray levels: co-occurrences, runs, neighborhood sums, dependence
// and zones (IBSI 1, chapter 3.6). One scan collects what looks at all neighbors of a voxel; then
// one scan per direction collects what looks along it, so that its counts stay in the cache.
#include "core.h"

// A padded volume of gray levels, visited as segments of consecutive region voxels in a row.
// Loops run in whole blocks, so SLACK levels behind the volume must be readable.
typedef struct {
    const Level *levels;
    const int32_t *segment_start;   // padded index of the first voxel
    const int32_t *segment_length;
    const uint8_t *neighbors;       // of each region voxel, inside the region
    const uint16_t *distance;       // padded; to the border of the region
    int64_t segment_count;
    int64_t slice_stride;
    int64_t row_stride;
    int32_t longest_segment;
    int32_t directions;             // 4: in-plane, 13: all
} LevelVolume;

// Counts of one image. `gray_levels` is N_g, `longest_run` bounds every run's length.
typedef struct {
    uint32_t *cooccurrence;  // [direction][N_g + 1][N_g + 1], one-sided; row and column 0 unused
    uint32_t *runs;          // [direction][N_g][longest_run]
    uint64_t *differences;   // [N_g][27] sum of |i * c - sum of neighbors| by neighbor count c
    uint32_t *neighbored;    // [N_g] voxels with at least one neighbor in the region
    uint32_t *dependence;    // [N_g][27] voxels by number of neighbors of the same level
    int32_t *labels;         // padded; provisional zone label of each region voxel
    int32_t *parents;        // union-find forest over provisional labels, room for all voxels
    uint16_t *zone_level;    // of provisional labels, then of zones; room for all voxels
    uint32_t *zone_size;
    uint16_t *zone_distance; // least distance to the border
    const uint32_t *joins;   // [2^13] filled by fill_join_table
    int32_t gray_levels;
    int32_t longest_run;
} TextureCounts;

enum {
    BLOCK = 16,
    SLACK = BLOCK,
    CELL_BUFFER = 2048,
    LANES = 2,             // copies of the counts, so that equal neighbors need not wait
    TABLE_CELLS = 1 << 15, // bounds the planes of run lengths that share one table
    MOST_PLANES = 16,
    SUBSETS = 1 << DIRECTIONS
};

// The 13 unique directions; the four in-plane ones come first.
static const int8_t STEPS[DIRECTIONS][3] = {
    {0, 0, 1},  {0, 1, -1}, {0, 1, 0}, {0, 1, 1}, {1, -1, -1}, {1, -1, 0}, {1, -1, 1},
    {1, 0, -1}, {1, 0, 0},  {1, 0, 1}, {1, 1, -1}, {1, 1, 0},  {1, 1, 1}};

static int blocks(int n) { return (n + BLOCK - 1) / BLOCK * BLOCK; }

static int64_t step_of(const LevelVolume *v, int d) {
    return STEPS[d][0] * v->slice_stride + STEPS[d][1] * v->row_stride + STEPS[d][2];
}

// For each subset of the 13 visited neighbors that have a voxel's level: one of each group that
// is already one zone because its members touch. Four bits each, the number in bits 28 and up.
API void fill_join_table(uint32_t *joins) {
    for (int subset = 0; subset < SUBSETS; subset++) {
        int seen = 0, found = 0;
        uint32_t packed = 0;
        for (int d = 0; d < DIRECTIONS; d++) {
            if (!(subset >> d & 1) || seen >> d & 1) continue;
            int group = 1 << d, before = 0;
            while (group != before) {
                before = group;
                for (int a = 0; a < DIRECTIONS; a++) {
                    if (!(group >> a & 1)) continue;
                    for (int b = 0; b < DIRECTIONS; b++) {
                        int far = 0;
                        for (int k = 0; k < 3; k++) far |= abs(STEPS[a][k] - STEPS[b][k]) > 1;
                        if (!far) group |= subset & 1 << b;
                    }
                }
            }
            seen |= group;
            packed |= (uint32_t)d << 4 * found++;
        }
        joins[subset] = packed | (uint32_t)found << 28;
    }
}

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

// Per-segment scratch, reused by every segment.
typedef struct {
    uint16_t *sum;    // of the neighbors' levels, background counted as 0
    uint16_t *equal;  // neighbors of the voxel's own level
    uint16_t *same;   // bit d: the neighbor before it in direction d has its level
} Neighborhood;

// What one segment's voxels see in all directions.
static void sum_neighbors(const LevelVolume *v, const Level *here, int n, Neighborhood *s) {
    uint16_t *restrict sum = s->sum, *restrict equal = s->equal, *restrict same = s->same;
    memset(sum, 0, (size_t)n * sizeof(uint16_t));
    memset(equal, 0, (size_t)n * sizeof(uint16_t));
    memset(same, 0, (size_t)n * sizeof(uint16_t));
    for (int d = 0; d < v->directions; d++) {
        const int64_t step = step_of(v, d);
        const Level *restrict after = here + step, *restrict before = here - step;
        const uint16_t bit = (uint16_t)(1 << d);
        for (int x0 = 0; x0 < n; x0 += BLOCK)
            for (int x = x0; x < x0 + BLOCK; x++) {
                const uint16_t i = here[x], a = after[x], b = before[x];
                const uint16_t ahead = a == i, behind = b == i;
                sum[x] = (uint16_t)(sum[x] + a + b);
                equal[x] = (uint16_t)(equal[x] + ahead + behind);
                same[x] = (uint16_t)(same[x] | (behind ? bit : 0));
            }
    }
}

// Provisional zone label of one voxel from its visited neighbors of the same level.
static int32_t label_voxel(const int32_t *w, const int64_t *steps, uint32_t joins,
                           TextureCounts *t, int32_t *labels_used, Level level) {
    int groups = (int)(joins >> 28);
    if (!groups) {
        const int32_t label = (*labels_used)++;
        t->parents[label] = label;
        t->zone_level[label] = level;
        t->zone_size[label] = 0;
        t->zone_distance[label] = UINT16_MAX;
        return label;
    }
    int32_t label = w[-steps[joins & 15]];
    while (--groups) {
        joins >>= 4;
        label = unite(t->parents, label, w[-steps[joins & 15]]);
    }
    return label;
}

// Neighborhood counts and zone labels of one segment.
static void close_segment(const LevelVolume *v, int64_t start, int n, const uint8_t *neighbors,
                          const Neighborhood *s, const int64_t *steps, TextureCounts *t,
                          int32_t *labels_used) {
    const Level *here = v->levels + start;
    const uint16_t *distance = v->distance + start;
    int32_t *labels = t->labels + start;
    for (int x = 0; x < n; x++) {
        const int i = here[x], c = neighbors[x], row = (i - 1) * (NEIGHBORS + 1);
        const int difference = i * c - s->sum[x];
        t->dependence[row + s->equal[x]]++;
        t->differences[row + c] += (uint64_t)(difference < 0 ? -difference : difference);
        t->neighbored[i - 1] += c != 0;
        const int32_t label = label_voxel(labels + x, steps, t->joins[s->same[x]], t, labels_used,
                                          here[x]);
        labels[x] = label;
        t->zone_size[label]++;
        if (distance[x] < t->zone_distance[label]) t->zone_distance[label] = distance[x];
    }
}

static int allocate_neighborhood(Neighborhood *s, const LevelVolume *v) {
    const size_t n = (size_t)blocks(v->longest_segment);
    s->sum = malloc(3 * n * sizeof(uint16_t));
    if (!s->sum) return 0;
    s->equal = s->sum + n;
    s->same = s->equal + n;
    return 1;
}

// Put the gray levels of the region's voxels into their places.
API void fill_levels(const LevelVolume *v, const uint16_t *of_voxels, Level *levels) {
    for (int64_t k = 0; k < v->segment_count; k++) {
        const int32_t n = v->segment_length[k];
        memcpy(levels + v->segment_start[k], of_voxels, (size_t)n * sizeof(Level));
        of_voxels += n;
    }
}

// Number of neighbors of each region voxel inside the region; `levels` is 1 in the region.
// Returns 0 when memory ran out.
API int count_neighbors(const LevelVolume *v, uint8_t *neighbors) {
    Neighborhood s;
    if (!allocate_neighborhood(&s, v)) return 0;
    for (int64_t k = 0; k < v->segment_count; k++) {
        const int n = v->segment_length[k];
        sum_neighbors(v, v->levels + v->segment_start[k], blocks(n), &s);
        for (int x = 0; x < n; x++) *neighbors++ = (uint8_t)s.sum[x];
    }
    free(s.sum);
    return 1;
}

// Merge provisional labels into zones, in place. Returns the number of zones.
static int32_t merge_zones(TextureCounts *t, int32_t labels_used) {
    int32_t zones = 0, *zone = t->parents;  // a root's entry becomes its zone
    for (int32_t a = 0; a < labels_used; a++) {
        const uint32_t size = t->zone_size[a];
        const uint16_t distance = t->zone_distance[a];
        if (t->parents[a] == a) {
            t->zone_level[zones] = t->zone_level[a];
            t->zone_size[zones] = size;
            t->zone_distance[zones] = distance;
            zone[a] = zones++;
        } else {
            const int32_t z = zone[t->parents[a]];  // parents come before their children
            zone[a] = z;
            t->zone_size[z] += size;
            if (distance < t->zone_distance[z]) t->zone_distance[z] = distance;
        }
    }
    return zones;
}

static int32_t scan_neighborhoods(const LevelVolume *v, TextureCounts *t) {
    Neighborhood s;
    int64_t steps[BLOCK] = {0};
    for (int d = 0; d < v->directions; d++) steps[d] = step_of(v, d);
    if (!allocate_neighborhood(&s, v)) return -1;
    const uint8_t *neighbors = v->neighbors;
    int32_t labels_used = 0;
    for (int64_t k = 0; k < v->segment_count; k++) {
        const int64_t start = v->segment_start[k];
        const int n = v->segment_length[k];
        sum_neighbors(v, v->levels + start, blocks(n), &s);
        close_segment(v, start, n, neighbors, &s, steps, t, &labels_used);
        neighbors += n;
    }
    free(s.sum);
    return merge_zones(t, labels_used);
}

// Pairs and runs of one direction. A voxel is counted once, in a table of planes by the length
// of the run that ends at it (so far); the last plane holds all longer ones.
typedef struct {
    uint32_t *table;    // [LANES][planes][width][width]
    uint32_t *cells;    // counted when full
    uint16_t *rings;    // [2][slice_stride + SLACK] length of the run that ends at a voxel
    int64_t plane;      // width^2
    int planes, filled, longest;
} DirectionScan;

// Length of the run that ends at each voxel of the segment; returns the longest.
static uint16_t extend_runs(const Level *restrict here, const Level *restrict before, int n,
                            uint16_t *ending, const uint16_t *previous, int along_row) {
    uint16_t longest = 1;
    if (along_row) {
        uint16_t length = 0;
        for (int x = 0; x < n; x++) {
            ending[x] = length = before[x] == here[x] ? (uint16_t)(length + 1) : 1;
            longest = length > longest ? length : longest;
        }
        return longest;
    }
    for (int x0 = 0; x0 < n; x0 += BLOCK)
        for (int x = x0; x < x0 + BLOCK; x++) {
            const uint16_t longer = (uint16_t)(previous[x] + 1);
            const int goes_on = (before[x] == here[x]) & (here[x] != 0);
            const uint16_t length = goes_on ? longer : 1;
            ending[x] = length;
            longest = length > longest ? length : longest;
        }
    return longest;
}

static void count_cells(DirectionScan *s) {
    uint32_t *even = s->table, *odd = even + s->planes * s->plane;
    const uint32_t *cell = s->cells;
    int x = 0;
    for (; x + 4 <= s->filled; x += 4) {
        even[cell[x]]++;
        odd[cell[x + 1]]++;
        even[cell[x + 2]]++;
        odd[cell[x + 3]]++;
    }
    for (; x < s->filled; x++) even[cell[x]]++;
    s->filled = 0;
}

static void find_cells(const Level *restrict here, const Level *restrict after, int n,
                       const uint16_t *restrict ending, const DirectionScan *s, int gray_levels) {
    uint32_t *restrict cells = s->cells + s->filled;
    const uint32_t width = (uint32_t)gray_levels + 1, plane = (uint32_t)s->plane;
    const uint16_t last = (uint16_t)s->planes;
    for (int x0 = 0; x0 < n; x0 += BLOCK)
        for (int x = x0; x < x0 + BLOCK; x++) {
            const uint16_t length = ending[x] < last ? ending[x] : last;
            cells[x] = (length - 1u) * plane + here[x] * width + after[x];
        }
}

// Runs that are too long for a plane of their own, counted where they end.
static void count_long_runs(const Level *here, const Level *after, int n, const uint16_t *ending,
                            int planes, uint32_t *runs, int32_t longest_run) {
    for (int x = 0; x < n; x++)
        if (ending[x] >= planes && after[x] != here[x])
            runs[(int64_t)(here[x] - 1) * longest_run + ending[x] - 1]++;
}

static void scan_direction(const LevelVolume *v, TextureCounts *t, int d, DirectionScan *s) {
    const int64_t step = step_of(v, d), ring = v->slice_stride + SLACK;
    const int64_t in_plane_step = STEPS[d][1] * v->row_stride + STEPS[d][2];
    uint32_t *runs = t->runs + (int64_t)d * t->gray_levels * t->longest_run;
    s->longest = 1;
    for (int64_t k = 0; k < v->segment_count; k++) {
        const int64_t start = v->segment_start[k];
        const int n = v->segment_length[k];
        const int64_t z = start / v->slice_stride, in_plane = start % v->slice_stride;
        const Level *here = v->levels + start;
        uint16_t *ending = s->rings + (z & 1) * ring + in_plane;
        const uint16_t *previous =
            s->rings + ((z - STEPS[d][0]) & 1) * ring + in_plane - in_plane_step;
        const int longest = extend_runs(here, here - step, step == 1 ? n : blocks(n), ending,
                                        previous, step == 1);
        if (longest > s->longest) s->longest = longest;
        find_cells(here, here + step, blocks(n), ending, s, t->gray_levels);
        s->filled += n;
        if (s->filled > CELL_BUFFER) count_cells(s);
        if (longest >= s->planes)
            count_long_runs(here, here + step, n, ending, s->planes, runs, t->longest_run);
    }
    count_cells(s);
}

// Add up the planes of a direction and leave the table empty for the next.
static void collect_direction(TextureCounts *t, int d, DirectionScan *s) {
    const int64_t width = t->gray_levels + 1;
    uint32_t *pairs = t->cooccurrence + d * s->plane;
    uint32_t *runs = t->runs + (int64_t)d * t->gray_levels * t->longest_run;
    const int used = s->longest < s->planes ? s->longest : s->planes;
    memset(pairs, 0, (size_t)s->plane * sizeof(uint32_t));
    for (int p = 0; p < used; p++) {
        uint32_t *even = s->table + p * s->plane, *odd = even + s->planes * s->plane;
        for (int64_t i = 1; i < width; i++) {
            uint32_t ended = 0, *row = pairs + i * width;
            const uint32_t *e = even + i * width, *o = odd + i * width;
            for (int64_t a = 0; a < width; a++) {
                row[a] += e[a] + o[a];
                ended += e[a] + o[a];
            }
            if (p + 1 < s->planes) runs[(i - 1) * t->longest_run + p] += ended - e[i] - o[i];
        }
        memset(even, 0, (size_t)s->plane * sizeof(uint32_t));
        memset(odd, 0, (size_t)s->plane * sizeof(uint32_t));
    }
}

static int scan_directions(const LevelVolume *v, TextureCounts *t) {
    DirectionScan s = {.plane = (int64_t)(t->gray_levels + 1) * (t->gray_levels + 1)};
    const int64_t room = TABLE_CELLS / s.plane;
    s.planes = room < 1 ? 1 : room > MOST_PLANES ? MOST_PLANES : (int)room;
    s.table = calloc((size_t)(LANES * s.planes * s.plane), sizeof(uint32_t));
    s.cells = malloc((size_t)(CELL_BUFFER + 2 * blocks(v->longest_segment)) * sizeof(uint32_t));
    s.rings = calloc((size_t)(2 * (v->slice_stride + SLACK)), sizeof(uint16_t));
    const int done = s.table && s.cells && s.rings;
    for (int d = 0; done && d < v->directions; d++) {
        scan_direction(v, t, d, &s);
        collect_direction(t, d, &s);
    }
    free(s.table);
    free(s.cells);
    free(s.rings);
    return done;
}

// Collect all counts of an image. `runs`, `differences`, `neighbored` and `dependence` must be
// zero on entry. Returns the number of zones, or -1 when memory ran out.
API int32_t count_texture(const LevelVolume *v, TextureCounts *t) {
    if (!scan_directions(v, t)) return -1;
    return scan_neighborhoods(v, t);
}
