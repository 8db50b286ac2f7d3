#include "cmd/proving.h"

#include "base/file.h"
#include "cmd/keys.h"

enum { CHECKS_LIMIT = 4 << 20, MOST_JOBS = 64 };

enum bp_code bp_proving_checks(struct bp_app *app, struct bp_list *out, struct bp_err *err)
{
    const struct bp_list *files = bp_config_list(&app->cfg, BP_OPT_CHECK_SQL);

    for (size_t i = 0; i < files->count; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf text = {0};

        if (bp_file_read(files->at[i], CHECKS_LIMIT, &text, err) != BP_OK)
            return bp_fail(err, BP_EUSAGE, "--check-sql: %s", err->msg);
        if (bp_verify_checks(bp_buf_str(&text), files->at[i], out, err) != BP_OK)
            return bp_wrap(err, "--check-sql");
    }
    return BP_OK;
}

enum bp_code bp_proving_load(struct bp_app *app, struct bp_proving *out, struct bp_err *err)
{
    const struct bp_config *cfg = &app->cfg;

    out->level = bp_proof_parse(bp_config_text(cfg, BP_OPT_LEVEL));
    out->jobs = (size_t)bp_config_number(cfg, BP_OPT_JOBS);
    out->record = !bp_config_flag(cfg, BP_OPT_NO_RECORD) && !bp_config_flag(cfg, BP_OPT_DRY_RUN);
    if (out->jobs > MOST_JOBS)
        return bp_fail(err, BP_EUSAGE, "--jobs takes at most %d", MOST_JOBS);
    if (bp_proving_checks(app, &out->checks, err) != BP_OK)
        return err->code;
    if (out->level == BP_L5 && out->checks.count == 0)
        return bp_fail(err, BP_EUSAGE,
                       "--level L5 needs your own checks; hint: --check-sql names a file of "
                       "queries, each of which must return true");
    if (bp_keys_identities(app, &out->identities, err) != BP_OK ||
        bp_keys_trusted(app, &out->trusted, err) != BP_OK)
        return err->code;
    out->opener = bp_keys_opener(&out->identities, &out->trusted);
    return BP_OK;
}

void bp_proving_free(struct bp_proving *proving)
{
    bp_identities_free(&proving->identities);
    bp_trusted_keys_free(&proving->trusted);
    bp_list_free(&proving->checks);
}
