/* Loops over the bytes of a column's cells, for `scanner.native`, which says what each gives.
 *
 * Cells lie one after the other in `data` (`size` bytes); cell i is data[offsets[i]] to data[offsets[i + 1]].
 * Offsets are checked before a byte is read, as they may come from a file: a function that is given others
 * than ascending ones within `size` writes nothing of use and returns REFUSED. Nothing is allocated, nothing
 * is kept, no byte outside of `data` is read. Portable C11; the machine must be little-endian, as the hashes
 * are defined by little-endian words.
 */
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the hashes are defined by little-endian words"
#endif

#define EXPORT __attribute__((visibility("default")))
#define DONE 0
#define TOO_LONG 1
#define REFUSED (-1)

typedef uint8_t byte;

/* What this was compiled from, so that a test can tell a stale library. */
#ifndef SOURCE
#define SOURCE ""
#endif
EXPORT const char *sharewatch_source(void) { return SOURCE; }

static inline int sound(const int64_t *offsets, int64_t cells, int64_t size) {
    int falling = 0;
    for (int64_t i = 0; i < cells; i++)
        falling |= offsets[i + 1] < offsets[i];
    return offsets[0] >= 0 && !falling && offsets[cells] <= size;
}

/* -- hashes ---------------------------------------------------------------------------------------------- */

static inline uint64_t small_letters(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t low = word & (0x7F * ones);
    uint64_t from_a = low + (0x80 - 'A') * ones, beyond_z = low + (0x7F - 'Z') * ones;
    uint64_t capital = (from_a ^ beyond_z) & ~word & (0x80 * ones);
    return word | capital >> 2;
}

/* The first `count` bytes, at most eight, as a number; `end` is where the buffer ends. */
static inline uint64_t first_bytes(const byte *at, int64_t count, const byte *end) {
    uint64_t word = 0;
    if (end - at >= 8)
        memcpy(&word, at, 8);
    else
        memcpy(&word, at, (size_t)(end - at));
    return count >= 8 ? word : word & (((uint64_t)1 << 8 * count) - 1);
}

/* SplitMix64's finalizer. */
static inline uint64_t finished(uint64_t hash) {
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ hash >> 27) * 0x94D049BB133111EBu;
    return hash ^ hash >> 31;
}

static inline uint64_t mixed(uint64_t word, uint64_t factor, uint64_t second) {
    word = small_letters(word) * factor;
    return (word ^ word >> 32) * second;
}

/* `drawn`: salt, second factor, factor of the length, factor of a word's place. */
EXPORT int sharewatch_hash(const byte *data, int64_t size, const int64_t *offsets, int64_t cells,
                           const uint64_t *drawn, uint64_t *out) {
    if (!sound(offsets, cells, size))
        return REFUSED;
    const uint64_t salt = drawn[0], second = drawn[1], of_length = drawn[2], of_place = drawn[3];
    const byte *end = data + size;
    for (int64_t i = 0; i < cells; i++) {
        const byte *at = data + offsets[i];
        int64_t left = offsets[i + 1] - offsets[i];
        uint64_t hash = (uint64_t)left * of_length ^ salt, factor = of_place, word;
        for (; left >= 8; left -= 8, at += 8, factor *= of_place) {
            memcpy(&word, at, 8);
            hash += mixed(word, factor, second);
        }
        if (left)
            hash += mixed(first_bytes(at, left, end), factor, second);
        out[i] = finished(hash);
    }
    return DONE;
}

/* The hash of `scanner.detect.lexicon`: `factors` are those of a word's eights of bytes, `of_length` that of
 * its length; longer words than there are factors for get the hash of the empty one. */
