#include "source/target.h"

#include "base/mem.h"

void bp_writer_freep(struct bp_writer **writer)
{
    if (*writer != NULL)
        (*writer)->ops->free(*writer);
    *writer = NULL;
}

void bp_target_marks_free(struct bp_target_marks *marks)
{
    bp_free(marks->archive);
    bp_free(marks->plan);
    bp_list_free(&marks->done);
    *marks = (struct bp_target_marks){0};
}
