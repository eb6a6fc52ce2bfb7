/* The scoring kernel: raw scores and exact contributions of a packed model (engine/scoring/packing.py says what of).

   It does: answer every split of a model for one row, add the leaves in LightGBM's order, and share the raw score out
   among the features. It does not: allocate, check a model, call anything, or keep anything between two calls. The
   rule it keeps: every operation is one of IEEE 754's, in the written order (no contraction, no reassociation), so
   that each processor and each compiler gives the same bits.

   A split is one comparison or one look into a set of 64 codes. Contributions are Shapley values of the
   path-dependent game; their weights are integrals over [0, 1] of polynomials, which Gauss-Legendre nodes give
   exactly (Quadrature-TreeSHAP, arXiv 2605.04497). Here both halves are recurrences over a tree: `up` gathers what
   lies below a split, `down` what leads to it; a lane is a quadrature node. */

#include <stdint.h>

#define LANES 4
#define ROWS 32
#define TREES 8
#define IN_SET 0x80000000u
#define FIRST 2
#define WALKED 0xffffffffu

typedef double lanes __attribute__((vector_size(LANES * 8)));
typedef double loose_lanes __attribute__((vector_size(LANES * 8), aligned(8))); /* where they may begin anywhere */
typedef uint64_t bits __attribute__((vector_size(LANES * 8)));
typedef uint64_t loose_bits __attribute__((vector_size(LANES * 8), aligned(8)));

/* What a split asks of: a feature under one rule for missing values, a category's code, or a wide set's answer. */
typedef struct { uint32_t feature, rule, first, words; } Input;
typedef struct { double threshold; uint32_t child, input; } Step; /* a leaf's threshold is its value */
typedef struct {
    double threshold, share[2], above_share;
    uint32_t input, inverse;
    uint16_t child[2], feature, above, side, spare[3];
} Split;
typedef struct { uint32_t split, splits, leaf, inverse; } Tree;
/* A split as many rows are asked at once: `others` has a bit for each leaf but those of its left side. */
typedef struct { double threshold; uint64_t others; uint32_t input, spare; } Cut;
typedef struct { uint32_t cut, set, end, leaf; } Swept; /* a tree's cuts, those by sets from `set` on */
typedef struct {
    double odds[LANES], rest[LANES], weight[LANES];
    const double *inverses;
    uint32_t tree, end;
} Pass;

typedef struct {
    const Input *inputs; const uint32_t *words;
    const Step *steps; const uint32_t *roots, *heights, *order;
    const Cut *cuts; const Swept *swept; const double *in_order;
    const Split *splits; const Tree *trees; const double *leaves; const Pass *passes;
    double *row, *known, *values, *up, *down, *shares, *result; uint8_t *codes, *turned, *open;
    uint32_t features, n_inputs, n_order, n_trees, n_passes, level;
} Model;

enum { NONE_IS_ZERO, ZERO_LEFT, ZERO_RIGHT, NONE_LEFT, NONE_RIGHT, CODE, WIDE };

#define ALWAYS static inline __attribute__((always_inline))
#define ZERO_BELOW 1.0000000180025095e-35
#define NO_CODE 63 /* a code no set of 64 holds */
#define MANY_CODES 2147483647.0

ALWAYS int in_words(double value, const uint32_t *words, uint32_t count) {
    if (!(value > -1.0) || value >= MANY_CODES) return 0; /* the whole part is the code; missing is in no set */
    uint32_t code = (uint32_t)value;
    return code / 32 < count && (words[code / 32] >> (code % 32) & 1);
}

/* What a value answers to an input: -inf goes left of any threshold, NaN right; a code is its own number. */
typedef union { double known; uint64_t code; } Answer;

