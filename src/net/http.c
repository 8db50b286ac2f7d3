#include "net/http.h"

#include <string.h>
#include <strings.h>

void bp_http_freep(struct bp_http **http)
{
    if (*http != NULL)
        (*http)->ops->free(*http);
    *http = NULL;
}

const char *bp_http_header(const struct bp_http_response *response, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < response->headers.count; i++) {
        const char *line = response->headers.at[i];

        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}

void bp_http_response_free(struct bp_http_response *response)
{
    bp_buf_free(&response->body);
    bp_list_free(&response->headers);
}
