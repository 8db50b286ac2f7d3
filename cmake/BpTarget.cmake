# One place that gives every target of the project its standard and its warnings.
set(BP_WARNINGS
    -Wall -Wextra -Wcast-qual -Wconversion -Wsign-conversion -Wdouble-promotion
    -Wfloat-equal -Wformat=2 -Wimplicit-fallthrough -Wmissing-prototypes -Wnull-dereference
    -Wold-style-definition -Wpointer-arith -Wredundant-decls -Wshadow -Wstrict-prototypes
    -Wswitch-enum -Wundef -Wunused -Wvla -Wwrite-strings -Wno-missing-field-initializers)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND BP_WARNINGS -Walloc-zero -Wduplicated-branches -Wduplicated-cond
       -Wformat-overflow=2 -Wformat-signedness -Wlogical-op -Wtrampolines)
else()
  # gcc's -Wpedantic would also refuse printf's %m. A query may be longer than C99 asks for.
  list(APPEND BP_WARNINGS -Wpedantic -Wmissing-variable-declarations -Wcomma -Wextra-semi-stmt
       -Wunreachable-code -Wno-overlength-strings)
endif()

function(bp_target target)
  target_compile_features(${target} PUBLIC c_std_17)
  set_target_properties(${target} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                                             POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE ${BP_WARNINGS})
endfunction()