ALWAYS Answer answered(const Model *m, const Input *in, double value) {
    const double inf = __builtin_inf(), nan = __builtin_nan("");
    int missing = value != value, zero = __builtin_fabs(value) <= ZERO_BELOW;
    switch (in->rule) {
    case NONE_IS_ZERO: return (Answer){missing || zero ? 0.0 : value};
    case ZERO_LEFT: return (Answer){missing || zero ? -inf : value};
    case ZERO_RIGHT: return (Answer){missing || zero ? nan : value};
    case NONE_LEFT: return (Answer){missing ? -inf : zero ? 0.0 : value};
    case NONE_RIGHT: return (Answer){zero ? 0.0 : value};
    case CODE: return (Answer){.code = value > -1.0 && value < NO_CODE ? (uint64_t)value : NO_CODE};
    default: return (Answer){in_words(value, m->words + in->first, in->words) ? -inf : nan};
    }
}

ALWAYS int is_finite(const Model *m, const double *row) {
    int finite = 1;
    for (uint32_t f = 0; f < m->features; f++) finite &= !(__builtin_fabs(row[f]) == __builtin_inf());
    return finite;
}

/* Each input's answer for one row. Returns 0 where a value is infinite. */
ALWAYS int answer(const Model *m, const double *row, double *known, uint8_t *codes) {
    for (uint32_t i = 0; i < m->n_inputs; i++) {
        Answer to = answered(m, &m->inputs[i], row[m->inputs[i].feature]);
        int coded = m->inputs[i].rule == CODE;
        known[i] = to.known;
        codes[i] = coded ? (uint8_t)to.code : NO_CODE;
    }
    known[m->n_inputs] = -__builtin_inf(); /* what a leaf asks, to stay where it is */
    codes[m->n_inputs] = NO_CODE;
    return is_finite(m, row);
}

/* 1 where the split is turned right. No branch: which of the two questions a split asks cannot be foreseen. */
ALWAYS uint32_t right(double threshold, uint32_t input, const double *known, const uint8_t *codes) {
    uint32_t in_set = input >> 31, i = input & ~IN_SET;
    union { double d; uint64_t u; } set = {threshold};
    uint32_t below = known[i] <= threshold, member = set.u >> codes[i] & 1;
    return 1 ^ (below & (in_set ^ 1)) ^ (member & in_set);
}

/* One row, TREES trees at a time: the steps of one tree wait for each other, those of several do not. */
double creditline_raw(const Model *m) {
    if (!answer(m, m->row, m->known, m->codes)) return __builtin_nan("");
    for (uint32_t first = 0; first < m->n_order; first += TREES) {
        const uint32_t *order = m->order + first;
        uint32_t at[TREES];
        for (int k = 0; k < TREES; k++) at[k] = m->roots[order[k]];
        for (uint32_t height = m->heights[order[TREES - 1]]; height; height--)
            for (int k = 0; k < TREES; k++) {
                const Step *s = &m->steps[at[k]];
                at[k] = s->child + right(s->threshold, s->input, m->known, m->codes);
            }
        for (int k = 0; k < TREES; k++) m->values[order[k]] = m->steps[at[k]].threshold;
    }
    double total = 0.0;
    for (uint32_t t = 0; t < m->n_trees; t++) total += m->values[t];
    return total;
}

/* ROWS rows through one tree at once, every split asked of all of them: one that is turned right strikes out the
   leaves on its left, and the first leaf that nobody struck out is where the row ends (QuickScorer's way; a row's own
   path is not looked for). `answers` has ROWS to an input. */
ALWAYS void sweep(const Model *m, const Swept *t, const Answer *answers, double *total) {
    const bits none = {0};
    bits left[ROWS / LANES];
    for (int v = 0; v < ROWS / LANES; v++) left[v] = ~none;
    for (const Cut *c = m->cuts + t->cut; c < m->cuts + t->set; c++) {
        const loose_lanes *known = (const loose_lanes *)(answers + (uint64_t)c->input * ROWS);
        for (int v = 0; v < ROWS / LANES; v++) left[v] &= (bits)(known[v] <= c->threshold) | c->others;
    }
    for (const Cut *c = m->cuts + t->set; c < m->cuts + t->end; c++) {
        const loose_bits *code = (const loose_bits *)(answers + (uint64_t)c->input * ROWS);
        union { double d; uint64_t u; } set = {c->threshold};
        for (int v = 0; v < ROWS / LANES; v++) left[v] &= -((none + set.u) >> code[v] & 1) | c->others;
    }
    for (int r = 0; r < ROWS; r++) total[r] += m->in_order[t->leaf + __builtin_ctzll(left[r / LANES][r % LANES])];
}

