#include "archive/bech32.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* 256 bits in digits of 5, then the checksum. */
enum { KEY_DIGITS = 52, SUM_DIGITS = 6, DIGITS = KEY_DIGITS + SUM_DIGITS };

static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t step(uint32_t sum, unsigned digit)
{
    static const uint32_t factors[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = sum >> 25;

    sum = (sum & 0x1ffffff) << 5 ^ digit;
    for (unsigned i = 0; i < 5; i++) {
        if ((top >> i & 1) != 0)
            sum ^= factors[i];
    }
    return sum;
}

static uint32_t sum_of(const char *prefix, const unsigned char *digits, size_t count)
{
    uint32_t sum = 1;

    for (const char *p = prefix; *p != '\0'; p++)
        sum = step(sum, (unsigned)tolower((unsigned char)*p) >> 5);
    sum = step(sum, 0);
    for (const char *p = prefix; *p != '\0'; p++)
        sum = step(sum, (unsigned)tolower((unsigned char)*p) & 31);
    for (size_t i = 0; i < count; i++)
        sum = step(sum, digits[i]);
    return sum;
}

static bool read_digits(const char *text, bool upper, unsigned char digits[DIGITS])
{
    for (size_t i = 0; i < DIGITS; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *letter = NULL;

        if (c == '\0' || (upper ? islower(c) : isupper(c)))
            return false;
        letter = strchr(letters, tolower(c));
        if (letter == NULL)
            return false;
        digits[i] = (unsigned char)(letter - letters);
    }
    return text[DIGITS] == '\0';
}

/* false: the bits that are left over are not zero. */
static bool to_bytes(const unsigned char *digits, unsigned char out[BP_BECH32_KEY_SIZE])
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t used = 0;

    for (size_t i = 0; i < KEY_DIGITS; i++) {
        bits = bits << 5 | digits[i];
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[used++] = (unsigned char)(bits >> have & 0xFFU);
        }
    }
    return (bits & ((1U << have) - 1)) == 0;
}

bool bp_bech32_parse(const char *text, const char *prefix, unsigned char out[BP_BECH32_KEY_SIZE])
{
    size_t len = strlen(prefix);
    unsigned char digits[DIGITS] = {0};
    bool good = false;

    if (strncmp(text, prefix, len) != 0 || text[len] != '1')
        return false;
    good = read_digits(text + len + 1, isupper((unsigned char)prefix[0]) != 0, digits) &&
           sum_of(prefix, digits, DIGITS) == 1 && to_bytes(digits, out);
    explicit_bzero(digits, sizeof(digits));
    return good;
}

static void to_digits(const unsigned char key[BP_BECH32_KEY_SIZE], unsigned char *digits)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t next = 0;

    for (size_t i = 0; i < KEY_DIGITS; i++) {
        if (have < 5) {
            bits = bits << 8 | (next < BP_BECH32_KEY_SIZE ? key[next++] : 0U);
            have += 8;
        }
        have -= 5;
        digits[i] = (unsigned char)(bits >> have & 31U);
    }
}

void bp_bech32_put(const unsigned char key[BP_BECH32_KEY_SIZE], const char *prefix, char *out,
                   size_t size)
{
    bool upper = isupper((unsigned char)prefix[0]) != 0;
    unsigned char digits[DIGITS] = {0};
    size_t used = strlen(prefix) + 1;
    uint32_t sum = 0;

    to_digits(key, digits);
    sum = sum_of(prefix, digits, DIGITS) ^ 1; /* the digits of the sum are zeros by now */
    for (unsigned i = 0; i < SUM_DIGITS; i++)
        digits[KEY_DIGITS + i] = (unsigned char)(sum >> (5 * (SUM_DIGITS - 1 - i)) & 31U);
    (void)snprintf(out, size, "%s1", prefix);
    for (size_t i = 0; i < DIGITS && used + 1 < size; i++) {
        unsigned char c = (unsigned char)letters[digits[i]];

        out[used++] = (char)(upper ? toupper(c) : c);
        out[used] = '\0';
    }
    explicit_bzero(digits, sizeof(digits));
}
