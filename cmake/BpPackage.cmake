# Packages, from the build folder: `cpack -G DEB` and `cpack -G TGZ`. scripts/package is the way to
# get the same bytes each time.
set(CPACK_PACKAGE_VENDOR "The backproof authors")
set(CPACK_PACKAGE_CONTACT "The backproof authors <backproof@users.noreply.github.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION
    "backproof starts the backup workflow of every branch of a GitHub repository\n\
and proves through the API that each run really started.  It reads a database\n\
in one locked snapshot and commits a readable archive to a Git repository, and\n\
it restores such an archive all or nothing, after proving every checksum.")
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
# Whatever the umask of whoever packs.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Archives are read with Git's own tools too; HTTPS needs the certificates.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, git")
# Only a backup and a restore need it, in the version of the server.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS postgresql-client)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/BpDebian.cmake)

include(CPack)
