# Builds for Debian's amd64: cmake -DCMAKE_TOOLCHAIN_FILE=firmware/package/amd64.cmake -DSLUICE_SYSROOT=$(tools/sysroot amd64)
set(triplet x86_64-linux-gnu)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
include(${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake)
