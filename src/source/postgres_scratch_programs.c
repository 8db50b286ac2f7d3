/* Where the programs of a server are. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_dump.h"
#include "source/postgres_scratch.h"

enum { MAJOR = 10000, ASK_MS = 10000 };

/* What a person has put into PATH is meant. */
static void add_path(const struct bp_env *env, struct bp_list *dirs)
{
    BP_AUTO(bp_freep) char *path = bp_strdup(bp_env_get(env, "PATH"));
    char *rest = path;

    for (char *dir = strsep(&rest, ":"); dir != NULL; dir = strsep(&rest, ":")) {
        if (dir[0] == '/')
            bp_list_add(dirs, dir);
    }
}

/* What pg_config says, if there is one: a server that was built here is often nowhere else. */
static enum bp_code add_configured(const struct bp_postgres_options *options, struct bp_list *dirs,
                                   struct bp_err *err)
{
    static const char *const argv[] = {"pg_config", "--bindir", NULL};
    const struct bp_child_job job = {
        .argv = argv, .env = options->env->vars, .timeout_ms = ASK_MS, .clock = options->clock};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_freep) char *dir = NULL;
    enum bp_code rc = bp_child_run(&job, &result, err);

    if (rc == BP_ESTOPPED)
        return rc;
    if (rc != BP_OK || result.exit_status != 0)
        return BP_OK;
    dir = bp_strdup(bp_buf_str(&result.out));
    bp_text_trim(dir);
    bp_list_add(dirs, dir);
    return BP_OK;
}

static bool has_initdb(const char *dir)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/initdb", dir);

    return access(path, X_OK) == 0;
}

static enum bp_code none_fits(int wanted, int newest, struct bp_err *err)
{
    BP_AUTO(bp_freep)
    char *found =
        newest > 0 ? bp_format("the newest found is %d", newest) : bp_strdup("none found");

    return bp_fail(err, BP_ENOTFOUND,
                   "no programs of a PostgreSQL server of version %d or newer are here (%s); hint: "
                   "install postgresql-%d, or give an empty database with --scratch-url",
                   wanted, found, wanted);
}

enum bp_code bp_pg_server_programs(const struct bp_postgres_options *options, int version_num,
                                   char **dir, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list dirs = {0};
    int wanted = version_num / MAJOR;
    int best = 0;
    int newest = 0;

    *dir = NULL;
    if (options->program_dirs == NULL)
        add_path(options->env, &dirs);
    bp_pg_program_dirs(options, &dirs);
    if (options->program_dirs == NULL && add_configured(options, &dirs, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < dirs.count && best != wanted; i++) {
        BP_AUTO(bp_freep) char *version = NULL;
        int major = 0;

        if (!has_initdb(dirs.at[i]))
            continue;
        if (bp_pg_program_version(options, dirs.at[i], "postgres", &version, err) != BP_OK)
            return err->code;
        major = version != NULL ? (int)strtol(version, NULL, 10) : 0;
        newest = major > newest ? major : newest;
        if (major < wanted || (best != 0 && major >= best))
            continue;
        bp_free(*dir);
        *dir = bp_strdup(dirs.at[i]);
        best = major;
    }
    return best != 0 ? BP_OK : none_fits(wanted, newest, err);
}