EXPORT int sharewatch_words(const byte *data, int64_t size, const int64_t *offsets, int64_t cells,
                            const uint64_t *factors, int64_t count, uint64_t of_length, uint64_t *out) {
    if (!sound(offsets, cells, size))
        return REFUSED;
    for (int64_t i = 0; i < cells; i++) {
        const byte *at = data + offsets[i];
        int64_t length = offsets[i + 1] - offsets[i];
        uint64_t hash = 0;
        if (length <= 8 * count) {
            hash = (uint64_t)length * of_length;
            for (int64_t left = length, lane = 0; left > 0; left -= 8, at += 8)
                hash += finished(first_bytes(at, left, data + size) * factors[lane++]);
        }
        out[i] = hash;
    }
    return DONE;
}

/* -- counts ---------------------------------------------------------------------------------------------- */

/* `classes`: for each byte value a number of eight lanes of eight bits, which are added up for each cell and,
 * in `totals`, for all. TOO_LONG where a cell has more bytes than a lane can count. */
EXPORT int sharewatch_count(const byte *data, int64_t size, const int64_t *offsets, int64_t cells,
                            const uint64_t *classes, uint64_t *out, uint64_t *totals) {
    if (!sound(offsets, cells, size))
        return REFUSED;
    const uint64_t every_other = 0x00FF00FF00FF00FFu;
    memset(totals, 0, 8 * sizeof *totals);
    for (int64_t first = 0; first < cells;) {
        /* Lanes of sixteen bits hold the sums of so many cells. */
        int64_t last = cells - first < 256 ? cells : first + 256;
        uint64_t even = 0, odd = 0;
        for (; first < last; first++) {
            const byte *at = data + offsets[first], *end = data + offsets[first + 1];
            uint64_t lanes = 0, more = 0;
            if (end - at > 255)
                return TOO_LONG;
            for (; end - at >= 4; at += 4) {
                lanes += classes[at[0]] + classes[at[1]];
                more += classes[at[2]] + classes[at[3]];
            }
            for (; at < end; at++)
                lanes += classes[*at];
            lanes += more;
            out[first] = lanes;
            even += lanes & every_other;
            odd += lanes >> 8 & every_other;
        }
        for (int lane = 0; lane < 8; lane++)
            totals[lane] += (lane % 2 ? odd : even) >> 16 * (lane / 2) & 0xFFFF;
    }
    return DONE;
}

/* out[i]: whether cell i holds a byte that `wanted` flags. */
EXPORT int sharewatch_holding(const byte *data, int64_t size, const int64_t *offsets, int64_t cells,
                              const byte *wanted, byte *out) {
    if (!sound(offsets, cells, size))
        return REFUSED;
    for (int64_t i = 0; i < cells; i++) {
        const byte *at = data + offsets[i], *end = data + offsets[i + 1];
        while (at < end && !wanted[*at])
            at++;
        out[i] = at < end;
    }
    return DONE;
}

/* out[i]: whether cell i, if it is `among`, has `length` bytes that `wanted` flags one after the other. */
EXPORT int sharewatch_runs(const byte *data, int64_t size, const int64_t *offsets, int64_t cells,
                           const byte *among, const byte *wanted, int64_t length, byte *out) {
    if (length < 1 || !sound(offsets, cells, size))
        return REFUSED;
    for (int64_t i = 0; i < cells; i++) {
        const byte *begin = data + offsets[i], *end = data + offsets[i + 1];
        out[i] = 0;
        /* Backwards from where a run would end; a byte that is not of it moves the begin behind itself. */
        while (among[i] && !out[i] && end - begin >= length) {
            const byte *at = begin + length;
            while (at > begin && wanted[at[-1]])
                at--;
            out[i] = at == begin;
            begin = at;
        }
    }
    return DONE;
}

/* -- values that prove themselves ------------------------------------------------------------------------ */

enum { OTHER, ALNUM, LOCAL_MARK, DOT, DASH, AT };
#define TWO(a, b) ((a) << 8 | (b))

static inline int kind(byte b) {
    if ((byte)((b | 32) - 'a') < 26 || (byte)(b - '0') < 10)
        return ALNUM;
    return b == '.' ? DOT : b == '-' ? DASH : b == '_' || b == '+' ? LOCAL_MARK : b == '@' ? AT : OTHER;
}

