# The flags of a release. Not every compiler that builds one has them all: gcc 11 (Ubuntu 22.04) and
# the one for arm64 each lack one.
include(CheckCCompilerFlag)
foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection
             -mbranch-protection=standard -ftrivial-auto-var-init=zero)
  string(MAKE_C_IDENTIFIER "BP_HAS${flag}" has)
  check_c_compiler_flag(${flag} ${has})
  if(${has})
    add_compile_options(${flag})
  endif()
endforeach()

# First undefined: Ubuntu's gcc defines it by itself, and would warn of another value.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 12)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
else()
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

# The last one: the same program, byte by byte, from whatever folder it is built in.
add_compile_options(-fPIE -ffile-prefix-map=${CMAKE_BINARY_DIR}=build
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
add_link_options(-pie -Wl,-z,relro,-z,now)
