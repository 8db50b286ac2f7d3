# Put text files into the program: src/archive/restore.sh becomes the C string
# bp_embedded_restore_sh, declared in archive/embedded.h.
function(bp_embed target)
  foreach(file ${ARGN})
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER "bp_embedded_${name}" symbol)
    set(out ${CMAKE_BINARY_DIR}/embedded/${name}.c)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
         "#include \"archive/embedded.h\"\n\nconst char @symbol@[] = {@bytes@0};\n")
    target_sources(${target} PRIVATE ${out})
  endforeach()
endfunction()