static inline int letter(byte b) { return (byte)(b - 'a') < 26; }

static int ending(const byte *at, int64_t length) {
    static const char *const longer[] = {"com", "org", "net", "edu", "gov", "info", "example", "test"};
    if (length == 2) {
        int both = TWO(at[0], at[1]);
        return letter(at[0]) && letter(at[1]) && both != TWO('j', 's') && both != TWO('t', 's') &&
               both != TWO('p', 'y');
    }
    for (unsigned i = 0; i < sizeof longer / sizeof *longer; i++)
        if ((size_t)length == strlen(longer[i]) && !memcmp(at, longer[i], (size_t)length))
            return 1;
    return 0;
}

/* One to three labels of 1 to 63 letters, digits and inner dashes, each with a point, and an ending. */
static int host(const byte *at, const byte *end) {
    const byte *label = at;
    int labels = 0;
    for (; at < end; at++) {
        int is = kind(*at);
        if (is == DOT) {
            if (at == label || at - label > 63 || kind(*label) != ALNUM || kind(at[-1]) != ALNUM || ++labels > 3)
                return 0;
            label = at + 1;
        } else if (is != ALNUM && is != DASH) {
            return 0;
        }
    }
    return labels && ending(label, end - label);
}

/* out[i]: whether cell i, if it is `among`, is one plain address of e-mail and nothing else. */
EXPORT int sharewatch_emails(const byte *data, int64_t size, const int64_t *offsets, int64_t cells,
                             const byte *among, byte *out) {
    if (!sound(offsets, cells, size))
        return REFUSED;
    byte kinds[256];
    for (int b = 0; b < 256; b++)
        kinds[b] = (byte)kind((byte)b);
    for (int64_t i = 0; i < cells; i++) {
        const byte *begin = data + offsets[i], *end = data + offsets[i + 1], *at = begin;
        out[i] = 0;
        if (!among[i] || at == end || kinds[*at] != ALNUM)
            continue;
        while (at < end && kinds[*at] != AT && kinds[*at] != OTHER)
            at++;
        if (at < end && kinds[*at] == AT && at - begin <= 63)
            out[i] = (byte)host(at + 1, end);
    }
    return DONE;
}

/* out[i]: whether cell i, if it is `among`, is the number of a vehicle as `scanner.detect.vectors.vin` has it.
 * `codes`: for each byte value its symbol (63: none) and, in the upper byte, its value in the check sum. */
EXPORT int sharewatch_vins(const byte *data, int64_t size, const int64_t *offsets, int64_t cells,
                           const byte *among, const uint16_t *codes, const byte *weights, byte *out) {
    if (!sound(offsets, cells, size))
        return REFUSED;
    for (int64_t i = 0; i < cells; i++) {
        const byte *at = data + offsets[i];
        out[i] = 0;
        if (!among[i] || offsets[i + 1] - offsets[i] != 17)
            continue;
        unsigned sum = 0, digits = 0;
        uint64_t symbols = 0;
        for (int place = 0; place < 17; place++) {
            unsigned code = codes[at[place]], symbol = code & 63;
            sum += (code >> 8) * weights[place];
            symbols |= (uint64_t)1 << symbol;
            digits |= (unsigned)(symbol < 10) << place;
        }
        unsigned first = codes[at[0]] & 63, check = codes[at[8]] & 63, remainder = sum % 11;
        int kinds = 0;
        for (uint64_t rest = symbols; rest; rest &= rest - 1)
            kinds++;
        int fair = !(symbols >> 63) && kinds >= 5 && digits >> 14 == 7;
        /* X, the 33rd letter or digit, stands for ten; 21 is L. */
        int proven = check == (remainder < 10 ? remainder : 33);
        int checked = (first >= 1 && first <= 5) || first == 21 || digits == 0x1FFFF;
        out[i] = fair && (proven || !checked);
    }
    return DONE;
}
