/* A sealed archive in a fake store: the newest one, of 2024-01-16T14-30-45Z. */
#ifndef TESTS_SUPPORT_FAKE_SEALED_H
#define TESTS_SUPPORT_FAKE_SEALED_H

#include "archive/seal.h"
#include "archive/sign.h"
#include "support/fake_store.h"

#define FAKE_SEALED_PATH "backups/latest/latest_2024-01-16T14-30-45Z"
#define FAKE_SEALED_FILE "sealed/one"

/* With two files, one of which lies at FAKE_SEALED_FILE; signed unless key is NULL. */
void fake_sealed(struct fake_store *store, const struct bp_recipients *recipients,
                 const struct bp_sign_key *key);

/* Change the last byte of a file of the tip. */
void fake_sealed_damage(struct fake_store *store, const char *path);

#endif