/* The same, step by step, for a tree with more leaves than a word has bits. */
ALWAYS void walk(const Model *m, uint32_t t, const Answer *answers, double *total) {
    uint32_t at[ROWS];
    for (int r = 0; r < ROWS; r++) at[r] = m->roots[t];
    for (uint32_t height = m->heights[t]; height; height--)
        for (int r = 0; r < ROWS; r++) {
            const Step *s = &m->steps[at[r]];
            Answer to = answers[(uint64_t)(s->input & ~IN_SET) * ROWS + r];
            union { double d; uint64_t u; } set = {s->threshold};
            uint32_t in_set = s->input >> 31, member = set.u >> (to.code & 63) & 1, below = to.known <= s->threshold;
            at[r] = s->child + (1 ^ (below & (in_set ^ 1)) ^ (member & in_set));
        }
    for (int r = 0; r < ROWS; r++) total[r] += m->steps[at[r]].threshold;
}

ALWAYS int64_t raw_many(const Model *m, const double *rows, int64_t count, double *room, double *out) {
    Answer *answers = (Answer *)room;
    for (int r = 0; r < ROWS; r++) answers[(uint64_t)m->n_inputs * ROWS + r].known = -__builtin_inf();
    for (int64_t start = 0; start < count; start += ROWS) {
        double total[ROWS] = {0};
        const double *from[ROWS];
        for (int r = 0; r < ROWS; r++) {
            int64_t row = start + r < count ? start + r : count - 1;
            from[r] = rows + row * m->features;
            if (!is_finite(m, from[r])) return row;
        }
        for (uint32_t i = 0; i < m->n_inputs; i++)
            for (int r = 0; r < ROWS; r++)
                answers[(uint64_t)i * ROWS + r] = answered(m, &m->inputs[i], from[r][m->inputs[i].feature]);
        for (uint32_t t = 0; t < m->n_trees; t++) {
            if (m->swept[t].leaf == WALKED) walk(m, t, answers, total);
            else sweep(m, &m->swept[t], answers, total);
        }
        for (int r = 0; r < ROWS && start + r < count; r++) out[start + r] = total[r];
    }
    return -1;
}

/* Which way each split is turned, and whether the row passed all splits of the same feature above it. */
ALWAYS void turn(const Model *m, const Split *splits, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const Split *s = &splits[i];
        m->turned[i] = (uint8_t)right(s->threshold, s->input, m->known, m->codes);
        m->open[i] = s->above == i ? FIRST : m->open[s->above] && m->turned[s->above] == s->side;
    }
}

/* One tree's contributions. A leaf of value v weighs in with the product, over the features on its way, of t + (1-t)z
   where the row passes the feature's splits and (1-t)z where it fails one, t being a node and z the share of the rows
   that these splits let through. All the z are taken out into `leaves`; what stays is (1-t)(1 + odds/z) or 1-t, and
   `share` is 1/z. A feature split again below itself has its factor exchanged: `inverse` undoes the one above. Each
   split then moves its feature by what lies beyond it, weighed: passed (1/z - 1) - failed. */
