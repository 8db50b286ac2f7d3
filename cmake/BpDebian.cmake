# CPack runs this between installing into a folder of its own and packing that folder: makes of it
# what Debian expects to find.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
get_filename_component(source ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
set(doc ${root}/doc/backproof)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "this failed: ${ARGN}")
  endif()
endfunction()

file(REMOVE ${doc}/LICENSE ${doc}/CHANGELOG.md)
configure_file(${source}/packaging/copyright ${doc}/copyright COPYONLY)
run(${source}/scripts/release-notes --debian ${doc}/changelog)
run(gzip -9n ${doc}/changelog ${root}/man/man1/backproof.1)
# The folder that everybody else has for them is not in the path of Debian's zsh.
file(RENAME ${root}/zsh/site-functions ${root}/zsh/vendor-completions)
run(chmod -R u=rwX,go=rX ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
if(NOT "$ENV{SOURCE_DATE_EPOCH}" STREQUAL "")
  run(find ${CPACK_TEMPORARY_INSTALL_DIRECTORY} -exec touch -hd @$ENV{SOURCE_DATE_EPOCH} {} +)
endif()
