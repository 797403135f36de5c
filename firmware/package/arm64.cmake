# Builds for Debian's arm64: cmake -DCMAKE_TOOLCHAIN_FILE=firmware/package/arm64.cmake -DSLUICE_SYSROOT=$(tools/sysroot arm64)
set(triplet aarch64-linux-gnu)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/sysroot.cmake)
