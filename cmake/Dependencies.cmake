# Debian 12 packages only; docs/ARCHITECTURE.md says why each is here.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_package(pugixml REQUIRED)
find_package(PkgConfig REQUIRED)
# journald's compressions
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(lzma REQUIRED IMPORTED_TARGET liblzma)
# containers of disks; their own names are taken
pkg_check_modules(ewf REQUIRED IMPORTED_TARGET libewf)
pkg_check_modules(vmdk REQUIRED IMPORTED_TARGET libvmdk)
pkg_check_modules(vhdi REQUIRED IMPORTED_TARGET libvhdi)
# icecore mount
pkg_check_modules(fuse3 REQUIRED IMPORTED_TARGET fuse3)
# NTFS, FAT, exFAT, ISO 9660, HFS+, APFS
pkg_check_modules(tsk REQUIRED IMPORTED_TARGET tsk)
# LUKS headers and key slots
pkg_check_modules(cryptsetup REQUIRED IMPORTED_TARGET libcryptsetup)
if(ICECORE_TESTS)
  find_package(GTest REQUIRED)
endif()
