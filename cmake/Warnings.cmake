# Warnings are errors, in our own code only: everything of ours links this target.
add_library(icecore_warnings INTERFACE)
target_compile_options(icecore_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wcast-align -Wnull-dereference -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees null and dangling pointers in inlined library code (std::variant, std::string) when it optimises; clang checks these.
  target_compile_options(icecore_warnings INTERFACE -Wno-null-dereference -Wno-restrict -Wno-maybe-uninitialized)
endif()

if(ICECORE_SANITIZE)
  add_compile_options(-fsanitize=${ICECORE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ICECORE_SANITIZE})
endif()
if(ICECORE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