ALWAYS void share_out(const Model *m, const Pass *p, const Tree *t, lanes odds, lanes rest) {
    const Split *splits = m->splits + t->split;
    const lanes *inverses = (const lanes *)p->inverses + t->inverse;
    lanes *up = (lanes *)m->up, *down = (lanes *)m->down, *shares = (lanes *)m->shares, none = odds - odds;
    turn(m, splits, t->splits);
    for (uint32_t i = 0; i <= t->splits; i++) up[t->splits + i] = none + m->leaves[t->leaf + i];
    for (uint32_t i = t->splits; i-- > 0;) {
        const Split *s = &splits[i];
        uint32_t way = m->turned[i];
        lanes passed = up[s->child[way]], failed = up[s->child[!way]];
        if (m->open[i] == FIRST) up[i] = (passed + odds * s->share[way] * passed + failed) * rest;
        else if (m->open[i]) up[i] = (passed + odds * s->share[way] * passed + failed) * inverses[s->inverse];
        else up[i] = passed + failed;
    }
    down[0] = none + 1.0;
    for (uint32_t i = 0; i < t->splits; i++) {
        const Split *s = &splits[i];
        uint32_t way = m->turned[i], to = s->child[way], past = s->child[!way];
        lanes here = down[i], passed = up[to], failed = up[past];
        double share = s->share[way];
        if (m->open[i] == FIRST) {
            here *= rest;
            shares[s->feature] += here * (passed * (share - 1.0) - failed);
            down[to] = here + here * (odds * share);
        } else if (m->open[i]) {
            lanes inverse = inverses[s->inverse];
            here *= inverse;
            lanes both = here * (inverse + inverse * odds);
            shares[s->feature] += both * (passed * (share - s->above_share) - failed * s->above_share);
            down[to] = here + here * (odds * share);
        } else {
            down[to] = here;
        }
        down[past] = here;
    }
}

ALWAYS int contributions(const Model *m) {
    if (!answer(m, m->row, m->known, m->codes)) return 0;
    for (uint32_t f = 0; f < m->features; f++) m->result[f] = 0.0;
    for (uint32_t n = 0; n < m->n_passes; n++) {
        const Pass *p = &m->passes[n];
        for (uint32_t i = 0; i < m->features * LANES; i++) m->shares[i] = 0.0;
        for (uint32_t t = p->tree; t < p->end; t++)
            share_out(m, p, &m->trees[t], *(const loose_lanes *)p->odds, *(const loose_lanes *)p->rest);
        for (uint32_t f = 0; f < m->features; f++)
            for (uint32_t k = 0; k < LANES; k++) m->result[f] += p->weight[k] * m->shares[f * LANES + k];
    }
    return 1;
}

#define BOTH(registers, more)                                                                                        \
    more static int contributions_##registers(const Model *m) { return contributions(m); }                          \
    more static int64_t raw_many_##registers(const Model *m, const double *rows, int64_t n, double *room, double *out) { \
        return raw_many(m, rows, n, room, out);                                                                      \
    }

BOTH(plain, )

/* The same operations in wider registers, where the processor has them. */
#if defined(__x86_64__)
BOTH(avx2, __attribute__((target("avx2"))))

#include <cpuid.h>
/* 1 with AVX2, which the processor has and the system saves; AVX-512 was no quicker. */
uint32_t creditline_level(void) {
    uint32_t a, b, c, d, saved, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0;
    __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    return (saved & 0x6) == 0x6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 5 & 1);
}
#define WIDEST(call) m->level ? call(avx2) : call(plain)
#else
uint32_t creditline_level(void) { return 0; }
#define WIDEST(call) call(plain)
#endif

/* By which a caller knows that this was compiled for the structures it hands over, not for those of another version. */
uint32_t creditline_form(void) { return sizeof(Model) << 16 | sizeof(Pass); }

/* The row's contributions into `result`; 0 where it holds an infinite value. */
int creditline_contributions(const Model *m) {
#define CALL(registers) contributions_##registers(m)
    return WIDEST(CALL);
#undef CALL
}

/* Many rows. Returns the first that holds an infinite value, or -1. `room` has ROWS places to an input and one more;
   several threads may share the model. */
int64_t creditline_raw_many(const Model *m, const double *rows, int64_t count, double *room, double *out) {
#define CALL(registers) raw_many_##registers(m, rows, count, room, out)
    return WIDEST(CALL);
#undef CALL
}
