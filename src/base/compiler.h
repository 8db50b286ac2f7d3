/*
 * The three attributes the code uses, and no other macro language.
 *
 * BP_AUTO(fn)     the variable owns what it holds; fn(&variable) runs when it goes out of scope
 * BP_PRINTF(f, a) the f-th argument is a printf format; a is the first value (0 for v* helpers)
 * BP_CHECK        the result must be looked at
 */
#ifndef BP_BASE_COMPILER_H
#define BP_BASE_COMPILER_H

#define BP_AUTO(fn)     __attribute__((cleanup(fn)))
#define BP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define BP_CHECK        __attribute__((warn_unused_result))

#endif
